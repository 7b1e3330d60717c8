"""Frames with their new addresses, ports and hardware addresses, and checksums that are valid whatever they were.

A block is one buffer in which every frame begins at an even place, so that checksums sum words. Payload is left alone
but for the addresses that DNS answers say. Fragments cannot be summed: their checksum is carried over (RFC 1624).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

from lab.replaying.addressing import Mapped
from lab.replaying.checksums import Bytes, Int64, complement, put, sums, swapped
from lab.replaying.dns_answers import addresses_in
from lab.replaying.source import ICMPV6, TCP, UDP, Source

HEADER = 14  # Ethernet II
LEAST = 60  # bytes of a frame without its check sequence (IEEE 802.3); shorter ones are filled up by hardware
ROOM = 8  # zeros behind each frame, at least
_DNS = (53, 5353)
_CHECK = {TCP: 16, UDP: 6, ICMPV6: 2}
LOCAL, REMOTE = "02:00:00:00:00:01", "02:00:00:00:00:02"  # where a capture has no Ethernet: who asks, who answers


@dataclass(frozen=True)
class Block:
    """Frames in a buffer: each begins at ``begin`` and has ``size`` bytes."""

    buffer: Bytes
    begin: Int64
    size: Int64


@dataclass(frozen=True)
class Rewriting:
    """What becomes of addresses and hardware addresses in a replay."""

    mapped: Mapped
    macs: Mapping[str, str]

    @cached_property
    def _four(self) -> Bytes:
        return _packed(self.mapped.after, 4)

    @cached_property
    def _sixteen(self) -> Bytes:
        return _packed(self.mapped.after, 16)

    @cached_property
    def _said(self) -> dict[bytes, bytes]:
        """Packed addresses that DNS may say, and what they become."""
        return self.mapped.says()

    def block(self, source: Source) -> Block:
        """The frames of some rows of a source, ready to be sent."""
        laid, shift = _laid(source)
        net = np.where(source.net >= 0, laid.begin + source.net + shift, -1)
        transport = np.where(source.transport >= 0, laid.begin + source.transport + shift, -1)
        end = np.where(source.transport >= 0, laid.begin + source.end + shift, -1)
        end = np.minimum(end, laid.begin + laid.size)
        before = _pseudo(laid.buffer, source, net, transport)
        self._hardware(laid, source)
        self._network(laid.buffer, source, net)
        if self._said or any(old != new for old, new in self.mapped.rules):
            self._answers(laid.buffer, source, transport, end)
        _version_4(laid.buffer, net[(net >= 0) & ~source.six & ~source.arp])
        _transport(laid.buffer, source, (net, transport, end))
        _first_fragments(laid.buffer, source, (net, transport), before)
        return laid

    def _network(self, buffer: Bytes, source: Source, net: Int64) -> None:
        four = np.flatnonzero((net >= 0) & ~source.six & ~source.arp)
        _spread(buffer, net[four] + 12, self._four[source.source[four]])
        _spread(buffer, net[four] + 16, self._four[source.target[four]])
        six = np.flatnonzero((net >= 0) & source.six)
        _spread(buffer, net[six] + 8, self._sixteen[source.source[six]])
        _spread(buffer, net[six] + 24, self._sixteen[source.target[six]])
        arp = np.flatnonzero(source.arp)
        _spread(buffer, net[arp] + 14, self._four[source.source[arp]])
        _spread(buffer, net[arp] + 24, self._four[source.target[arp]])

    def _hardware(self, laid: Block, source: Source) -> None:
        places = [laid.begin, laid.begin + 6]
        arp = np.flatnonzero(source.arp)
        net = laid.begin[arp] + source.net[arp]
        places += [net + 8, net + 18] if len(arp) else []
        for at in places:
            had = _gathered(laid.buffer, at, 6)
            for old, new in self.macs.items():
                was, becomes = (np.array([int(part, 16) for part in mac.split(":")], np.uint8) for mac in (old, new))
                hit = at[(had == was).all(axis=1)]
                _spread(laid.buffer, hit, np.broadcast_to(becomes, (len(hit), 6)))

    def _answers(self, buffer: Bytes, source: Source, transport: Int64, end: Int64) -> None:
        """The mapped addresses that whole DNS messages say; one of several TCP segments is left as it is."""
        ported = np.isin(source.source_port, _DNS) | np.isin(source.target_port, _DNS)
        for row in np.flatnonzero(ported & (transport >= 0) & ~source.fragment).tolist():
            at = int(transport[row])
            at += 8 if source.protocol[row] == UDP else (int(buffer[at + 12]) >> 4) * 4 + 2
            message = buffer[at : int(end[row])].tobytes()
            for place, size in addresses_in(message):
                old = message[place : place + size]
                new = self._said.get(old) or self.mapped.said(old)
                if new != old:
                    buffer[at + place : at + place + size] = np.frombuffer(new, np.uint8)


def _packed(addresses: tuple[str, ...], width: int) -> Bytes:
    parsed = [ip_address(one).packed for one in addresses]
    rows = [packed if len(packed) == width else bytes(width) for packed in parsed]
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, width)


def _laid(source: Source) -> tuple[Block, Int64]:
    """The frames as captured, with an Ethernet header before those that have none; how far that moves them."""
    bare = ~source.ethernet & (source.net >= 0)
    skipped = np.where(bare, source.net, 0)
    shift = np.where(bare, HEADER - source.net, 0)
    size = np.maximum(source.size, source.length) + shift
    slot = (np.maximum(size, LEAST) + ROOM + 7) // 8 * 8
    begin = np.cumsum(slot) - slot
    pieces: list[bytes] = []
    data = source.file.spans(source.at + skipped, source.at + source.size)
    which = zip(bare.tolist(), source.six.tolist(), source.asks.tolist(), strict=True)
    heads = [_ethernet(six=six, asks=asks) if no else b"" for no, six, asks in which]
    for head, frame, room in zip(heads, data, slot.tolist(), strict=True):
        pieces += (head, frame, bytes(room - len(head) - len(frame)))
    buffer = np.frombuffer(bytearray(b"".join(pieces)), np.uint8)
    return Block(buffer, begin, size), shift


def _ethernet(*, six: bool, asks: bool) -> bytes:
    ends = [bytes.fromhex(mac.replace(":", "")) for mac in ((REMOTE, LOCAL) if asks else (LOCAL, REMOTE))]
    return b"".join(ends) + (b"\x86\xdd" if six else b"\x08\x00")


def _gathered(buffer: Bytes, at: Int64, width: int) -> Bytes:
    rows: Bytes = buffer[at[:, None] + np.arange(width)]
    return rows


def _spread(buffer: Bytes, at: Int64, rows: Bytes) -> None:
    buffer[at[:, None] + np.arange(rows.shape[1])] = rows


def _version_4(buffer: Bytes, net: Int64) -> None:
    """The header checksums of IPv4 (RFC 791)."""
    if not len(net):
        return
    put(buffer, net + 10, np.zeros(len(net), np.uint16))
    put(buffer, net + 10, complement(sums(buffer, net, net + (buffer[net] & 15).astype(np.int64) * 4)))


def _pseudo(buffer: Bytes, source: Source, net: Int64, transport: Int64) -> Int64:
    """The sum of the addresses of each datagram that has a transport header; 0 for others."""
    total = np.zeros(len(net), np.int64)
    for six, first, behind in ((False, 12, 20), (True, 8, 40)):
        rows = np.flatnonzero((transport >= 0) & (source.six == six))
        if len(rows):
            total[rows] = sums(buffer, net[rows] + first, net[rows] + behind)
    return total


def _unsummed(buffer: Bytes, source: Source, transport: Int64) -> NDArray[np.bool_]:
    """Datagrams whose sender made no checksum, as UDP over IPv4 may (RFC 768): they stay so."""
    udp = (source.protocol == UDP) & ~source.six & (transport >= 0)
    out = np.zeros(len(udp), np.bool_)
    rows = np.flatnonzero(udp)
    out[rows] = buffer.view("<u2")[(transport[rows] + 6) // 2] == 0
    return out


def _transport(buffer: Bytes, source: Source, places: tuple[Int64, Int64, Int64]) -> None:
    """The checksums of whole TCP segments, UDP datagrams and ICMPv6 messages, over their pseudo headers."""
    net, transport, end = places
    rows = np.flatnonzero((transport >= 0) & ~source.fragment & ~_unsummed(buffer, source, transport))
    if not len(rows):
        return
    at = transport[rows] + _where_check(source.protocol[rows])
    put(buffer, at, np.zeros(len(rows), np.uint16))
    length = end[rows] - transport[rows]
    total = sums(buffer, transport[rows], end[rows]) + _pseudo(buffer, source, net, transport)[rows]
    _put_check(buffer, source.protocol[rows], at, total + swapped(source.protocol[rows]) + swapped(length))


def _first_fragments(buffer: Bytes, source: Source, places: tuple[Int64, Int64], before: Int64) -> None:
    """What the checksum in a first fragment becomes when only addresses changed: HC' = ~(~HC + ~m + m')."""
    net, transport = places
    rows = np.flatnonzero((transport >= 0) & source.fragment & ~_unsummed(buffer, source, transport))
    if not len(rows):
        return
    at = transport[rows] + _where_check(source.protocol[rows])
    had = buffer.view("<u2")[at // 2].astype(np.int64)
    change = _pseudo(buffer, source, net, transport)[rows] - before[rows]
    _put_check(buffer, source.protocol[rows], at, (0xFFFF - had) + change % 0xFFFF)


def _where_check(protocol: Int64) -> Int64:
    return np.select([protocol == number for number in _CHECK], list(_CHECK.values()))


def _put_check(buffer: Bytes, protocol: Int64, at: Int64, total: Int64) -> None:
    check = complement(total)
    put(buffer, at, np.where((protocol == UDP) & (check == 0), np.uint16(0xFFFF), check))
