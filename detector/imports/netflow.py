"""NetFlow and IPFIX records as flows: the two directions of a connection, and the pieces an exporter cut it into.

A record tells one direction from its first to its last packet, and a long one is cut at the exporter's active timeout.
Records of one pair of endpoints become one flow until it is silent for longer than a capture's reader allows
(detector/capture/flows.py), or until whoever began it sends a SYN again. The client is whoever was seen first; at the
same time, whoever has the higher port. Octets are those of IP packets: payload is what the smallest headers leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.capture.flows import OTHER_IDLE_US, TCP_IDLE_US
from detector.columns import Int64, ordered, whole
from detector.imports.endpoint_pairs import pairs
from detector.imports.headers import payload
from detector.imports.sessions import Told

SYN, PUSH = 0x02, 0x08
COLUMNS = ("start", "end", "client", "client_port", "server", "server_port", "proto", "packets", "octets", "flags")
#: Numbers of IP protocols that have a name in our tables.
NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp", "icmp6": "icmp", "ipv6-icmp": "icmp"}
Flags = npt.NDArray[np.bool_]


def told(records: pa.Table) -> Told:
    """The flows of records with COLUMNS and, for biflows, ``packets_back`` and ``octets_back``."""
    sides = _sides(records)
    order = ordered(sides.pair, sides.start)
    sides = sides.taken(order)
    flow = np.cumsum(_begins(sides)) - 1
    return Told(_flows(records.take(pa.array(order)), sides, flow))


@dataclass(frozen=True)
class _Sides:
    """Records by pair of endpoints, of which ``low`` says whether the lesser endpoint sent them."""

    pair: Int64
    low: Flags
    start: Int64
    end: Int64
    tcp: Flags
    syn: Flags

    def taken(self, rows: Int64) -> _Sides:
        return _Sides(*(column[rows] for column in vars(self).values()))


def _sides(records: pa.Table) -> _Sides:
    pair, low = pairs(records)
    tcp = np.asarray(pc.fill_null(pc.equal(records["proto"], "tcp"), False).to_numpy(), np.bool_)
    syn = (whole(records["flags"], 0) & SYN) != 0
    return _Sides(pair, low, whole(records["start"]), whole(records["end"]), tcp, syn)


def _begins(sides: _Sides) -> Flags:
    """(n,) where a flow begins among the records sorted by pair and start."""
    first = np.diff(sides.pair, prepend=-1) != 0
    group = np.cumsum(first)
    last = _running(sides.end, group)
    gap = np.concatenate(([0], sides.start[1:] - last[:-1])) if len(last) else last
    begins = first | (gap > np.where(sides.tcp, TCP_IDLE_US, OTHER_IDLE_US))
    opener = sides.low[np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))]
    again = sides.tcp & sides.syn & (sides.low == opener)
    result: Flags = begins | again
    return result


def _running(values: Int64, group: Int64) -> Int64:
    """(n,) the greatest value of the group so far."""
    if not len(values):
        return values
    low = int(values.min())
    width = int(values.max()) - low + 1
    if int(group.max()) * width < 1 << 62:
        return np.maximum.accumulate(group * width + values - low) - group * width + low
    out = values.copy()
    for begin, stop in zip(*_bounds(group), strict=True):
        out[begin:stop] = np.maximum.accumulate(values[begin:stop])
    return out


def _bounds(group: Int64) -> tuple[list[int], list[int]]:
    starts = np.flatnonzero(np.diff(group, prepend=-1) != 0)
    return starts.tolist(), [*starts[1:].tolist(), len(group)]


def _flows(records: pa.Table, sides: _Sides, flow: Int64) -> pa.Table:
    """One row per flow: the ends as its opener has them, sums of both directions."""
    heads = np.flatnonzero(np.diff(flow, prepend=-1) != 0)
    if not len(heads):
        return pa.table({name: pa.nulls(0, kind) for name, kind in _EMPTY.items()})
    swap = _swapped(records, sides, flow, heads)
    up = sides.low == (sides.low[heads] ^ swap)[flow]
    ends = {name: records[name].take(pa.array(heads)) for name in COLUMNS[2:7]}
    for one, other in (("client", "server"), ("client_port", "server_port")):
        ends[one], ends[other] = (
            pc.if_else(pa.array(swap), b, a) for a, b in ((ends[one], ends[other]), (ends[other], ends[one]))
        )
    sums = _Sums(records, flow, up, len(heads))
    columns: dict[str, Any] = {"key": pa.array(np.arange(len(heads))), **ends}
    columns["start"] = pa.array(np.minimum.reduceat(sides.start, heads))
    columns["end"] = pa.array(np.maximum.reduceat(sides.end, heads))
    for way in ("up", "down"):
        packets, octets = sums.of("packets", way), sums.of("octets", way)
        columns[f"packets_{way}"] = packets
        columns[f"bytes_{way}"] = payload(octets, packets, ends["proto"], ends["client"])
    columns["established"] = pc.and_(pc.greater(columns["packets_up"], 0), pc.greater(columns["packets_down"], 0))
    return pa.table(columns)


def _swapped(records: pa.Table, sides: _Sides, flow: Int64, heads: Int64) -> Flags:
    """(g,) whether the first record of a flow is the server's: both began at once, and its port is the lower one."""
    tie = np.zeros(len(heads), np.bool_)
    following = heads + 1
    inside = following < len(flow)
    next_ = np.where(inside, following, 0)
    tie[inside] = (flow[next_] == np.arange(len(heads)))[inside]
    tie &= (sides.start[next_] == sides.start[heads]) & (sides.low[next_] != sides.low[heads])
    ports = [whole(records[name], 0)[heads] for name in ("client_port", "server_port")]
    result: Flags = tie & (ports[0] < ports[1])
    return result


@dataclass(frozen=True)
class _Sums:
    """Sums of records by flow and direction; null where no record of the flow tells."""

    records: pa.Table
    flow: Int64
    up: Flags
    count: int

    def of(self, name: str, way: str) -> pa.Array:
        """(g,) packets or octets in that direction."""
        forward = self.up if way == "up" else ~self.up
        known = whole(self.records[name], -1)
        total = np.bincount(self.flow, np.where(forward & (known >= 0), known, 0), self.count)
        told = np.bincount(self.flow, known >= 0, self.count) > 0
        if f"{name}_back" in self.records.column_names:
            back = whole(self.records[f"{name}_back"], 0)
            total += np.bincount(self.flow, np.where(forward, 0, back), self.count)
        return pa.array(total.astype(np.int64), mask=~told)


_EMPTY: dict[str, pa.DataType] = {
    **dict.fromkeys(("key", "start", "end", "packets_up", "packets_down", "bytes_up", "bytes_down"), pa.int64()),
    **dict.fromkeys(("client", "server", "proto"), pa.string()),
    **dict.fromkeys(("client_port", "server_port"), pa.int32()),
    "established": pa.bool_(),
}
