"""Suricata's EVE JSON: flow events are the flows, dns, tls, http and quic events say what they were.

Read as written by Suricata 5 to 8 (etc/schema.json of 9.0.0-dev; dns of versions 2 and 3). Every other event (alert,
stats, anomaly, fileinfo) is counted and left: an alert is somebody's verdict and no telemetry. Bytes count frames with
their headers; payload is what the smallest headers leave (headers.py), or nothing where no side ever pushed.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults
from detector.imports.eve_dns import DNS, dns_table
from detector.imports.eve_lines import EventLines
from detector.imports.headers import ETHERNET, payload
from detector.imports.mentions import ENDS, FirstLine, only_mentioned
from detector.imports.moments import iso8601
from detector.imports.objects import read_objects
from detector.imports.opened import Opened
from detector.imports.sessions import Told
from detector.imports.undated import dated
from detector.imports.words import lower

_TEXT, _WHOLE = pa.string(), pa.int64()
_COMMON = (
    *(("timestamp", _TEXT), ("event_type", _TEXT), ("flow_id", _WHOLE)),
    *(("src_ip", _TEXT), ("src_port", _WHOLE), ("dest_ip", _TEXT), ("dest_port", _WHOLE), ("proto", _TEXT)),
)
_COUNTS = ("pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient")
_HTTP = ("hostname", "url", "http_user_agent", "http_method")
#: Of each event that is read, what it carries beside _COMMON.
OBJECTS = {
    "flow": {
        "app_proto": _TEXT,
        "flow": pa.struct({**dict.fromkeys(_COUNTS, _WHOLE), "start": _TEXT, "end": _TEXT}),
        "tcp": pa.struct({"tcp_flags_ts": _TEXT, "tcp_flags_tc": _TEXT}),
    },
    "dns": {"dns": DNS},
    "tls": {"tls": pa.struct({"sni": _TEXT, "ja4": _TEXT, "client_alpns": pa.list_(_TEXT)})},
    "http": {"http": pa.struct({**dict.fromkeys(_HTTP, _TEXT), "status": _WHOLE})},
    "quic": {"quic": pa.struct({"sni": _TEXT, "ja4": _TEXT})},
}
READ = tuple(OBJECTS)
_PROTOCOLS = {"ipv6-icmp": "icmp", "icmpv6": "icmp"}
_UNKNOWN = ("failed", "unknown")
_SYN, _PUSH, _SYN_ACK = 0x02, 0x08, 0x12


def read(log: Opened, account: Account, faults: Faults) -> Told:
    """The flows and look-ups of an EVE file."""
    lines = EventLines.of(memoryview(log.data))
    account.lines = len(lines)
    others, bad = lines.others(READ)
    events, faults_met = {}, [*bad]
    for kind in READ:
        body, numbers = lines.of_kind(kind)
        found = read_objects(body, pa.schema([*_COMMON, *OBJECTS[kind].items()]), 1)
        some = found.table.filter(pc.equal(found.table["event_type"], kind))
        worded = _worded(some, kind)
        events[kind] = dated(worded, worded["start"], some["timestamp"], account, faults)
        faults_met += [(int(numbers[line - 1]), shown, expected) for line, shown, expected in found.faults]
        account.leave(f"lines that only look like eve events {kind}", found.table.num_rows - some.num_rows)
    for kind, count in others.items():
        account.leave(f"eve events {kind}", count)
    account.leave("unreadable", len(faults_met))
    if faults_met:
        faults.many(str(log.path), min(faults_met), len(faults_met))
    return _told(events, account)


def _worded(some: pa.Table, kind: str) -> pa.Table:
    """The events of one kind with uid, ends, time and proto in our words, and the objects they carry."""
    proto = pc.utf8_lower(some["proto"])
    for theirs, ours in _PROTOCOLS.items():
        proto = pc.replace_substring_regex(proto, f"^{theirs}$", ours)
    client = {"client": some["src_ip"], "client_port": some["src_port"].cast(pa.int32())}
    server = {"server": some["dest_ip"], "server_port": some["dest_port"].cast(pa.int32())}
    columns = {"uid": some["flow_id"].cast(_TEXT), **client, **server, "proto": proto}
    told = {name: some[name].combine_chunks() for name in OBJECTS[kind]}
    return pa.table({**columns, "start": iso8601(some["timestamp"]), **told})


def _told(events: dict[str, pa.Table], account: Account) -> Told:
    columns = ["uid", *ENDS, "start"]
    mentions = pa.concat_tables([_turned(events[kind]).select(columns) for kind in READ[1:]])
    bare = only_mentioned(mentions, events["flow"]["uid"].combine_chunks())
    flows = pa.concat_tables([_flows(events["flow"]), bare], promote_options="default")
    uids = pc.unique(flows["uid"])
    flows = flows.append_column("key", pc.index_in(flows["uid"], value_set=uids).cast(_WHOLE))
    flows = _spoken(flows, events)
    account.row("flows", events["flow"].num_rows)
    found, joined = dns_table(_turned(events["dns"]), uids)
    account.row("dns", found.num_rows)
    account.leave("eve events dns without a question", events["dns"].num_rows - found.num_rows - joined)
    account.joined += joined + sum(events[kind].num_rows for kind in ("tls", "http", "quic"))
    return Told(flows.drop_columns(["uid"]), {"dns": found})


def _turned(events: pa.Table) -> pa.Table:
    """Events whose ends are those of the packet, turned so that port 53 is the server's."""
    back = pc.and_(
        pc.is_in(events["client_port"], value_set=pa.array([53, 5353], pa.int32())),
        pc.not_equal(events["client_port"], events["server_port"]),
    )
    back = pc.fill_null(back, False)
    for one, other in (("client", "server"), ("client_port", "server_port")):
        mine, theirs = events[one], events[other]
        events = events.set_column(events.schema.get_field_index(one), one, pc.if_else(back, theirs, mine))
        events = events.set_column(events.schema.get_field_index(other), other, pc.if_else(back, mine, theirs))
    return events


def _flows(events: pa.Table) -> pa.Table:
    """The flow events as flows, not yet saying what they spoke."""
    flow, tcp = events["flow"], events["tcp"]
    told = {name: pc.struct_field(flow, name) for name in ("start", "end", "pkts_toserver", "pkts_toclient")}
    start = pc.coalesce(iso8601(told["start"]), events["start"])
    columns = {"uid": events["uid"], **{name: events[name] for name in ENDS}, "start": start}
    columns["end"] = pc.coalesce(iso8601(told["end"]), start)
    columns["packets_up"], columns["packets_down"] = told["pkts_toserver"], told["pkts_toclient"]
    is_tcp = pc.equal(events["proto"], "tcp")
    flags = {way: _flags(pc.struct_field(tcp, f"tcp_flags_{way}")) for way in ("ts", "tc")}
    both = pc.and_(pc.greater(columns["packets_up"], 0), pc.greater(columns["packets_down"], 0))
    shaken = pc.equal(pc.bit_wise_and(flags["tc"], _SYN_ACK), _SYN_ACK)
    columns["opened"] = pc.if_else(is_tcp, pc.not_equal(pc.bit_wise_and(flags["ts"], _SYN), 0), True)
    columns["established"] = pc.if_else(pc.and_(is_tcp, pc.is_valid(shaken)), shaken, both)
    for way, side, name in (("ts", "toserver", "bytes_up"), ("tc", "toclient", "bytes_down")):
        octets, packets = pc.struct_field(flow, f"bytes_{side}"), pc.struct_field(flow, f"pkts_{side}")
        left = payload(octets, packets, events["proto"], events["client"], frame=ETHERNET)
        silent = pc.and_(is_tcp, pc.equal(pc.bit_wise_and(flags[way], _PUSH), 0))
        columns[name] = pc.if_else(pc.fill_null(silent, False), 0, left)
    app = pc.utf8_lower(events["app_proto"])
    columns["app_proto"] = pc.if_else(pc.is_in(app, value_set=pa.array(_UNKNOWN)), None, app)
    return pa.table(columns)


def _flags(column: Any) -> Any:
    """TCP flags written as two hexadecimal digits; null where there are none."""
    kinds = pc.unique(column).to_pylist()
    values = [_hex(text) for text in kinds]
    return pa.array(values, _WHOLE).take(pc.index_in(column, value_set=pa.array(kinds, _TEXT)))


def _hex(text: str | None) -> int | None:
    try:
        return int(text, 16) & 0xFF if text else None
    except ValueError:
        return None


def _spoken(flows: pa.Table, events: dict[str, pa.Table]) -> pa.Table:
    """The flows with names and requests of the other events."""
    first = {kind: FirstLine(flows["uid"], events[kind]) for kind in ("tls", "http", "quic")}

    def said(kind: str, name: str) -> Any:
        return pc.struct_field(first[kind].column(kind), name)

    method = said("http", "http_method")
    asked = pc.fill_null(pc.equal(method, "CONNECT"), False)
    status = said("http", "status")
    secret = pc.if_else(asked, None, pc.coalesce(said("tls", "sni"), said("quic", "sni")))
    alpn = pc.list_element(
        pc.if_else(pc.greater(pc.list_value_length(said("tls", "client_alpns")), 0), said("tls", "client_alpns"), None),
        0,
    )
    columns = {
        "sni": lower(secret),
        "alpn": pc.if_else(asked, None, alpn),
        "ja4": pc.if_else(asked, None, pc.coalesce(said("tls", "ja4"), said("quic", "ja4"))),
        "host": lower(said("http", "hostname")),
        "method": method,
        "user_agent": said("http", "http_user_agent"),
        "proxy": pc.if_else(asked, "connect", None),
        "proxy_server": pc.if_else(asked, "server", None),
        "proxy_target": pc.if_else(asked, said("http", "url"), None),
        "proxy_granted": pc.if_else(asked, pc.and_(pc.greater_equal(status, 200), pc.less(status, 300)), None),
    }
    spoke = flows["app_proto"] if "app_proto" in flows.column_names else pa.nulls(flows.num_rows, _TEXT)
    for kind in ("tls", "http", "quic"):
        spoke = pc.coalesce(spoke, pc.if_else(first[kind].knows(), kind, None))
    spoke = pc.if_else(asked, "connect", spoke)
    is_mdns = pc.and_(pc.equal(spoke, "dns"), pc.equal(flows["server_port"], 5353))
    columns["app_proto"] = pc.if_else(pc.fill_null(is_mdns, False), "mdns", spoke)
    flows = flows.drop_columns(["app_proto"]) if "app_proto" in flows.column_names else flows
    for name, column in columns.items():
        flows = flows.append_column(name, column)
    return flows
