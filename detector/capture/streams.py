"""What each packet adds to its direction of a flow: repeated and overlapping TCP bytes count once.

The bytes of a direction are the union of its segments in sequence space (RFC 9293), followed through wrap-around
segment by segment. Datagrams simply stand one behind the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Slots = NDArray[np.int32]


@dataclass(frozen=True)
class Stream:
    """The payload packets of one direction of all flows, by flow and then by place in the stream.

    ``row`` is the packet's place among those given, ``slot`` its flow, ``begin`` where its payload starts counted
    from the flow's first byte, ``skip`` how many of its bytes came before, ``fresh`` how many are new.
    ``gap`` marks a packet that does not join on to what came before it.
    """

    row: Ints
    slot: Slots
    begin: Ints
    skip: NDArray[np.uint32]
    fresh: NDArray[np.uint32]
    gap: NDArray[np.bool_]


@dataclass(frozen=True)
class Segments:
    """Payload packets of one direction by flow and time; ``origin`` per row: the flow's first sequence number.

    ``known`` is False where no SYN told the origin; ``tcp`` where the payload is a datagram.
    """

    row: Ints
    slot: Slots
    tcp: NDArray[np.bool_]
    seq: NDArray[np.uint32]
    size: Ints
    origin: NDArray[np.uint32]
    known: NDArray[np.bool_]


def stream(given: Segments) -> Stream:
    """The segments put in order, each with what it adds."""
    if not len(given.row):
        none, empty = np.zeros(0, np.int64), np.zeros(0, np.uint32)
        return Stream(none, given.slot, none, empty, empty, none.astype(bool))
    opens = np.ones(len(given.slot), bool)
    opens[1:] = given.slot[1:] != given.slot[:-1]
    starts = np.flatnonzero(opens)
    group = np.cumsum(opens) - 1
    begin = _positions(given, opens, starts, group)
    end = begin + given.size
    begin = np.where(given.known, np.maximum(begin, 0), begin)  # before the SYN: keep-alive, or not this stream
    end = np.maximum(end, begin)
    before = _reached(begin, end, opens, starts, group)
    late = begin < before
    row = given.row
    if late.any():
        order = _by_place(late, starts, group, begin)
        row, begin, end = row[order], begin[order], end[order]
        before = _reached(begin, end, opens, starts, group)
    size = given.size if row is given.row else given.size[order]
    clipped = np.maximum(begin, before)
    fresh = np.maximum(end - clipped, 0)
    skip = (size - fresh).astype(np.uint32)
    return Stream(row, given.slot, begin, skip, fresh.astype(np.uint32), (begin > before) & ~opens)


def _positions(given: Segments, opens: NDArray[np.bool_], starts: Ints, group: Ints) -> Ints:
    """Where each payload begins in its stream: differences of sequence numbers, added up, so that they may wrap."""
    step = np.zeros(len(opens), np.int64)
    step[1:] = (given.seq[1:] - given.seq[:-1]).view(np.int32)
    behind = np.zeros(len(opens), np.int64)
    behind[1:] = given.size[:-1]
    step = np.where(given.tcp, step, behind)
    opening = (given.seq[starts] - given.origin[starts]).view(np.int32)
    step[starts] = np.where(given.tcp[starts] & given.known[starts], opening, 0)
    place = np.cumsum(step)
    return place - (place[starts] - step[starts])[group]


def _reached(begin: Ints, end: Ints, opens: NDArray[np.bool_], starts: Ints, group: Ints) -> Ints:
    """The furthest end before each packet in its stream; the first packet's own begin.

    One running maximum serves all streams: each is lifted above the one before. The spans add up to less than
    2**31 per packet, so 64 bits never overflow.
    """
    least, most = np.minimum.reduceat(begin, starts), np.maximum.reduceat(end, starts)
    span = most - least + 1
    lift = (np.cumsum(span) - span - least)[group]
    reached = np.maximum.accumulate(end + lift)
    out = np.empty_like(begin)
    out[1:] = reached[:-1] - lift[1:]
    out[opens] = begin[opens]
    return out


def _by_place(late: NDArray[np.bool_], starts: Ints, group: Ints, begin: Ints) -> Ints:
    """The order by place of all streams in which some packet was late; ties keep their order in time."""
    order = np.arange(len(late))
    moved = np.flatnonzero(np.logical_or.reduceat(late, starts)[group])
    order[moved] = moved[np.lexsort((begin[moved], group[moved]))]
    return order
