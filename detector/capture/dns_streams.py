"""DNS messages in the streams of TCP port 53 (RFC 1035 section 4.2.2: each behind its length).

A stream, one direction of a flow, is read in order of sequence numbers and without repeats, up to its first hole or
cut packet and at most as far as MAX_STREAMED allows. Port 853 is TLS: there is nothing to read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from detector.capture.flows import DNS_PORT, Flows, Ints
from detector.capture.heads import groups, pieces
from detector.capture.mapped import MappedFile
from detector.capture.names import split_tcp
from detector.capture.packets import TCP
from detector.capture.streams import Slots, Stream

#: Bytes read of all streams upward, and as many of all downward; where they do not suffice, the longest are cut.
MAX_STREAMED = 16 << 20

#: One DNS message: its flow's slot, microseconds since the epoch, whether upward, its size, its bytes.
Sent: TypeAlias = tuple[int, int, bool, int, bytes]


def streamed(flows: Flows, file: MappedFile, most: int = MAX_STREAMED) -> tuple[list[Sent], int]:
    """The messages by flow and time, and how many streams could not be read to their end.

    The time of a message is that of the segment in which it begins, as the length in front of it does.
    """
    packets, starts = flows.packets, flows.starts
    ports = (packets.sport[starts] == DNS_PORT) | (packets.dport[starts] == DNS_PORT)
    slots = np.flatnonzero(ports & (packets.proto[starts] == TCP)).astype(np.int32)
    found: list[Sent] = []
    cut = 0
    for side, up in ((0, True), (1, False)) if len(slots) else ():
        near = _rows(flows.streams[side], slots)
        if len(near):
            sent, left = _side(flows, side, near, file, most)
            found += ((slot, time, up, len(payload), payload) for slot, time, payload in sent)
            cut += left
    found.sort(key=itemgetter(0, 1))  # stable: at one time the client speaks first
    return found, cut


def _rows(one: Stream, slots: Slots) -> Ints:
    """The rows of some slots; as many steps as these have rows, not as there are rows."""
    begins, ends = np.searchsorted(one.slot, slots), np.searchsorted(one.slot, slots, "right")
    counts = ends - begins
    rows: Ints = np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    return rows


def _side(
    flows: Flows, side: int, near: Ints, file: MappedFile, most: int
) -> tuple[Iterator[tuple[int, int, bytes]], int]:
    """Slot, time and bytes of the messages of one direction, and how many of its streams were cut."""
    one = flows.streams[side]
    starts = groups(one.slot[near])[1]
    whole = np.add.reduceat(one.fresh[near], starts, dtype=np.int64)
    rows, begin, end = pieces(flows.packets, one, near, _fair(whole, most))
    had = np.bincount(np.searchsorted(one.slot[near][starts], one.slot[rows]), end - begin, len(starts))
    time = flows.packets.time[one.row[rows]]
    return _messages(one.slot[rows], time, file.spans(begin, end)), int((had < whole).sum())


def _fair(sizes: Ints, most: int) -> int:
    """The most that each may have for all to keep within ``most``; what small ones leave is for the large.

    >>> _fair(np.array([5, 90, 40]), 100)
    55
    """
    ordered = np.sort(sizes)
    left = most - (np.cumsum(ordered) - ordered)
    share = left // np.arange(len(ordered), 0, -1)
    over = np.flatnonzero(ordered > share)
    return int(share[over[0]]) if len(over) else int(ordered[-1])


def _messages(slots: Slots, times: Ints, payloads: Iterator[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Slot, time and bytes of the messages in streams whose pieces lie one behind the other."""
    opens, starts, _ = groups(slots)
    stops = np.append(starts[1:], len(opens))
    for begin, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        parts = [next(payloads) for _ in range(begin, stop)]
        places = [0, *accumulate(map(len, parts))]
        at = 0
        for message in split_tcp(b"".join(parts)):
            yield int(slots[begin]), int(times[begin + bisect_right(places, at) - 1]), message
            at += 2 + len(message)
