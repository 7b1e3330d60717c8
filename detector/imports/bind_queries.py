"""BIND's query log (category queries): who asked for what, without answers: what a resolver sees.

Lines as BIND 9 writes them, with times as print-time iso8601-utc, iso8601 or local (its manual, from memory); the last
two are taken as UTC, since no offset is written.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.account import Account, Faults
from detector.imports.moments import iso8601
from detector.imports.opened import Opened
from detector.imports.sessions import Told
from detector.imports.words import lower

_LINE = (
    r"^(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?)?"
    r"(?P<old>\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?)?"
    r" .*client (?:@0x[0-9a-f]+ )?(?P<client>[0-9a-fA-F.:]+)#\d+ .*: query: (?P<qname>\S+) IN (?P<qtype>\S+) \S+"
    r"(?: \((?P<server>[0-9a-fA-F.:]+)\))?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read(log: Opened, account: Account, faults: Faults) -> Told:
    """The look-ups of a query log; lines of other categories are left."""
    lines = [line for line in bytes(log.data).decode("utf-8", "replace").split("\n") if line.strip()]
    texts = pa.array(lines, pa.string())
    asked = pc.match_substring(texts, " query: ")
    parts = pc.extract_regex(texts, pattern=_LINE)
    time = pc.coalesce(iso8601(pc.struct_field(parts, "iso")), iso8601(_isoed(pc.struct_field(parts, "old"))))
    good, wrong = pc.is_valid(time), pc.and_(asked, pc.is_null(time))
    account.lines = len(lines)
    account.leave("lines that are no queries", len(lines) - pc.sum(asked.cast(pa.int64())).as_py())
    bad = pc.indices_nonzero(wrong).to_pylist()
    if bad:
        account.leave("unreadable", len(bad))
        first = (_number(log, lines[bad[0]]), repr(lines[bad[0]][:60]), "a time, a client, query: NAME IN TYPE FLAGS")
        faults.many(str(log.path), first, len(bad))
    kept = {name: pc.struct_field(parts, name).filter(good) for name in ("client", "server", "qname", "qtype")}
    account.row("dns", len(kept["client"]))
    return Told(None, {"dns": _table(time.filter(good), kept)})


def _isoed(column: Any) -> Any:
    """01-Apr-2022 12:02:47.763 as 2022-04-01 12:02:47.763."""
    texts = column
    for number, month in enumerate(_MONTHS, 1):
        texts = pc.replace_substring_regex(texts, rf"^(\d\d)-{month}-(\d{{4}})", rf"\2-{number:02d}-\1")
    return texts


def _number(log: Opened, line: str) -> int:
    return log.lines_before(max(bytes(log.data).find(line.encode()), 0)) + 1


def _table(time: Any, kept: dict[str, Any]) -> pa.Table:
    count = len(time)
    server = pc.if_else(pc.equal(kept["server"], ""), None, kept["server"])
    unknown = {"answered": pa.int64(), "rcode": pa.int32(), "bytes_up": pa.int64(), "bytes_down": pa.int64()}
    columns = {
        **{name: pa.nulls(count, kind) for name, kind in unknown.items()},
        "flow": pa.nulls(count, pa.int64()),
        "time": time,
        "client": kept["client"],
        "server": server,
        "qname": pc.coalesce(lower(kept["qname"]), ""),
        "qtype": kept["qtype"],
        "answers": pa.array([[]] * count, pa.list_(pa.string())),
    }
    order = ("flow", "time", "answered", "client", "server", "qname", "qtype", "rcode", "answers")
    return pa.table({name: columns[name] for name in (*order, "bytes_up", "bytes_down")})
