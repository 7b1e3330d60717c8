r"""Zeek's logs of a recording, and the same with label columns, in folders of their own.

``zeek/`` is what a sensor at the phones' interface would write: nothing inside TLS, no label. ``labeled/`` has the
truth, for tools that learn from it (Slips, netflowlabeler). Header and columns: Zeek's ASCII writer and its
base/protocols/\*/main.zeek, in the subset that a recording can fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.handing_on.labelled import Labelled
from lab.handing_on.source import Part, Source
from lab.stages.conn_log import ZEEK

Row = Mapping[str, Any]
Line = tuple[Labelled, dict[str, Any]]
_ENDS = {name: ZEEK[name] for name in ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")}
_LABELS = {name: ZEEK[name] for name in ("label", "detailedlabel")}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "conn": {name: kind for name, kind in ZEEK.items() if name not in (*_LABELS, "tunnel_parents")},
    "dns": {
        **_ENDS,
        "proto": "enum",
        "rtt": "interval",
        "query": "string",
        "qtype": "count",
        "qtype_name": "string",
        "rcode": "count",
        "answers": "vector[string]",
    },
    "ssl": {**_ENDS, "server_name": "string", "next_protocol": "string", "ja4": "string"},
    "quic": {**_ENDS, "server_name": "string", "client_protocol": "string"},
    "http": {
        **_ENDS,
        "method": "string",
        "host": "string",
        "uri": "string",
        "user_agent": "string",
        "status_code": "count",
    },
    "socks": {
        **_ENDS,
        "version": "count",
        "status": "string",
        "request.host": "addr",
        "request.name": "string",
        "request_p": "port",
    },
    "websocket": {**_ENDS, "host": "string", "user_agent": "string"},
}
#: Numbers of the question types that recordings ask (IANA, DNS parameters); TYPE<number> tells its own.
QTYPES = {"A": 1, "NS": 2, "CNAME": 5, "NULL": 10, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "HTTPS": 65}
_SERVICES = {"tls": "ssl", "connect": "http", "mdns": "dns", "llmnr": "dns"}
_SERVICES |= dict.fromkeys(("socks4", "socks4a", "socks5"), "socks")
_FROM_PACKETS = ("conn_state", "local_orig", "local_resp", "missed_bytes", "history", "orig_ip_bytes", "resp_ip_bytes")


def parts(source: Source) -> Iterator[Part]:
    """zeek/KIND.log and labeled/KIND.log.labeled of each kind that has lines."""
    for kind, lines in _logs(source).items():
        if lines:
            lines.sort(key=lambda line: line[1]["ts"])
            yield Part(f"zeek/{kind}.log", _text(kind, lines, labels=False))
            yield Part(f"labeled/{kind}.log.labeled", _text(kind, lines, labels=True))


def requests(source: Source) -> Iterator[tuple[Labelled, Row]]:
    """Requests that were readable on the wire, each with its flow; the first of a flow where only that is told."""
    plain = {number: one for number, one in by_flow(source).items() if one.flow["method"] is not None}
    ends: dict[tuple[Any, ...], list[Labelled]] = {}
    for one in plain.values():
        ends.setdefault(_ends(one.flow), []).append(one)
    told = set()
    for row in source.rows("http"):
        for one in ends.get(_ends(row), ()):
            if (
                one.flow["start"] <= row["time"] <= one.flow["end"]
                and row["method"] is not None
                and not one.flow["proxy"]
            ):
                told.add(one.flow["flow"])
                yield one, row
                break
    for number, one in plain.items():
        if number not in told:
            yield one, first_request(one.flow)


def first_request(flow: Row) -> Row:
    """The request that a flow tells of, as a row of the http table."""
    status = {True: 200, False: 403, None: None}[flow["proxy_granted"]] if flow["proxy"] == "connect" else None
    told = {name: flow[name] for name in ("method", "host", "user_agent")}
    return {**told, "time": flow["start"], "path": flow["proxy_target"], "status": status}


def by_flow(source: Source) -> dict[int, Labelled]:
    """The labelled flows by number."""
    return {one.flow["flow"]: one for one in source.flows}


def _logs(source: Source) -> dict[str, list[Line]]:
    logs: dict[str, list[Line]] = {kind: [] for kind in COLUMNS}
    logs["conn"] = [(one, _conn(one)) for one in source.flows]
    flows = by_flow(source)
    for look in source.rows("dns"):
        if (one := flows.get(look["flow"])) is not None:
            logs["dns"].append((one, _dns(one, look)))
    for one in source.flows:
        flow, ends = one.flow, _mention(one)
        if flow["app_proto"] == "tls":
            told = {"server_name": flow["sni"], "next_protocol": flow["alpn"], "ja4": flow["ja4"]}
            logs["ssl"].append((one, {**ends, **told}))
        if flow["app_proto"] == "quic":
            logs["quic"].append((one, {**ends, "server_name": flow["sni"], "client_protocol": flow["alpn"]}))
        if flow["app_proto"] == "websocket":
            logs["websocket"].append((one, {**ends, "host": flow["host"], "user_agent": flow["user_agent"]}))
        if flow["proxy"] in ("socks4", "socks4a", "socks5") and flow["proxy_server"] == "server":
            logs["socks"].append((one, {**ends, **_socks(flow)}))
    for one, row in requests(source):
        told = {name: row[name] for name in ("method", "host", "user_agent")}
        line = {**_mention(one), "ts": row["time"], **told, "uri": row["path"], "status_code": row["status"]}
        logs["http"].append((one, line))
    return logs


def _mention(one: Labelled) -> dict[str, Any]:
    client, client_port, server, server_port = _ends(one.flow)
    ends = {"id.orig_h": client, "id.orig_p": client_port, "id.resp_h": server, "id.resp_p": server_port}
    return {"ts": one.flow["start"], "uid": one.uid, **ends}


def _ends(row: Row) -> tuple[Any, ...]:
    return row["client"], row["client_port"], row["server"], row["server_port"]


def _conn(one: Labelled) -> dict[str, Any]:
    """Times and counts as the telemetry has them; states and history as the packets had them."""
    flow = one.flow
    counts = {"orig_bytes": flow["bytes_up"], "resp_bytes": flow["bytes_down"]}
    counts |= {"orig_pkts": flow["packets_up"], "resp_pkts": flow["packets_down"]}
    unset = {name: one.truth.get(name) for name in _FROM_PACKETS}
    spoke = _SERVICES.get(flow["app_proto"], flow["app_proto"])
    return {
        **_mention(one),
        "proto": flow["proto"],
        "service": spoke,
        "duration": flow["end"] - flow["start"],
        **counts,
        **unset,
    }


def _dns(one: Labelled, look: Row) -> dict[str, Any]:
    kind = look["qtype"]
    number = int(kind[4:]) if kind and kind.startswith("TYPE") and kind[4:].isdigit() else QTYPES.get(kind)
    rtt = None if look["answered"] is None else look["answered"] - look["time"]
    asked = {"query": look["qname"], "qtype": number, "qtype_name": kind, "rcode": look["rcode"]}
    return {
        **_mention(one),
        "ts": look["time"],
        "proto": one.flow["proto"],
        "rtt": rtt,
        **asked,
        "answers": look["answers"] or None,
    }


def _socks(flow: Row) -> dict[str, Any]:
    host, _, port = (flow["proxy_target"] or "").rpartition(":")
    named = any(letter.isalpha() for letter in host) and ":" not in host
    return {
        "version": 5 if flow["proxy"] == "socks5" else 4,
        "status": {True: "succeeded", False: "general SOCKS server failure", None: None}[flow["proxy_granted"]],
        "request.host": None if named else host or None,
        "request.name": host if named else None,
        "request_p": int(port) if port.isdigit() else None,
    }


def _text(kind: str, lines: list[Line], *, labels: bool) -> bytes:
    columns = {**COLUMNS[kind], **(_LABELS if labels else {})}
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{kind}"]
    head += ["#fields\t" + "\t".join(columns), "#types\t" + "\t".join(columns.values())]
    rows = []
    for one, line in lines:
        cells = {**line, **dict(zip(_LABELS, one.label, strict=True))}
        rows.append("\t".join(_cell(cells[name], columns[name]) for name in columns))
    return ("\n".join([*head, *rows]) + "\n").encode()


def _cell(value: Any, kind: str) -> str:
    r"""A value as Zeek's ASCII writer has it: separators and controls as \xNN, times in seconds.

    >>> _cell(1_500_000, "time"), _cell(None, "string"), _cell("a\tb", "string"), _cell(["x,y", "z"], "vector[string]")
    ('1.500000', '-', 'a\\x09b', 'x\\x2cy,z')
    """
    if value is None:
        return "-"
    if kind in ("time", "interval"):
        return f"{value // 1_000_000}.{value % 1_000_000:06d}"
    if isinstance(value, list):
        return ",".join(_escaped(str(one)).replace(",", "\\x2c") for one in value)
    text = _escaped(str(value))
    return "(empty)" if kind == "string" and not text else text


def _escaped(text: str) -> str:
    return "".join(f"\\x{ord(c):02x}" if c == "\\" or ord(c) < 32 or ord(c) == 127 else c for c in text)
