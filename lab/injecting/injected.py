"""The packets of a recording on their way into a capture: headers as columns, in order of time, pieces of segments.

Only whole TCP and UDP travels; what else a recording holds, fragments too, is counted and left behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from detector.capture.network import AddressBook
from lab.behaviours import Bool, Int64
from lab.injecting.census import Census
from lab.injecting.heads import TCP, Heads, heads
from lab.injecting.parts import parts

WIDTH = 128  # bytes of the longest IP and TCP headers together that are carried
FRAGMENT = 0x3FFF  # of IPv4's flags and offset: more fragments follow, or this is a later one (RFC 791)
LEAST_MSS = 216  # bytes; smaller ones are damage or tests, not habits (RFC 9293 section 3.7.1 has 536 as default)


@dataclass(frozen=True)
class Injected:
    """A recording's packets in order of time; places in ``heads`` are bytes of its capture."""

    heads: Heads
    up: Bool  # sent by one of the recording's devices
    book: AddressBook
    left_behind: int

    @cached_property
    def lanes(self) -> Int64:
        """Per packet the number of its flow and direction."""
        h = self.heads
        keys = [h.src << 16 | h.sport, h.dst << 16 | h.dport, h.proto * 2 + h.v6]
        order = np.lexsort(keys)
        new = np.zeros(len(order), np.bool_)
        new[1:] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in keys])
        found = np.zeros(len(order), np.int64)
        found[order] = np.cumsum(new)
        return found

    @cached_property
    def back(self) -> Int64:
        """Per packet the number of the lane that runs against its own; -1 if nothing does."""
        h, lanes = self.heads, self.lanes
        count = int(lanes.max(initial=-1)) + 1
        first = np.zeros(count, np.int64)
        first[lanes[::-1]] = np.arange(len(lanes))[::-1]
        ends = zip(
            *(getattr(h, name)[first].tolist() for name in ("src", "sport", "dst", "dport", "proto", "v6")), strict=True
        )
        known = {end: lane for lane, end in enumerate(ends)}
        against = [known.get((dst, dport, src, sport, proto, v6), -1) for src, sport, dst, dport, proto, v6 in known]
        return np.array(against, np.int64)[lanes]

    def ends(self, *, source: bool) -> list[str]:
        """Per packet the address it comes from or goes to, as text."""
        return list(Census(self.book).texts(self.heads.v6, self.heads.src if source else self.heads.dst))


def read_injected(capture: Path, devices: Iterable[str]) -> Injected:
    """The packets of a recording's capture; ``devices`` are the addresses of its devices."""
    book, found, packets = AddressBook(), [], 0
    for part in parts(capture):
        some = heads(part, book)
        back = part.place.at - len(part.place.prefix)
        moved = {name: getattr(some, name) + back for name in ("ip", "l4", "payload")}
        found.append(replace(some, row=some.row + part.place.packets, **moved))
        packets += len(part)
    joined = Heads.joined(found)
    joined = joined.take(np.flatnonzero((joined.fragment & FRAGMENT == 0) & (joined.payload - joined.ip <= WIDTH)))
    joined = joined.take(np.argsort(joined.time, kind="stable"))
    numbers = [Census(book).number(address) for address in devices]
    up = np.zeros(len(joined), np.bool_)
    for v6 in (False, True):
        mine = [number for family, number in numbers if family == v6]
        up |= (joined.v6 == v6) & np.isin(joined.src, mine)
    return Injected(joined, up, book, packets - len(joined))


@dataclass(frozen=True)
class Pieces:
    """Packets as they are to be sent: ``source`` is a row of Injected; a segment too long for its path is several."""

    source: Int64
    begin: Int64  # of its payload, how many bytes stand before
    length: Int64
    last: Bool  # of its packet

    def __len__(self) -> int:
        return len(self.source)


def pieces(heads: Heads, limit: Int64) -> Pieces:
    """The packets, TCP segments of more than ``limit`` bytes (-1: any) in several, as a host does."""
    long = (heads.proto == TCP) & (limit >= LEAST_MSS) & (heads.size > limit)
    count = np.where(long, -(-heads.size // np.maximum(limit, 1)), 1)
    source = np.repeat(np.arange(len(heads)), count)
    number = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    begin = np.where(long[source], number * limit[source], 0)
    length = np.where(long[source], np.minimum(heads.size[source] - begin, limit[source]), heads.size[source])
    return Pieces(source, begin, length, number == count[source] - 1)
