"""A recording's own telemetry as other sensors would have written it: Zeek, EVE, PCAPdroid, NetFlow.

From the tables that a capture gives, so that what differs afterwards is what the form cannot carry. TCP headers have
timestamps (32 bytes), as phones send them; counts of whole packets include them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from detector.contract import Telemetry
from detector.imports.zeek_kinds import KINDS

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1}
SERVICES = {"tls": "ssl", "socks5": "socks", "socks4": "socks", "connect": "http", "websocket": "http", "mdns": "dns"}
ENDS = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
_QTYPES = {"A": 1, "AAAA": 28, "TXT": 16, "CNAME": 5, "NULL": 10, "MX": 15, "HTTPS": 65, "PTR": 12, "SRV": 33}


def outbound(telemetry: Telemetry) -> list[dict[str, Any]]:
    """The flows, each once."""
    once = {row["flow"]: row for row in reversed(telemetry["flows"].to_pylist())}
    return [once[number] for number in sorted(once)]


def header(row: dict[str, Any], frame: int = 0) -> int:
    """Bytes of headers of a packet of the flow."""
    return frame + (40 if ":" in row["client"] else 20) + (32 if row["proto"] == "tcp" else 8)


def zeek(telemetry: Telemetry, folder: Path, *, labelled: bool = False) -> None:
    """conn, dns, ssl, http and socks logs as Zeek writes them (ASCII); with label columns if wanted."""
    folder.mkdir(parents=True)
    rows = outbound(telemetry)
    logs: dict[str, list[dict[str, Any]]] = {
        "conn": [conn(row) for row in rows],
        "dns": [],
        "ssl": [],
        "http": [],
        "socks": [],
    }
    for look in telemetry["dns"].to_pylist():
        logs["dns"].append(asked(look, rows[look["flow"]]))
    for row in rows:
        ends = mention(row)
        if row["app_proto"] in ("tls", "quic"):
            logs["ssl"].append({**ends, "server_name": row["sni"], "next_protocol": row["alpn"], "ja4": row["ja4"]})
        if row["method"] is not None:
            status = {True: 200, False: 403, None: None}[row["proxy_granted"]] if row["proxy"] else 200
            told = {name: row[name] for name in ("method", "host", "user_agent")}
            logs["http"].append({**ends, **told, "uri": row["proxy_target"] or "/", "status_code": status})
        if row["proxy"] in ("socks4", "socks4a", "socks5"):
            host, _, port = (row["proxy_target"] or ":0").rpartition(":")
            told = {
                "version": 5 if row["proxy"] == "socks5" else 4,
                "request.host": host or None,
                "request_p": int(port),
            }
            logs["socks"].append({**ends, **told, "status": "succeeded" if row["proxy_granted"] else None})
    for kind, lines in logs.items():
        if lines:
            (folder / f"{kind}.log").write_text(ascii_log(kind, lines, labelled=labelled))


def ascii_log(kind: str, lines: list[dict[str, Any]], *, labelled: bool = False) -> str:
    columns = [*KINDS[kind], *(("label", "detailedlabel") if labelled else ())]
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{kind}"]
    head += ["#fields\t" + "\t".join(columns), "#types\t" + "\t".join("string" for _ in columns)]
    rows = [
        "\t".join(cell(line.get(name, "Benign" if name == "label" else None)) for name in columns) for line in lines
    ]
    return "\n".join([*head, *rows, "#close\t2026-03-02-00-00-00"]) + "\n"


def cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(one.replace(",", "\\x2c") for one in value) or "(empty)"
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def mention(row: dict[str, Any]) -> dict[str, Any]:
    ends = zip(ENDS, (row["client"], row["client_port"], row["server"], row["server_port"]), strict=True)
    return {"ts": row["start"] / 1e6, "uid": f"C{row['flow']}", **dict(ends)}


def conn(row: dict[str, Any]) -> dict[str, Any]:
    tcp, shaken = row["proto"] == "tcp", row["established"]
    history = ("Sh" if shaken else "S") if tcp else ""
    history += "D" * (row["bytes_up"] > 0) + "d" * (row["bytes_down"] > 0)
    up, down = row["packets_up"], row["packets_down"]
    return {
        **mention(row),
        "proto": row["proto"],
        "service": SERVICES.get(row["app_proto"], row["app_proto"]),
        "duration": (row["end"] - row["start"]) / 1e6 or None,
        "orig_bytes": row["bytes_up"],
        "resp_bytes": row["bytes_down"],
        "conn_state": "SF" if shaken else "S0",
        "history": history,
        "orig_pkts": up,
        "orig_ip_bytes": row["bytes_up"] + up * header(row),
        "resp_pkts": down,
        "resp_ip_bytes": row["bytes_down"] + down * header(row),
    }


def asked(look: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    return {
        **mention(row),
        "ts": look["time"] / 1e6,
        "proto": row["proto"],
        "rtt": None if look["answered"] is None else (look["answered"] - look["time"]) / 1e6,
        "query": look["qname"],
        "qtype": _QTYPES.get(look["qtype"]),
        "qtype_name": look["qtype"],
        "rcode": look["rcode"],
        "answers": look["answers"],
    }


def iso(time_us: int, zone: timezone = UTC) -> str:
    when = datetime.fromtimestamp(time_us // 1_000_000, zone) + timedelta(microseconds=time_us % 1_000_000)
    return when.isoformat(timespec="microseconds")


def eve(telemetry: Telemetry, path: Path) -> None:
    """EVE JSON as Suricata 7 writes it: flow, dns (version 2), tls and http events."""
    rows, events = outbound(telemetry), []
    for row in rows:
        common = about(row)
        tcp = {"tcp_flags_ts": flags(row, "bytes_up"), "tcp_flags_tc": flags(row, "bytes_down")}
        counts = {
            "pkts_toserver": row["packets_up"],
            "pkts_toclient": row["packets_down"],
            "bytes_toserver": row["bytes_up"] + row["packets_up"] * header(row, 14),
            "bytes_toclient": row["bytes_down"] + row["packets_down"] * header(row, 14),
        }
        flow = {**counts, "start": stamp(row["start"]), "end": stamp(row["end"])}
        app = {"quic": "quic", "dns": "dns", "tls": "tls", "http": "http", "connect": "http"}.get(
            row["app_proto"], "failed"
        )
        events.append(
            {**common, "timestamp": stamp(row["end"]), "event_type": "flow", "app_proto": app, "flow": flow, "tcp": tcp}
        )
        if row["app_proto"] in ("tls", "quic"):
            events.append({**common, "event_type": "tls", "tls": {"sni": row["sni"], "ja4": row["ja4"]}})
        if row["method"] is not None:
            http = {
                "hostname": row["host"],
                "http_method": row["method"],
                "url": row["proxy_target"] or "/",
                "status": 200,
            }
            events.append({**common, "event_type": "http", "http": {**http, "http_user_agent": row["user_agent"]}})
    for number, look in enumerate(telemetry["dns"].to_pylist()):
        common = about(rows[look["flow"]])
        said = {"version": 2, "id": number & 0xFFFF, "rrname": look["qname"], "rrtype": look["qtype"]}
        events.append(
            {**common, "timestamp": stamp(look["time"]), "event_type": "dns", "dns": {**said, "type": "query"}}
        )
        if look["answered"] is not None:
            answers = [{"rrname": look["qname"], "rdata": text} for text in look["answers"]]
            dns = {
                **said,
                "type": "answer",
                "rcode": "NOERROR" if look["rcode"] == 0 else "NXDOMAIN",
                "answers": answers,
            }
            events.append({**common, "timestamp": stamp(look["answered"]), "event_type": "dns", "dns": dns})
    path.write_text("".join(json.dumps(one) + "\n" for one in events))


def stamp(time_us: int) -> str:
    return iso(time_us).replace("+00:00", "+0000")


def about(row: dict[str, Any]) -> dict[str, Any]:
    ends = {
        "src_ip": row["client"],
        "src_port": row["client_port"],
        "dest_ip": row["server"],
        "dest_port": row["server_port"],
    }
    return {"timestamp": stamp(row["start"]), "flow_id": row["flow"], **ends, "proto": row["proto"].upper()}


def flags(row: dict[str, Any], side: str) -> str:
    shaken = row["established"] or side == "bytes_up"
    return f"{(0x12 if side == 'bytes_down' else 0x02) * shaken | 0x08 * (row[side] > 0) | 0x10:02x}"


def netflow(telemetry: Telemetry, path: Path) -> None:
    """nfdump's CSV (release 1.6): a record for each direction."""
    lines = ["ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt"]
    for row in outbound(telemetry):
        times = [iso(row[name])[:-6].replace("T", " ")[:23] for name in ("start", "end")]
        for side, (a, b) in (("up", ("client", "server")), ("down", ("server", "client"))):
            packets = row[f"packets_{side}"]
            if packets:
                ends = [row[a], row[b], row[f"{a}_port"], row[f"{b}_port"], row["proto"].upper()]
                octets = row[f"bytes_{side}"] + packets * header(row)
                lines.append(",".join(map(str, [*times, 0, *ends, "...AP.SF", 0, 0, packets, octets, 0, 0])))
    path.write_text("\n".join(lines) + "\n")


CSV_HEAD = "IPProto,SrcIP,SrcPort,DstIp,DstPort,UID,App,PackageName,Proto,Status,Info,BytesSent,BytesRcvd,PktsSent,PktsRcvd,FirstSeen,LastSeen"


def pcapdroid_csv(telemetry: Telemetry, path: Path) -> None:
    """PCAPdroid's CSV, times in a zone of its own, an app whose label has a comma."""
    zone, lines = timezone(timedelta(hours=1)), [CSV_HEAD]
    asked = {row["flow"]: row["qname"] for row in telemetry["dns"].to_pylist()}
    for row in telemetry["flows"].to_pylist():
        if row["inbound"]:
            continue
        proto = {"tls": "HTTPS", "http": "HTTP", "dns": "DNS", "quic": "QUIC"}.get(
            row["app_proto"], row["proto"].upper()
        )
        uid = -1 if row["uid"] is None else row["uid"]
        sizes = [row[f"bytes_{side}"] + row[f"packets_{side}"] * header(row) for side in ("up", "down")]
        times = [iso(row[name], zone)[:23] + iso(row[name], zone)[-6:] for name in ("start", "end")]
        ends = [NUMBERS.get(row["proto"], 0), row["client"], row["client_port"], row["server"], row["server_port"]]
        who = [uid, "App, the", row["package"] or ""]
        lines.append(
            ",".join(
                map(
                    str,
                    [
                        *ends,
                        *who,
                        proto,
                        "Closed",
                        row["name"] or asked.get(row["flow"], ""),
                        *sizes,
                        row["packets_up"],
                        row["packets_down"],
                        *times,
                    ],
                )
            )
        )
    path.write_text("\n".join(lines) + "\n")


def packets(capture: Path) -> Iterator[tuple[int, bytes]]:
    """(microseconds, IP packet) of a classic pcap of Ethernet frames in this machine's byte order."""
    data, at = capture.read_bytes(), 24
    while at < len(data):
        seconds, micros, kept, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 1_000_000 + micros, data[at + 16 + 14 : at + 16 + kept]
        at += 16 + kept


def tuple_of(packet: bytes) -> tuple[Any, ...]:
    """Source, destination, ports and protocol number of an IP packet."""
    six = packet[0] >> 4 == 6
    proto, ends, at = (packet[6], packet[8:40], 40) if six else (packet[9], packet[12:20], (packet[0] & 15) * 4)
    half = len(ends) // 2
    ports = struct.unpack_from(">HH", packet, at) if proto in (6, 17) else (0, 0)
    return ends[:half], ports[0], ends[half:], ports[1], proto


def apps(telemetry: Telemetry) -> dict[tuple[Any, ...], tuple[int, str | None]]:
    """uid and package of both directions of each flow."""
    found: dict[tuple[Any, ...], tuple[int, str | None]] = {}
    for row in telemetry["flows"].to_pylist():
        if row["uid"] is not None:
            near, far = ip_address(row["client"]).packed, ip_address(row["server"]).packed
            key = (near, row["client_port"], far, row["server_port"], NUMBERS.get(row["proto"], 0))
            found[key] = found[key[2], key[3], key[0], key[1], key[4]] = (row["uid"], row["package"])
    return found


def pcapdroid_pcap(telemetry: Telemetry, capture: Path, path: Path) -> None:
    """PCAPdroid's pcap with trailers (dump_extensions)."""
    known = apps(telemetry)
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for time, packet in packets(capture):
        uid = known.get(tuple_of(packet), (-1, None))[0]
        frame = bytes(12) + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet
        frame += bytes(-len(frame) % 4) + struct.pack(">Ii20s", 0x01072021, uid, b"App")
        frame += struct.pack("<I", zlib.crc32(frame))
        parts.append(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(frame), len(frame)) + frame)
    path.write_bytes(b"".join(parts))


def block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def pcapdroid_pcapng(telemetry: Telemetry, capture: Path, path: Path) -> None:
    """PCAPdroid's pcapng: a custom block for each uid, a comment for each packet."""
    known, described = apps(telemetry), set()
    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", 101, 0, 0))]
    for time, packet in packets(capture):
        uid, package = known.get(tuple_of(packet), (-1, None))
        if uid not in described and uid >= 0:
            described.add(uid)
            names = (package or "").encode()[:63], b"App"
            body = struct.pack("<IHBBiBB", 62_652, 1, 1, 0, uid, len(names[0]), 3) + b"".join(names)
            parts.append(block(0x0BAD, body + bytes(-len(body) % 4)))
        text = f"u-{uid}".encode()
        comment = struct.pack("<HH", 1, len(text)) + text + bytes(-len(text) % 4) + bytes(4)
        head = struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(packet), len(packet))
        parts.append(block(6, head + packet + bytes(-len(packet) % 4) + comment))
    path.write_bytes(b"".join(parts))


def inventory(telemetry: Telemetry, addresses: dict[str, list[str]], path: Path) -> None:
    """An inventory as an MDM exports it: apps, and in turn the addresses of their device."""
    lines = ["device,address,uid,package,label,category,sanctioned,roles"]
    for number, row in enumerate(telemetry["packages"].to_pylist()):
        known = addresses.get(row["device"]) or [""]
        cells = [row["device"], known[number % len(known)], row["uid"], row["package"], "", row["category"] or ""]
        lines.append(",".join(map(str, [*cells, str(bool(row["sanctioned"])).lower(), ";".join(row["roles"] or ())])))
    path.write_text("\n".join(lines) + "\n")
