"""The first payload bytes of each flow and direction, and the names read from them.

Segments are joined in stream order up to the first hole, cut packet, or MAX_SEGMENTS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.capture.flows import Flows, Ints
from detector.capture.mapped import MappedFile
from detector.capture.names import MAX_BYTES, Names, identify
from detector.capture.packets import TCP, UDP, Packets
from detector.capture.streams import Stream

MAX_SEGMENTS = 8


def first_bytes(flows: Flows, one: Stream, file: MappedFile) -> list[bytes]:
    """Per slot up to MAX_BYTES of what the stream begins with; empty where it carries nothing."""
    heads = [b""] * len(flows)
    rows, begin, end = _pieces(flows.packets, one)
    for slot, first, last in zip(one.slot[rows].tolist(), begin.tolist(), end.tolist(), strict=True):
        heads[slot] += file.bytes(first, last)
    return heads


def _pieces(packets: Packets, one: Stream) -> tuple[Ints, Ints, Ints]:
    """The rows of the stream whose bytes are wanted, and where in the file these begin and end."""
    opens = np.ones(len(one.slot), bool)
    opens[1:] = one.slot[1:] != one.slot[:-1]
    starts = np.flatnonzero(opens)
    group = np.cumsum(opens) - 1
    near = np.flatnonzero(_since(one.fresh > 0, starts, group) <= MAX_SEGMENTS)
    row, group = one.row[near], group[near]
    short = packets.have[row] < packets.size[row]
    broken = one.gap[near].astype(np.int64)
    broken[1:] += short[:-1] & ~opens[near][1:]
    starts = np.flatnonzero(opens[near])
    place = one.begin[near] + one.skip[near]
    place -= place[starts][group] if len(starts) else 0
    size = np.minimum(one.fresh[near], packets.have[row].astype(np.int64) - one.skip[near])
    size = np.minimum(size, MAX_BYTES - place)
    wanted = (_since(broken > 0, starts, group) == 0) & (size > 0) & (one.fresh[near] > 0)
    begin = (packets.at[row] + one.skip[near])[wanted]
    return near[wanted], begin, begin + size[wanted]


def _since(mark: NDArray[np.bool_], starts: Ints, group: Ints) -> Ints:
    """How many marks stand in the group up to and with each row."""
    running = np.cumsum(mark)
    return running - (running[starts] - mark[starts])[group] if len(starts) else running


def names_of(flows: Flows, heads: tuple[list[bytes], list[bytes]]) -> list[Names]:
    """Per slot the names in its first bytes."""
    packets = flows.packets
    upward = flows.up[flows.starts]
    source, target = packets.sport[flows.starts], packets.dport[flows.starts]
    client = np.where(upward, source, target).tolist()
    server = np.where(upward, target, source).tolist()
    spoken = [{TCP: "tcp", UDP: "udp"}.get(number, "") for number in packets.proto[flows.starts].tolist()]
    return [identify(*row) for row in zip(spoken, client, server, *heads, strict=True)]
