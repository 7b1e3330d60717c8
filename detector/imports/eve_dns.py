"""DNS events of EVE as the dns table: a question and its answer are two events of one flow, told by identifier.

Version 2 (Suricata 5 to 7) writes the question as rrname and rrtype, version 3 (8) as ``queries``. Sizes are not told.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.addresses import canonical_column
from detector.columns import Int64, codes, dense, joined, stable_order, whole
from detector.imports.words import RCODES, lower

_TEXT = pa.string()
DNS = pa.struct(
    {
        "type": _TEXT,
        "id": pa.int64(),
        "rrname": _TEXT,
        "rrtype": _TEXT,
        "rcode": _TEXT,
        "answers": pa.list_(pa.struct({"rdata": _TEXT})),
        "queries": pa.list_(pa.struct({"rrname": _TEXT, "rrtype": _TEXT})),
    }
)
_KEYS = ["flow", "id", "qname", "qtype"]
_ASKED, _ANSWERED = ("query", "request"), ("answer", "response")


def dns_table(events: pa.Table, uids: Any) -> tuple[pa.Table, int]:
    """The look-ups of these events, and how many events were answers that joined their question.

    An answer whose question was not seen is a look-up of its own; events without a name are none.
    """
    dns = events["dns"]
    name, kind = (_question(dns, field) for field in ("rrname", "rrtype"))
    table = pa.table(
        {
            "flow": pc.index_in(events["uid"], value_set=uids).cast(pa.int64()),
            "time": events["start"],
            "client": events["client"],
            "server": events["server"],
            "qname": lower(name),
            "qtype": kind,
            "said": pc.struct_field(dns, "type"),
            "id": pc.struct_field(dns, "id"),
            "rcode": _code(pc.struct_field(dns, "rcode")),
            "answers": _data(pc.struct_field(dns, "answers")),
        }
    )
    table = table.filter(pc.is_valid(table["qname"]))
    asks = pc.is_in(table["said"], value_set=pa.array(_ASKED))
    answers = pc.is_in(table["said"], value_set=pa.array(_ANSWERED))
    asked, answered = table.filter(asks), table.filter(answers)
    place = _answer_of(asked, answered)
    alone = np.setdiff1d(np.arange(answered.num_rows), place[place >= 0])
    rows = [_row(asked, answered, place), _row(answered.take(pa.array(alone)), answered, alone)]
    return pa.concat_tables(rows), int((place >= 0).sum())


def _question(dns: Any, field: str) -> Any:
    """A field of the question in either version."""
    queries = pc.struct_field(dns, "queries")
    some = pc.if_else(pc.greater(pc.list_value_length(queries), 0), queries, None)
    return pc.coalesce(pc.struct_field(dns, field), pc.struct_field(pc.list_element(some, 0), field))


def _code(column: Any) -> Any:
    """The number of a response code; null for one without a name here."""
    names = pa.array(list(RCODES.values()), _TEXT)
    return pa.array(list(RCODES), pa.int32()).take(pc.index_in(column, value_set=names))


def _data(column: Any) -> Any:
    """The texts of the answers; an empty list where there are none."""
    lists = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    flat = canonical_column(pc.fill_null(pc.struct_field(lists.flatten(), "rdata"), ""))
    lengths = np.asarray(pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False), np.int64)
    edges = np.append(0, np.cumsum(lengths))
    return pa.ListArray.from_arrays(pa.array(edges, pa.int32()), flat)


def _answer_of(asked: pa.Table, answered: pa.Table) -> Int64:
    """(n,) the row of the answer to each question, by flow, identifier and name, in the order they were said; -1."""
    both = pa.concat_tables([asked.select(_KEYS), answered.select(_KEYS)])
    names = [codes(both[name]).code for name in ("qname", "qtype")]
    key = dense(whole(both["flow"]), whole(both["id"]), *names)
    turn = _turns(key[: len(asked)]), _turns(key[len(asked) :])
    most = max((int(one.max(initial=0)) for one in turn), default=0) + 1
    return joined(key[len(asked) :] * most + turn[1], key[: len(asked)] * most + turn[0])


def _turns(key: Int64) -> Int64:
    """(n,) how many of the same key stand before each."""
    order = stable_order(key)
    first = np.diff(key[order], prepend=-1) != 0
    place = np.arange(len(key))
    turn = np.empty(len(key), np.int64)
    turn[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return turn


def _row(asked: pa.Table, answered: pa.Table, place: Int64) -> pa.Table:
    """Rows of the dns table: the question, and what the answer in that place says."""
    rows = pa.array(place, mask=place < 0)
    names = ("flow", "time", "client", "server", "qname", "qtype")
    columns = {name: asked[name] for name in names}
    columns["answered"] = answered["time"].take(rows)
    columns["rcode"] = answered["rcode"].take(rows)
    empty = pa.scalar([], pa.list_(_TEXT))
    lists = answered["answers"].take(rows).combine_chunks()
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    columns["answers"] = pc.coalesce(lists, empty)
    for name in ("bytes_up", "bytes_down"):
        columns[name] = pa.nulls(asked.num_rows, pa.int64())
    order = ("flow", "time", "answered", *names[2:], "rcode", "answers", "bytes_up", "bytes_down")
    return pa.table({name: columns[name] for name in order})
