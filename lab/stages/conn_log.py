"""The truth of every conversation as Zeek's conn.log with label columns, as Zeek at the phone's interface would say it.

For tools that learn from labelled Zeek logs (Slips, netflowlabeler); never in telemetry/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pyarrow as pa

from lab.recording import write_atomic
from lab.stages.labels import Carried, Places, write_flows
from lab.stages.trails import Trails, state_of
from lab.timeline import Timeline
from lab.world.dual_stack import PHONES

_LETTERS = (b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" * 5)[:256]  # for each byte one of 62
_SERVICES = {
    "http": "http",
    "websocket": "http",
    "dns": "dns",
    "imap": "imap",
    "smtp": "smtp",
    "connect": "http",
    "socks": "socks",
    "socks4": "socks",
    "socks5": "socks",
    "dns_tcp": "dns",
    "mdns": "dns",
    "mqtt": "mqtt",
    "ntp": "ntp",
    "quic": "quic",
    "sip": "sip",
}

#: Zeek's conn.log (scripts/base/protocols/conn/main.zeek) with the two columns of netflowlabeler.
ZEEK = {
    "ts": "time",
    "uid": "string",
    "id.orig_h": "addr",
    "id.orig_p": "port",
    "id.resp_h": "addr",
    "id.resp_p": "port",
    "proto": "enum",
    "service": "string",
    "duration": "interval",
    "orig_bytes": "count",
    "resp_bytes": "count",
    "conn_state": "string",
    "local_orig": "bool",
    "local_resp": "bool",
    "missed_bytes": "count",
    "history": "string",
    "orig_pkts": "count",
    "orig_ip_bytes": "count",
    "resp_pkts": "count",
    "resp_ip_bytes": "count",
    "tunnel_parents": "set[string]",
    "label": "string",
    "detailedlabel": "string",
}


def write_labels(timeline: Timeline, places: Places, carried: Carried, trails: Trails, folder: Path) -> None:
    """Writes flows.parquet and conn.log.labeled into the truth folder."""
    flows = write_flows(timeline, places, carried, folder)
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn"]
    head += ["#fields\t" + "\t".join(ZEEK), "#types\t" + "\t".join(ZEEK.values())]
    rows = ["\t".join(row) for row in zeek_rows(timeline, flows, carried, trails)]
    write_atomic(folder / "conn.log.labeled", ("\n".join(head + rows) + "\n").encode())


def zeek_rows(timeline: Timeline, flows: pa.Table, carried: Carried, trails: Trails) -> Iterator[list[str]]:
    """The columns of ZEEK, as text, of each conversation that had a socket."""
    analytic = {one.incident: one.analytic for one in timeline.incidents}
    speech, carrier = timeline.conversations.speech.tolist(), timeline.conversations.carrier.tolist()

    def zeek_uid(number: int) -> str:
        return _zeek_uid(f"{timeline.scenario_sha256}/{timeline.seed}/{number}")

    counts = zip(*(getattr(carried, f.name).tolist() for f in fields(Carried)[1:]), strict=True)
    whole = zip(trails.history(), trails.size_up.tolist(), trails.size_down.tolist(), strict=True)
    rows = zip(flows.to_pylist(), counts, whole, strict=True)
    for index, (row, (up, down, sent, received), (history, size_up, size_down)) in enumerate(rows):
        if row["client_port"] is None:
            continue
        kind = timeline.speeches[speech[index]]
        label = row["incident"] is not None
        local = [str(row[side].startswith(("10.88.", PHONES)))[0] for side in ("client", "server")]
        yield [
            _seconds(row["start"]),
            zeek_uid(index),
            *(str(row[name]) for name in ("client", "client_port", "server", "server_port", "proto")),
            "ssl" if kind.tls else _SERVICES.get(kind.protocol, "-"),
            _seconds(row["end"] - row["start"]),
            str(up),
            str(down),
            state_of(history, tcp=row["proto"] == "tcp"),
            *local,
            "0",
            history or "-",
            str(sent),
            str(size_up),
            str(received),
            str(size_down),
            zeek_uid(carrier[index]) if carrier[index] >= 0 else "-",
            "Malicious" if label else "Benign",
            f"{analytic[row['incident']]}-{row['behaviour']}" if label else row["behaviour"],
        ]


def _seconds(time_us: int) -> str:
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"


def _zeek_uid(key: str) -> str:
    return "C" + hashlib.sha256(key.encode()).digest()[:17].translate(_LETTERS).decode("ascii")
