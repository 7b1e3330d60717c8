"""EVE JSON of a recording, as Suricata 7 at the phones' interface would log it: flow, dns (version 2), tls and http.

Keys as in Suricata's etc/schema.json. Bytes count frames with their headers, as Suricata counts them. Nothing from
inside TLS, no alert and nothing of the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from detector.contract import rfc3339
from lab.handing_on.labelled import Labelled
from lab.handing_on.ocsf import present
from lab.handing_on.source import Part, Source, json_lines
from lab.handing_on.zeek_labeled import by_flow, requests

Row = Mapping[str, Any]
_ETHERNET, _IPV4, _IPV6 = 14, 20, 40
#: Header bytes of TCP with timestamps (RFC 7323), as phones send it, and of UDP.
_TRANSPORT = {"tcp": 32, "udp": 8}
_SYN, _PUSH, _ACK = 0x02, 0x08, 0x10
_SPOKEN = {"connect": "http", "websocket": "http", "mdns": "dns", "llmnr": "dns"}
#: What Suricata has a parser for, of what flows speak.
_KNOWN = ("dns", "http", "imap", "mqtt", "quic", "smtp", "ssh", "tls")
#: Response codes by their names (IANA, DNS parameters).
_RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


def parts(source: Source) -> Iterator[Part]:
    """eve.json, in order of time; nothing of a recording without a flow."""
    events = sorted(_events(source), key=lambda event: str(event["timestamp"]))
    if events:
        yield Part("eve.json", json_lines(events))


def _events(source: Source) -> Iterator[dict[str, Any]]:
    flows = by_flow(source)
    for one in source.flows:
        yield _flow(one)
        if one.flow["app_proto"] == "tls":
            tls = {"sni": one.flow["sni"], "ja4": one.flow["ja4"]}
            tls["client_alpns"] = [one.flow["alpn"]] if one.flow["alpn"] else None
            yield _event(one, "tls", one.flow["start"], tls)
        if one.flow["app_proto"] == "quic":
            yield _event(one, "quic", one.flow["start"], {"sni": one.flow["sni"], "ja4": one.flow["ja4"]})
    for one, row in requests(source):
        http = {"hostname": row["host"], "url": row["path"], "http_user_agent": row["user_agent"]}
        yield _event(one, "http", row["time"], {**http, "http_method": row["method"], "status": row["status"]})
    for number, look in enumerate(source.rows("dns")):
        if (asked := flows.get(look["flow"])) is not None:
            yield from _dns(asked, look, number & 0xFFFF)


def _event(one: Labelled, kind: str, time_us: int, told: Row, **more: Any) -> dict[str, Any]:
    flow = one.flow
    ends = {"src_ip": flow["client"], "src_port": flow["client_port"]}
    ends |= {"dest_ip": flow["server"], "dest_port": flow["server_port"], "proto": flow["proto"].upper()}
    head = {"timestamp": _stamp(time_us), "flow_id": flow["flow"] + 1, "event_type": kind, **ends}
    return {**head, **present(more), kind: present(told)}


def _flow(one: Labelled) -> dict[str, Any]:
    flow = one.flow
    spoken = _SPOKEN.get(flow["app_proto"], flow["app_proto"])
    told = {
        "pkts_toserver": flow["packets_up"],
        "pkts_toclient": flow["packets_down"],
        "bytes_toserver": _framed(flow, "up"),
        "bytes_toclient": _framed(flow, "down"),
        "start": _stamp(flow["start"]),
        "end": _stamp(flow["end"]),
        "age": (flow["end"] - flow["start"]) // 1_000_000,
        "alerted": False,
    }
    more = {"app_proto": spoken if spoken in _KNOWN else "failed"}
    if flow["proto"] == "tcp":
        return _event(one, "flow", flow["end"], told, **more, tcp=_flags(flow))
    return _event(one, "flow", flow["end"], told, **more)


def _flags(flow: Row) -> dict[str, str]:
    """TCP flags seen each way, as two hexadecimal digits."""
    up = _SYN | (_ACK if flow["established"] else 0) | (_PUSH if flow["bytes_up"] else 0)
    down = (_SYN | _ACK if flow["established"] else 0) | (_PUSH if flow["bytes_down"] else 0)
    return {"tcp_flags_ts": f"{up:02x}", "tcp_flags_tc": f"{down:02x}"}


def _framed(flow: Row, side: str) -> int | None:
    """Bytes with headers; None where the telemetry counts none."""
    payload, packets = flow[f"bytes_{side}"], flow[f"packets_{side}"]
    if payload is None or packets is None:
        return None
    header = _ETHERNET + (_IPV6 if ":" in flow["client"] else _IPV4) + _TRANSPORT.get(flow["proto"], 0)
    framed: int = payload + packets * header
    return framed


def _dns(one: Labelled, look: Row, number: int) -> Iterator[dict[str, Any]]:
    said = {"version": 2, "id": number, "rrname": look["qname"], "rrtype": look["qtype"]}
    yield _event(one, "dns", look["time"], {"type": "query", **said})
    if look["answered"] is not None:
        answers = [{"rrname": look["qname"], "rdata": text} for text in look["answers"] or ()]
        told = {"type": "answer", **said, "rcode": _RCODES.get(look["rcode"], str(look["rcode"])), "answers": answers}
        yield _event(one, "dns", look["answered"], told)


def _stamp(time_us: int) -> str:
    return rfc3339(time_us).replace("Z", "+0000")
