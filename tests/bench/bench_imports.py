"""How fast logs are read, in lines a second on one core: a million lines of conn.log, EVE flow events, and the rest.

``taskset -c 1 .venv/bin/python tests/bench/bench_imports.py [LINES]`` prints the best of three for each form; with
``--captures`` instead what became of every line of the logs beside the checkout. Nothing here decides a test.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from detector.contract import Progress
from detector.imports.account import Account, Faults
from detector.imports.reading import form_at, logs_in, read_logs

CAPTURES = Path(__file__).parents[2].parent / "shared" / "data" / "captures"
LINES, TIMES = 300_000, 3
CONN = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes"
    "\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes"
    "\ttunnel_parents\n#types\tx\n"
)


def conn(k: int) -> str:
    ends = f"{1772409600 + k / 7:.6f}\tC{k:017x}\t10.0.{k % 97}.{k % 251}\t{32768 + k % 28000}\t198.18.{k % 13}.{k % 239}\t443"
    return f"{ends}\ttcp\tssl\t{k % 90}.5\t{k % 4000}\t{k % 90000}\tSF\tT\tF\t0\tShADadFf\t{k % 40}\t{k % 9000}\t{k % 50}\t{k % 99000}\t-"


def conn_json(k: int) -> str:
    names = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration")
    names = (*names, "orig_bytes", "resp_bytes", "conn_state")
    values = conn(k).split("\t")
    numbers = {"ts", "id.orig_p", "id.resp_p", "duration", "orig_bytes", "resp_bytes"}
    return json.dumps({n: json.loads(v) if n in numbers else v for n, v in zip(names, values, strict=False)})


def eve(k: int) -> str:
    """What Suricata writes of one flow in four lines: question, answer, tls, flow."""
    second = f"2026-03-02T{k // 4 // 3600 % 24:02d}:{k // 240 % 60:02d}:{k // 4 % 60:02d}.000001+0000"
    number, kind = k // 4, ("dns", "dns", "tls", "flow")[k % 4]
    ends = {"src_ip": f"10.0.{number % 97}.{number % 251}", "src_port": 32768 + number % 28000}
    ends |= {
        "dest_ip": f"198.18.{number % 13}.{number % 239}",
        "dest_port": 53 if kind == "dns" else 443,
        "proto": "TCP",
    }
    event = {
        "timestamp": second,
        "flow_id": 2 * number + (kind == "dns"),
        "event_type": kind,
        **ends,
        "pkt_src": "wire/pcap",
    }
    name = f"api{number % 99}.consumer-alone.example"
    said = {"version": 2, "type": "query", "id": number % 65536, "rrname": name, "rrtype": "A", "tx_id": 0, "opcode": 0}
    if k % 4 == 1:
        rdata = {"rrname": name, "rrtype": "A", "ttl": 3600, "rdata": ends["dest_ip"]}
        said |= {
            "type": "answer",
            "flags": "8180",
            "qr": True,
            "rcode": "NOERROR",
            "answers": [rdata],
            "grouped": {"A": [ends["dest_ip"]]},
        }
    counts = {"pkts_toserver": 5, "pkts_toclient": 4, "bytes_toserver": 700 + k % 99, "bytes_toclient": 4000}
    flow = {
        **counts,
        "start": second,
        "end": second,
        "age": 1,
        "state": "closed",
        "reason": "timeout",
        "alerted": False,
    }
    whole = {"flow": flow, "tcp": {"tcp_flags_ts": "1b", "tcp_flags_tc": "1b"}, "app_proto": "tls"}
    more = {"dns": {"dns": said}, "tls": {"tls": {"sni": name, "version": "TLS 1.3"}}, "flow": whole}[kind]
    return json.dumps({**event, **more}, separators=(",", ":"))


def droid(k: int) -> str:
    time_ = f"2026-03-02T{k // 3600 % 24:02d}:{k // 60 % 60:02d}:{k % 60:02d}.500+01:00"
    return f"6,10.215.173.1,{32768 + k % 28000},198.18.{k % 13}.{k % 239},443,10123,App,com.example.app,HTTPS,Closed,a{k % 99}.example,{700 + k % 9},4000,5,4,{time_},{time_}"


def flow_record(k: int) -> str:
    time_ = f"2026-03-02 {k // 3600 % 24:02d}:{k // 60 % 60:02d}:{k % 60:02d}.500"
    return f"{time_},{time_},0,10.0.{k % 97}.{k % 251},198.18.{k % 13}.{k % 239},{32768 + k % 28000},443,TCP,...AP.SF,0,0,5,700,0,0"


DROID = (
    "IPProto,SrcIP,SrcPort,DstIp,DstPort,UID,App,PackageName,Proto,Status,Info,BytesSent,BytesRcvd,PktsSent,PktsRcvd,"
    "FirstSeen,LastSeen\n"
)
FORMS = {
    "Zeek conn.log": (CONN, conn),
    "Zeek conn.log in JSON": ("", conn_json),
    "EVE dns, tls, flow": ("", eve),
    "PCAPdroid CSV": (
        DROID,
        droid,
    ),
    "NetFlow CSV": ("ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt\n", flow_record),
}


def speed(path: Path, lines: int) -> float:
    """Lines a second, the best of three readings from the page cache."""
    best = float("inf")
    for _ in range(TIMES):
        before = time.process_time()
        read_logs({path: form_at(path) or ""}, Faults(allow_partial=False), Progress())
        best = min(best, time.process_time() - before)
    return lines / best


def accounts() -> Iterator[Account]:
    """What became of every line of every log beside the checkout."""
    for folder in sorted(path for path in CAPTURES.iterdir() if path.is_dir()):
        logs = logs_in(folder)
        if logs:
            yield from read_logs(logs, Faults(allow_partial=False), Progress()).accounts


def main(words: list[str]) -> None:
    if words == ["--captures"]:
        print("| log | form | lines | rows | told of another's row | left |\n|---|---|--:|---|--:|---|")
        for one in accounts():
            rows, left = (", ".join(f"{name} {n}" for name, n in told.items()) or "-" for told in (one.rows, one.left))
            print(
                f"| {one.path.parent.name}/{one.path.name} | {one.form} | {one.lines} | {rows} | {one.joined} | {left} |"
            )
        return
    lines = int(words[0]) if words else LINES
    with tempfile.TemporaryDirectory() as folder:
        for name, (head, line) in FORMS.items():
            path = Path(folder) / "log"
            path.write_text(head + "".join(line(k) + "\n" for k in range(lines)))
            print(f"{name:24} {path.stat().st_size / 1e6:8.1f} MB {speed(path, lines):12,.0f} lines/s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
