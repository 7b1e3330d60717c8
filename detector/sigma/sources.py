"""Where Sigma's network log sources are in our tables, and which expression each of their fields is. Data, pure.

Field names: Sigma's taxonomy appendix (sigma-specification 2.1) and SigmaHQ's rules for categories, Zeek's logs for its
services, both from memory. Beside them every log source has the columns of its own table, device, uid, package, peer,
and the phone's state: screen_on, locked, foreground (whether the app was). Nothing of a rule's text may come into an
expression: it only chooses among these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from detector.contract import SCHEMAS

TEXT, NUMBER, TRUTH, TEXTS, TIME = "text", "number", "truth", "texts", "time"
WHO = ("device", "uid", "package", "peer")
#: Columns of a flow that are known when it is over.
LATE = frozenset({"end", "packets_up", "packets_down", "bytes_up", "bytes_down", "duration"})

FLOWS = """SELECT * REPLACE (coalesce(inbound, false) AS inbound),
    CASE WHEN inbound THEN client ELSE coalesce(name, server) END AS peer,
    (flows."end" - start) / 1e6 AS duration, start AS began, start AS known, flows."end" AS ended
  FROM flows"""
DNS = """SELECT looked.*, coalesce(carried.device, looked.client) AS device, carried.uid AS uid,
    carried.package AS package, looked.qname AS peer, looked.time AS began, looked.time AS known,
    coalesce(looked.answered, looked.time) AS ended
  FROM dns AS looked
  LEFT JOIN (SELECT flow, device, uid, package FROM flows WHERE NOT inbound) AS carried USING (flow)"""
HTTP = """SELECT asked.*, carried.uid AS uid, carried.package AS package,
    coalesce(asked.host, asked.sni, asked.server) AS peer,
    CASE WHEN asked.sni IS NULL THEN 'http://' ELSE 'https://' END
      || coalesce(asked.host, asked.server) || coalesce(asked.path, '/') AS uri,
    asked.time AS began, asked.time AS known, asked."end" AS ended
  FROM http AS asked ASOF LEFT JOIN (SELECT * FROM flows WHERE NOT inbound) AS carried
    ON asked.device = carried.device AND asked.client = carried.client AND asked.client_port = carried.client_port
    AND asked.server = carried.server AND asked.server_port = carried.server_port AND asked.time >= carried.start"""
_STEM = "split_part(path, '?', 1)"


#: Any of the relations with what the phone was doing when the event began; nothing is known before its first row.
STATED = """SELECT event.*, state.screen_on AS screen_on, state.locked AS locked,
    CASE WHEN state.time IS NOT NULL AND event.uid IS NOT NULL
      THEN coalesce(state.foreground_uid = event.uid, false) END AS foreground
  FROM ({relation}) AS event ASOF LEFT JOIN device_state AS state
    ON event.device = state.device AND event.began >= state.time"""


@dataclass(frozen=True)
class Column:
    """An expression over a log source's relation, of what kind it is, whether it is known late, or is of STATED."""

    sql: str
    kind: str = TEXT
    late: bool = False
    stated: bool = False


@dataclass(frozen=True)
class Source:
    """A log source: its relation, the tables it cannot do without and those it uses where they are, its fields."""

    relation: str
    tables: tuple[str, ...]
    optional: tuple[str, ...]
    fields: Mapping[str, Column] = field(default_factory=dict)


def _kind(column: pa.Field) -> str:
    if column.name in ("time", "start", "end", "answered"):
        return TIME
    if pa.types.is_list(column.type):
        return TEXTS
    if pa.types.is_boolean(column.type):
        return TRUTH
    return NUMBER if pa.types.is_integer(column.type) else TEXT


def _own(table: str) -> dict[str, Column]:
    late = LATE if table == "flows" else LATE | {"answered", "rcode", "answers", "status"}
    found = {one.name: Column(f'"{one.name}"', _kind(one), one.name in late) for one in SCHEMAS[table]}
    state = {name: Column(name, TRUTH, stated=True) for name in ("screen_on", "locked", "foreground")}
    return {**found, **{name: Column(name, NUMBER if name == "uid" else TEXT) for name in WHO}, **state}


def _source(relation: str, table: str, optional: tuple[str, ...], fields: Mapping[str, str | Column]) -> Source:
    own = _own(table)
    more = {name: said if isinstance(said, Column) else own[said] for name, said in fields.items()}
    return Source(relation, (table,), optional, {**own, **more})


_ENDS: dict[str, str | Column] = {
    "src_ip": "client",
    "src_port": "client_port",
    "dst_ip": "server",
    "dst_port": "server_port",
}
_ZEEK_ENDS: dict[str, str | Column] = {
    "id.orig_h": "client",
    "id.orig_p": "client_port",
    "id.resp_h": "server",
    "id.resp_p": "server_port",
}
#: The last two labels of a name; no list of public suffixes, so that all of co.uk is one.
_PARENT = Column("regexp_extract(qname, '([^.]+\\.[^.]+)$', 1)")
_SECONDS = Column("duration", NUMBER, late=True)
_CONNECTION = _source(
    FLOWS,
    "flows",
    (),
    {
        "Image": "package",
        "Initiated": Column("NOT inbound", TRUTH),
        "Protocol": "proto",
        "SourceIp": "client",
        "SourcePort": "client_port",
        "SourceIsIpv6": Column("contains(client, ':')", TRUTH),
        "DestinationIp": "server",
        "DestinationPort": "server_port",
        "DestinationHostname": "name",
        "DestinationIsIpv6": Column("contains(server, ':')", TRUTH),
        "duration": _SECONDS,
    },
)
_FIREWALL = _source(FLOWS, "flows", (), {**_ENDS, "protocol": "proto", "dst_host": "name", "duration": _SECONDS})
_PROXY = _source(
    HTTP,
    "http",
    ("flows",),
    {
        **_ENDS,
        "c-useragent": "user_agent",
        "cs-user-agent": "user_agent",
        "cs-method": "method",
        "cs-host": "host",
        "c-uri": Column("uri"),
        "c-uri-stem": Column(_STEM),
        "c-uri-path": Column(_STEM),
        "cs-uri-stem": Column(_STEM),
        "c-uri-query": Column("nullif(split_part(path, '?', 2), '')"),
        "cs-uri-query": Column("nullif(split_part(path, '?', 2), '')"),
        "c-uri-extension": Column(f"nullif(regexp_extract({_STEM}, '\\.([A-Za-z0-9]+)$', 1), '')"),
        "r-dns": Column("coalesce(host, sni)"),
        "cs-bytes": "bytes_up",
        "sc-bytes": "bytes_down",
        "sc-status": "status",
    },
)
_DNS = _source(
    DNS,
    "dns",
    ("flows",),
    {"src_ip": "client", "dst_ip": "server", "query": "qname", "record_type": "qtype", "answer": "answers"}
    | {"QueryName": "qname", "QueryResults": "answers", "QueryStatus": "rcode", "Image": "package"}
    | {"parent_domain": _PARENT},
)
_ZEEK = {
    "conn": _source(
        FLOWS,
        "flows",
        (),
        {**_ZEEK_ENDS, "service": "app_proto", "duration": _SECONDS}
        | {
            "orig_bytes": "bytes_up",
            "resp_bytes": "bytes_down",
            "orig_pkts": "packets_up",
            "resp_pkts": "packets_down",
        },
    ),
    "ssl": _source(
        f"SELECT * FROM ({FLOWS}) WHERE app_proto IN ('tls', 'quic')",  # noqa: S608 - two constants
        "flows",
        (),
        {**_ZEEK_ENDS, "server_name": "sni", "next_protocol": "alpn"},
    ),
    "dns": _source(
        DNS,
        "dns",
        ("flows",),
        {"id.orig_h": "client", "id.resp_h": "server", "query": "qname", "qtype_name": "qtype"},
    ),
    "http": _source(HTTP, "http", ("flows",), {**_ZEEK_ENDS, "uri": "path", "status_code": "status"}),
}
#: Log sources by category, and Zeek's by service.
CATEGORIES: Mapping[str, Source] = {
    "dns": _DNS,
    "dns_query": _DNS,
    "firewall": _FIREWALL,
    "network_connection": _CONNECTION,
    "proxy": _PROXY,
}
SERVICES: Mapping[str, Source] = _ZEEK
PRODUCTS = ("android", "linux", "zeek")


def source_of(category: str | None, product: str | None, service: str | None) -> Source:
    """The tables of a rule's log source; ValueError with those there are for one that we do not have."""
    known = f"category {', '.join(sorted(CATEGORIES))}, or product zeek with service {', '.join(sorted(SERVICES))}"
    said = ", ".join(
        f"{key} {value}"
        for key, value in zip(("category", "product", "service"), (category, product, service), strict=True)
        if value
    )
    if product is not None and product not in PRODUCTS:
        raise ValueError(f"logsource: found {said}, expected no product, or one of {', '.join(PRODUCTS)}")
    if category and category in CATEGORIES and service is None:
        return CATEGORIES[category]
    if product == "zeek" and category is None and service and service in SERVICES:
        return SERVICES[service]
    raise ValueError(f"logsource: found {said}, expected {known}")
