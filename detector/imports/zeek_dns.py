"""Zeek's dns.log as the dns table: one line is a question with its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.imports.moments import microseconds
from detector.imports.words import lower, qtype


def dns_table(dns: pa.Table, uids: Any, flows: pa.Table | None) -> pa.Table:
    """The look-ups that name something; ``flow`` is the place of their connection in ``uids``.

    dns.log has no sizes: where conn.log (in ``flows``) counts a connection with one look-up, its bytes are those.
    """
    dns = dns.filter(pc.is_valid(dns["query"]))
    key = pa.nulls(dns.num_rows, pa.int64()) if uids is None else pc.index_in(dns["uid"], value_set=uids)
    key = key.cast(pa.int64())
    time = microseconds(dns["ts"])
    rtt = np.asarray(dns["rtt"].fill_null(np.nan).to_numpy(), np.float64) * 1e6
    waited = pa.array(np.nan_to_num(np.rint(rtt)).astype(np.int64))
    got = pc.or_(pc.is_valid(dns["rcode"]), pc.is_valid(dns["rtt"]))
    up, down = _sizes(key, flows)
    return pa.table(
        {
            "flow": key,
            "time": time,
            "answered": pc.if_else(got, pc.add(time, waited), None),
            "client": dns["id.orig_h"],
            "server": dns["id.resp_h"],
            "qname": pc.coalesce(lower(dns["query"]), ""),
            "qtype": qtype(dns["qtype"], dns["qtype_name"]),
            "rcode": dns["rcode"].cast(pa.int32()),
            "answers": _answers(dns["answers"]),
            "bytes_up": up,
            "bytes_down": down,
        }
    )


def _answers(column: pa.ChunkedArray) -> pa.Array:
    """An empty list where nothing was answered."""
    lists = column.combine_chunks()
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    return pc.coalesce(lists, pa.scalar([], pa.list_(pa.string())))


def _sizes(key: Any, flows: pa.Table | None) -> tuple[Any, Any]:
    """Payload bytes up and down of each look-up that is alone in its connection; null for the others."""
    if flows is None:
        return pa.nulls(len(key), pa.int64()), pa.nulls(len(key), pa.int64())
    counts = pc.value_counts(key)
    alone = counts.field("values").filter(pc.equal(counts.field("counts"), 1))
    place = pc.index_in(key, value_set=pc.drop_null(alone))
    row = pc.index_in(alone, value_set=flows["key"].combine_chunks()).take(place)
    return flows["bytes_up"].take(row), flows["bytes_down"].take(row)
