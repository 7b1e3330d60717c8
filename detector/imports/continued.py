"""Connections that a sensor forgot while they were silent, and then told of again as if they were others.

Suricata and Zeek end a silent TCP connection after minutes; its next packet begins another flow, without a SYN, and
often with its ends swapped. Such a piece goes to the flow before it between the same endpoints, unless the silence was
longer than a capture's reader allows (detector/capture/flows.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.capture.flows import TCP_IDLE_US
from detector.columns import Int64, ordered, whole
from detector.imports.endpoint_pairs import pairs

_COUNTS = (("packets_up", "packets_down"), ("bytes_up", "bytes_down"))


def continued(flows: pa.Table) -> tuple[pa.Table, Mapping[int, int]]:
    """The flows with pieces put together, and the key of the flow that each piece's key became part of.

    ``opened`` is false of TCP flows that did not begin with a SYN, and goes; null or true: whole flows.
    """
    loose = np.asarray(pc.equal(flows["opened"], False).fill_null(False).to_numpy(), np.bool_)
    plain = flows.drop_columns(["opened"])
    if not loose.any():
        return plain, {}
    pair, low = pairs(flows)
    start, end = whole(flows["start"], 0), whole(flows["end"], 0)
    order = ordered(pair, start)
    sorted_pair = pair[order]
    first = np.diff(sorted_pair, prepend=-1) != 0
    before = np.concatenate((end[order][:1], end[order][:-1]))
    piece = loose[order] & ~first & (start[order] - before <= TCP_IDLE_US)
    if not piece.any():
        return plain, {}
    head = np.maximum.accumulate(np.where(piece, 0, np.arange(len(order))))
    rows, heads = order[piece], order[head[piece]]
    keys = whole(flows["key"])
    merged = _merged(plain, rows, heads, low[rows] != low[heads])
    return merged, dict(zip(keys[rows].tolist(), keys[heads].tolist(), strict=True))


def rejoined(table: pa.Table, became: Mapping[int, int]) -> pa.Table:
    """A table whose ``flow`` is a key, with the keys that pieces became part of."""
    if not became or "flow" not in table.column_names:
        return table
    place = pc.index_in(table["flow"], value_set=pa.array(list(became), pa.int64()))
    number = pc.coalesce(pa.array(list(became.values()), pa.int64()).take(place), table["flow"])
    return table.set_column(table.schema.get_field_index("flow"), "flow", number)


def _merged(flows: pa.Table, rows: Int64, heads: Int64, swapped: Any) -> pa.Table:
    """The flows with these rows added to their heads, and gone."""
    count = flows.num_rows
    columns: dict[str, Any] = {name: flows[name] for name in flows.column_names}
    end = whole(flows["end"], 0)
    np.maximum.at(end, heads, end[rows])
    columns["end"] = pa.array(end)
    for up, down in _COUNTS:
        values = [whole(flows[name], -1) for name in (up, down)]
        sums = [np.maximum(one, 0) for one in values]
        unknown = [one < 0 for one in values]
        for way in (0, 1):
            there = np.where(swapped, 1 - way, way)
            np.add.at(sums[way], heads, np.where(there == 0, sums[0][rows], sums[1][rows]))
            np.logical_or.at(unknown[way], heads, np.where(there == 0, values[0][rows], values[1][rows]) < 0)
        columns |= {name: pa.array(sums[k], mask=unknown[k]) for k, name in enumerate((up, down))}
    both = np.asarray(flows["established"].fill_null(False).to_numpy(), np.bool_).copy()
    np.logical_or.at(both, heads, both[rows])
    columns["established"] = pc.if_else(pa.array(both), True, flows["established"])
    kept = np.ones(count, np.bool_)
    kept[rows] = False
    return pa.table({name: columns[name] for name in flows.column_names}).filter(pa.array(kept))
