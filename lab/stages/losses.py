"""Packets over links that lose some: conversations without a loss stay as they are, the others are played anew.

Seen from the device's interface. Which packets are lost is lab.stages.fates', what TCP makes of it
lab.stages.recovery's, what becomes of datagrams lab.stages.lost_datagrams'. Multicast and the handshakes of an
always-on tunnel are spared; what travels in the tunnel is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import chain

import numpy as np

from lab.network import Network
from lab.stages.fates import Fate, lost_first
from lab.stages.link import ALIGN, GROUPS, Bytes, Int64
from lab.stages.lost_datagrams import MANNERS, Datagram, Manner, left
from lab.stages.recovery import Line, Word, recovered
from lab.stages.seeds import mixed
from lab.stages.segments import ACK, OPTIONS, Bool, Ends, Messages, Packets, identified, isn_of
from lab.stages.transport import Sight
from lab.timeline import ALWAYS_ON, Timeline

_HEADER = 21  # bytes in front of what a QUIC packet hides: flags and the longest connection id
_SALT = 9  # of bytes said again


def manners_of(timeline: Timeline, tcp: Bool) -> Int64:
    """(n,) how each conversation bears a loss; ``tcp`` has a row per conversation."""
    said = timeline.conversations
    spoken = [MANNERS.get(speech.protocol, Manner.PLAIN) for speech in timeline.speeches]
    manner = np.where(tcp, int(Manner.STREAM), np.array(spoken, dtype=np.int64)[said.speech])
    group = np.array([host.address in GROUPS for host in timeline.hosts], dtype=np.bool_)[said.host]
    tunnel = np.array([name == ALWAYS_ON for name in timeline.behaviours], dtype=np.bool_)[said.behaviour]
    return np.where(group | tunnel, int(Manner.SPARED), manner)


def counted(packets: Packets, tcp: Bool) -> Packets:
    """The packets, with a length of 0 where TCP repeats what was seen, or has options instead of payload."""
    length = np.where(packets.flags & OPTIONS > 0, 0, packets.length)
    rows = np.flatnonzero((length > 0) & tcp[packets.conversation])
    _, first = np.unique(packets.offset[rows], return_index=True)
    again = np.ones(len(rows), dtype=np.bool_)
    again[first] = False
    length[rows[again]] = 0
    return replace(packets, length=length)


def lossy(
    network: Network, manner: Int64, ends: Ends, said: Messages, whole: tuple[Packets, Bytes]
) -> tuple[Packets, Bytes]:
    """What the link leaves of a slice: its packets, by conversation and time, and the payload they point into.

    ``whole`` are packets and payload without loss; ``manner`` has a row per conversation of the slice.
    """
    packets, payload = whole
    lost = lost_first(ends.seed, packets.local, packets.conversation, network)
    hit = np.zeros(len(ends.start), dtype=np.bool_)
    hit[packets.conversation[lost]] = True
    hit &= manner != Manner.SPARED
    if not hit.any():
        return packets, payload
    tail = _Tail(len(payload), [])
    again = _Again(network, ends, said, packets, payload, tail)
    parts = [packets.take(~hit[packets.conversation])]
    parts += [again.played(row, Manner(int(manner[row]))) for row in np.flatnonzero(hit).tolist()]
    joined = Packets(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Packets)))
    order = np.lexsort((joined.time, joined.conversation))
    found = joined.take(order)
    return replace(found, ident=identified(ends, found)), tail.behind(payload)


@dataclass
class _Tail:
    """Bytes to stand behind a payload."""

    place: int
    parts: list[bytes]

    def add(self, data: bytes) -> int:
        """Where the bytes will stand."""
        place = self.place
        self.parts.append(data + bytes(-len(data) % ALIGN))
        self.place += len(self.parts[-1])
        return place

    def behind(self, payload: Bytes) -> Bytes:
        """The payload with the bytes, and zeros of ALIGN in the end."""
        return np.concatenate([payload, np.frombuffer(b"".join([*self.parts, bytes(ALIGN)]), dtype=np.uint8)])


@dataclass
class _Again:
    """One slice, conversation by conversation."""

    network: Network
    ends: Ends
    said: Messages
    packets: Packets
    payload: Bytes
    tail: _Tail

    def played(self, row: int, manner: Manner) -> Packets:
        """The packets of a conversation over the link; identifications come later."""
        fate = Fate(int(self.ends.seed[row]), self.network)
        if manner is Manner.STREAM:
            return self._stream(row, recovered(self._line(row), fate))
        rows = slice(*np.searchsorted(self.packets.conversation, [row, row + 1]).tolist())
        columns = (self.packets.time, self.packets.local, self.packets.offset, self.packets.length)
        whole = [Datagram(*values) for values in zip(*(column[rows].tolist() for column in columns), strict=True)]
        rtt, inbound = int(self.ends.rtt[row]), bool(self.ends.inbound[row])
        return self._datagrams(row, left(manner, rtt, whole, fate, inbound=inbound))

    def _line(self, row: int) -> Line:
        ends, said = self.ends, self.said
        first, stop = np.searchsorted(said.conversation, [row, row + 1]).tolist()
        mss, gaps = int(ends.mss[row]), (int(ends.gap_down[row]), int(ends.gap_up[row]))
        columns = (said.start, said.local, said.offset, said.length)
        words = [
            Word(start, start + (length - 1) // mss * gaps[local], local, offset, length)
            for start, local, offset, length in zip(*(one[first:stop].tolist() for one in columns), strict=True)
        ]
        return Line(
            int(ends.start[row]), int(ends.closed[row]), int(ends.rtt[row]), mss, gaps, bool(ends.inbound[row]), words
        )

    def _stream(self, row: int, seen: list[Sight]) -> Packets:
        isn = {local: int(isn_of(self.ends.seed[row : row + 1], salt)[0]) for local, salt in ((True, 1), (False, 2))}
        rows = []
        for one in seen:
            flags, offset, length = one.flags, one.offset, one.length
            if one.holds:
                options = _sack(one.holds, isn[not one.local])
                flags, offset, length = flags | OPTIONS, self.tail.add(options), len(options)
            ack = isn[not one.local] + one.ack if one.flags & ACK else 0
            rows.append((one.time, one.local, flags, offset, length, isn[one.local] + one.seq, ack))
        return _packets(row, rows)

    def _datagrams(self, row: int, seen: list[Datagram]) -> Packets:
        rows = [
            (one.time, one.local, 0, self._said_anew(row, one) if one.again else one.offset, one.length, 0, 0)
            for one in seen
        ]
        return _packets(row, rows)

    def _said_anew(self, row: int, one: Datagram) -> int:
        """Another packet of the same size; one with a long header stays, as its keys are everybody's."""
        data = self.payload[one.offset : one.offset + one.length].copy()
        if data[0] & 0x80 == 0:
            key = mixed(self.ends.seed[row : row + 1] + one.time, _SALT).view(np.uint8)
            data[_HEADER:] ^= np.resize(key, max(0, len(data) - _HEADER))
        return self.tail.add(data.tobytes())


def _packets(row: int, rows: list[tuple[int, bool, int, int, int, int, int]]) -> Packets:
    table = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    time, local, flags, offset, length, seq, ack = table
    of, wrap = np.full(len(time), row, dtype=np.int64), 0xFFFFFFFF
    return Packets(of, time, local.astype(np.bool_), flags, offset, length, seq & wrap, ack & wrap, np.zeros_like(of))


def _sack(holds: Iterable[tuple[int, int]], isn: int) -> bytes:
    """TCP options: two NOPs and a SACK (RFC 2018 section 3), a multiple of four bytes."""
    edges = [((isn + edge) & 0xFFFFFFFF).to_bytes(4, "big") for edge in chain.from_iterable(holds)]
    return bytes([1, 1, 5, 2 + 4 * len(edges)]) + b"".join(edges)
