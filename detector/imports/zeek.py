"""Zeek's logs joined by connection: conn gives the flows, dns, ssl, http, quic, socks, websocket say what they were.

A connection that no conn.log tells of (the log is not there, or was cut) is a flow from its first to its last mention,
without counts: those are null, not zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account
from detector.imports.mentions import ENDS, only_mentioned
from detector.imports.moments import microseconds
from detector.imports.sessions import Told
from detector.imports.zeek_conn import conn_columns
from detector.imports.zeek_dns import dns_table
from detector.imports.zeek_kinds import KINDS
from detector.imports.zeek_spoken import spoken

_PROTO = {"ssl": "tcp", "http": "tcp", "socks": "tcp", "websocket": "tcp", "quic": "udp"}


@dataclass(frozen=True)
class Read:
    """One kind of log in one file, and the account its lines are settled on."""

    kind: str
    table: pa.Table
    account: Account


def told(logs: Sequence[Read]) -> Told:
    """The tables of all logs together."""
    by_kind = {kind: [log for log in logs if log.kind == kind] for kind in KINDS}
    tables = {kind: pa.concat_tables([_even(one) for one in read]) for kind, read in by_kind.items() if read}
    if not tables:
        return Told(None)
    if set(tables) == {"dns"}:
        return _lookups_alone(tables["dns"], by_kind["dns"])
    uids = pc.unique(pa.chunked_array([chunk for one in tables.values() for chunk in one["uid"].chunks], pa.string()))
    parts = [_connections(tables["conn"])] if "conn" in tables else []
    bare = _bare(tables, parts[0]["uid"] if parts else pa.chunked_array([[]], pa.string()))
    flows = pa.concat_tables([*parts, bare], promote_options="default")
    flows = flows.append_column("key", pc.index_in(flows["uid"], value_set=uids).cast(pa.int64()))
    flows = spoken(flows, tables)
    others = {}
    if "dns" in tables:
        others["dns"] = dns_table(tables["dns"], uids, flows if "conn" in tables else None)
    _settle(logs, bare)
    return Told(flows.drop_columns(["uid"]), others)


def _even(log: Read) -> pa.Table:
    """The log with every column of its kind, whatever its file lacks."""
    table, columns = log.table, {}
    for name, kind in KINDS[log.kind].items():
        if name in table.column_names:
            columns[name] = table[name]
        else:
            columns[name] = pa.nulls(table.num_rows, _types(kind))
        if kind == "port":
            columns[name] = columns[name].cast(pa.int32())
        if name == "answers" and columns[name].type == pa.string():
            columns[name] = _listed(columns[name])
    return pa.table(columns)


def _types(kind: str) -> pa.DataType:
    return {"text": pa.string(), "bool": pa.bool_(), "count": pa.int64(), "port": pa.int32()}.get(kind, pa.float64())


def _listed(column: Any) -> pa.ChunkedArray:
    r"""Zeek's vector as a list; a comma inside an element is written \x2c."""
    chunks = [pc.split_pattern(chunk, ",") for chunk in column.cast(pa.string()).chunks]
    return pa.chunked_array(chunks, pa.list_(pa.string()))


def _connections(conn: pa.Table) -> pa.Table:
    return pa.table({"uid": conn["uid"], **_ends(conn, conn["proto"]), **conn_columns(conn)})


def _ends(log: pa.Table, proto: Any) -> dict[str, Any]:
    columns = ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
    return {**{name: log[column] for name, column in zip(ENDS, columns, strict=False)}, "proto": proto}


def _bare(tables: Mapping[str, pa.Table], have: Any) -> pa.Table:
    """Connections of the other logs that conn.log does not have: from their first to their last mention."""
    parts = [_mentions(kind, log) for kind, log in tables.items() if kind != "conn"]
    if not parts:
        return _connections(tables["conn"].slice(0, 0))
    return only_mentioned(pa.concat_tables(parts), have.combine_chunks())


def _mentions(kind: str, log: pa.Table) -> pa.Table:
    proto = log["proto"] if "proto" in log.column_names else pa.array([_PROTO[kind]] * log.num_rows, pa.string())
    return pa.table({"uid": log["uid"], **_ends(log, proto), "start": microseconds(log["ts"])})


def _lookups_alone(dns: pa.Table, logs: Sequence[Read]) -> Told:
    """A dns.log by itself: what a resolver's sensor sees."""
    for log in logs:
        _settle_lookups(log)
    return Told(None, {"dns": dns_table(dns, None, None)})


def _settle_lookups(log: Read) -> None:
    asked = log.table.num_rows - log.table["query"].null_count if "query" in log.table.column_names else 0
    log.account.row("dns", asked)
    log.account.leave("look-ups without a name", log.table.num_rows - asked)


def _settle(logs: Sequence[Read], bare: pa.Table) -> None:
    """Every line to its account: a conn line is a flow, a dns line a look-up, the rest told of a flow."""
    made = set(bare["uid"].to_pylist())
    for log in logs:
        count = log.table.num_rows
        if log.kind == "conn":
            log.account.row("flows", count)
        elif log.kind == "dns":
            _settle_lookups(log)
        else:
            fresh = pc.unique(log.table["uid"]).to_pylist() if made else []
            new = sum(1 for uid in fresh if uid in made)
            made.difference_update(fresh)
            log.account.row("flows", new)
            log.account.joined += count - new
