"""Who speaks with whom in a capture: one row per five-tuple, gathered part by part, and questions about them.

An endpoint is 48 bits: address number and port. IPv6 addresses are places in a book. Which end is the client: the
sender of the first SYN, or of none the end with the higher port.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from ipaddress import ip_address

import numpy as np
import numpy.typing as npt

from detector.capture.network import AddressBook
from lab.behaviours import Bool, Int32, Int64
from lab.injecting.heads import ACK, RST, SYN, UDP, Heads

PENDING = 1 << 18  # rows that wait before they are summed, or half as many as there are already
_ASKED_LOW, _ASKED_HIGH = 1, 2  # a SYN was seen from the lower, from the higher endpoint
DNS_PORT = 53
Pairs = tuple[Int64, Int64, Int64]


@dataclass(frozen=True)
class Talks:
    """One row per five-tuple; ``low`` and ``high`` are its endpoints, ``kind`` is protocol * 2, + 1 of IPv6."""

    low: Int64
    high: Int64
    kind: npt.NDArray[np.int16]
    first: Int64  # microseconds since the epoch
    last: Int64
    asked: npt.NDArray[np.int8]
    packets_low: Int32  # sent by the lower endpoint
    packets_high: Int32
    bytes_low: Int64
    bytes_high: Int64

    @classmethod
    def of(cls, heads: Heads) -> Talks:
        """The five-tuples of some packets."""
        source, target = heads.src << 16 | heads.sport, heads.dst << 16 | heads.dport
        lower = source <= target
        opens = (heads.flags & (SYN | ACK | RST)) == SYN
        return cls(
            low=np.where(lower, source, target),
            high=np.where(lower, target, source),
            kind=(heads.proto * 2 + heads.v6).astype(np.int16),
            first=heads.time,
            last=heads.time,
            asked=np.where(opens, np.where(lower, _ASKED_LOW, _ASKED_HIGH), 0).astype(np.int8),
            packets_low=lower.astype(np.int32),
            packets_high=(~lower).astype(np.int32),
            bytes_low=np.where(lower, heads.size, 0),
            bytes_high=np.where(lower, 0, heads.size),
        )

    @classmethod
    def joined(cls, several: list[Talks]) -> Talks:
        """All rows of several, and one of each five-tuple."""
        if not several:
            return cls.of(Heads.joined([]))
        if len(several) == 1:
            return several[0].summed()
        return cls(*(np.concatenate([getattr(t, f.name) for t in several]) for f in fields(cls))).summed()

    def part(self, begin: int, end: int) -> Talks:
        """Some of the rows."""
        return Talks(*(getattr(self, one.name)[begin:end] for one in fields(self)))

    def summed(self) -> Talks:
        """One row of each five-tuple."""
        order = np.lexsort((self.high, self.low, self.kind))
        keys = [getattr(self, name)[order] for name in ("low", "high", "kind")]
        new = np.ones(len(order), np.bool_)
        new[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
        starts = np.flatnonzero(new)
        if len(starts) == len(order):
            return self
        how = {"first": np.minimum, "last": np.maximum, "asked": np.bitwise_or}
        summed = {
            one.name: how.get(one.name, np.add).reduceat(getattr(self, one.name)[order], starts)
            for one in fields(self)[3:]
        }
        return Talks(*(key[starts] for key in keys), **summed)

    @cached_property
    def client_low(self) -> Bool:
        """Which have their client at the lower endpoint."""
        higher = (self.low & 0xFFFF) > (self.high & 0xFFFF)
        one_asked = (self.asked == _ASKED_LOW) | (self.asked == _ASKED_HIGH)
        found: Bool = np.where(one_asked, self.asked == _ASKED_LOW, higher)
        return found

    def ends(self) -> tuple[Int64, Int64]:
        """The client's and the server's endpoints."""
        low = self.client_low
        return np.where(low, self.low, self.high), np.where(low, self.high, self.low)


@dataclass
class Census:
    """The five-tuples of a capture, added part by part; ``first`` and ``last`` are times of its packets."""

    book: AddressBook = field(default_factory=AddressBook)
    first: int | None = None
    last: int | None = None
    packets: int = 0
    _waiting: list[Talks] = field(default_factory=list)

    def add(self, heads: Heads, times: Int64) -> None:
        """Counts the packets of a part: those with ``heads``, and the times of all."""
        if len(times):
            low, high = int(times.min()), int(times.max())
            self.first = low if self.first is None else min(low, self.first)
            self.last = high if self.last is None else max(high, self.last)
        self.packets += len(times)
        self._waiting.append(Talks.joined([Talks.of(heads)]))
        if sum(len(some.low) for some in self._waiting[1:]) > max(PENDING, len(self._waiting[0].low) // 2):
            self._waiting = [Talks.joined(self._waiting)]

    def talks(self) -> Talks:
        """The five-tuples so far."""
        if len(self._waiting) != 1:
            self._waiting = [Talks.joined(self._waiting)]
        return self._waiting[0]

    def text(self, v6: bool, number: int) -> str:  # noqa: FBT001 - one half of an address
        """An address as text."""
        return str(self.texts(np.array([v6]), np.array([number]))[0])

    def texts(self, v6: Bool, numbers: Int64) -> npt.NDArray[np.object_]:
        """Addresses as text."""
        books = list(self.book.numbers)
        key, place = np.unique(numbers * 2 + v6, return_inverse=True)
        made = [str(ip_address(books[k >> 1] if k & 1 else k >> 1)) for k in key.tolist()]
        return np.array(made, dtype=object)[place] if made else np.zeros(0, dtype=object)

    def addresses(self) -> set[str]:
        """Every address that sends or is sent to."""
        talks = self.talks()
        numbers = np.concatenate([talks.low, talks.high]) >> 16
        pairs = np.unique(numbers * 2 + np.tile(talks.kind & 1, 2))
        return set(self.texts((pairs & 1).astype(np.bool_), pairs >> 1).tolist())

    def ports(self, address: str) -> set[int]:
        """The ports at which an address speaks."""
        talks, (v6, number) = self.talks(), self.number(address)
        mine = (talks.kind & 1) == v6
        ends = (end[mine & (end >> 16 == number)] & 0xFFFF for end in (talks.low, talks.high))
        return set(np.concatenate(list(ends)).tolist())

    def number(self, address: str) -> tuple[bool, int]:
        """Whether it is of IPv6, and its number; -1 if it is in no packet of IPv6."""
        one = ip_address(address)
        if one.version == 4:
            return False, int(one)
        return True, self.book.numbers.get(one.packed, -1)

    def clients(self) -> list[tuple[str, int]]:
        """Addresses of hosts that ask and are answered, and their packets: private ones first, then the busiest."""
        talks = self.talks()
        asks, _ = talks.ends()
        both = (talks.packets_low > 0) & (talks.packets_high > 0)
        rows = np.flatnonzero(both if both.any() else np.ones(len(both), np.bool_))
        key, place = np.unique((asks[rows] >> 16) * 2 + (talks.kind[rows] & 1), return_inverse=True)
        packets = np.bincount(place, (talks.packets_low + talks.packets_high)[rows], len(key)).astype(np.int64)
        texts = self.texts((key & 1).astype(np.bool_), key >> 1).tolist()
        found = [(text, count) for text, count in zip(texts, packets.tolist(), strict=True) if _somebody(text)]
        return sorted(found, key=lambda one: (not ip_address(one[0]).is_private, -one[1], one[0]))

    def resolver(self, client: str) -> str | None:
        """Whom a client, or if it asks nobody anybody, asks for names over UDP most often."""
        talks, (v6, number) = self.talks(), self.number(client)
        asks, answers = talks.ends()
        dns = ((answers & 0xFFFF) == DNS_PORT) & ((talks.kind >> 1) == UDP) & ((talks.kind & 1) == v6)
        mine = dns & (asks >> 16 == number)
        rows = np.flatnonzero(mine if mine.any() else dns)
        if not len(rows):
            return None
        key, place = np.unique(answers[rows] >> 16, return_inverse=True)
        return self.text(v6, int(key[np.bincount(place).argmax()]))


def _somebody(text: str) -> bool:
    one = ip_address(text)
    return not (one.is_multicast or one.is_unspecified or one.is_loopback or text == "255.255.255.255")
