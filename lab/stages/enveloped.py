"""What an always-on VPN leaves to see: each packet inside becomes one datagram of WireGuard's transport data.

Layout and padding: Donenfeld, WireGuard whitepaper (NDSS 2017), section 5.4.6. The sealed packet is random bytes of the
right length; the receiver's index is that of the tunnel's last handshake, the counter counts since then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from lab.protocols.datagram import RESPONSE
from lab.stages.link import Int64
from lab.stages.segments import SYN, Bool, Packets

Bytes = npt.NDArray[np.uint8]
HEAD = 16  # type, receiver, counter
SEALED = 16  # HEAD and the tag: 32 bytes more than the packet
BLOCK = 16  # a packet is padded to a multiple
MTU = 1420  # of the tunnel, if that of the phone is 1500: neither packet nor padding go beyond
IPV4, IPV6, TCP, UDP, OPTIONS = 20, 40, 20, 8, 12  # bytes; OPTIONS those of a SYN
CHUNK = 1 << 13  # packets sealed at a time
_POOL = 1 << 16


@dataclass
class Envelopes:
    """Packets inside tunnels, one row each, as they come; in the order of time once all have come."""

    mtu: int = MTU
    _parts: list[tuple[Int64, Int64, Bool, Int64]] = field(default_factory=list)

    def add(self, packets: Packets, tunnel: Int64, tcp: Bool, six: Bool) -> Packets:
        """Takes in the packets that travel in a tunnel and gives back the others.

        ``tunnel`` (-1: none), ``tcp`` and ``six`` (IPv6) have a row per conversation of ``packets``.
        """
        carrier = tunnel[packets.conversation]
        inside = carrier >= 0
        if not inside.any():
            return packets
        mine = packets.take(inside)
        over = np.where(tcp[mine.conversation], TCP + OPTIONS * (mine.flags & SYN > 0), UDP)
        packet = np.minimum(np.where(six[mine.conversation], IPV6, IPV4) + over + mine.length, self.mtu)
        padded = np.minimum(-(-packet // BLOCK) * BLOCK, self.mtu)
        self._parts.append((mine.time, carrier[inside], mine.local, HEAD + SEALED + padded))
        return packets.take(~inside)

    def sealed(
        self, columns: list[Mapping[str, npt.NDArray[np.generic]]], spill: BinaryIO, seed: int
    ) -> Iterator[tuple[Packets, Bytes]]:
        """The datagrams with their payload, CHUNK at a time; ``conversation`` is the tunnel's.

        ``columns`` and ``spill`` hold what was laid before, the tunnels' handshakes among it.
        """
        if not self._parts:
            return
        time, tunnel, local, length = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.argsort(time, kind="stable")
        time, tunnel, local, length = time[order], tunnel[order], local[order], length[order]
        session, index = _sessions(columns, spill, tunnel, time)
        counter = _counted(session * 2 + local)
        rng = np.random.default_rng(seed)
        pool = rng.integers(0, 256, _POOL, dtype=np.uint8)
        for first in range(0, len(time), CHUNK):
            rows = slice(first, first + CHUNK)
            receiver = index[session[rows], local[rows].astype(np.int64)]
            offset = np.cumsum(length[rows]) - length[rows]  # lengths are multiples of ALIGN
            payload = _payload(rng, pool, int(length[rows].sum()))
            head = np.zeros((len(receiver), HEAD), dtype=np.uint8)
            head[:, 0] = 4
            head[:, 4:8] = receiver
            head[:, 8:] = counter[rows].astype("<u8").reshape(-1, 1).view(np.uint8)
            payload[offset[:, None] + np.arange(HEAD)] = head
            nothing = np.zeros(len(receiver), dtype=np.int64)
            ident = counter[rows] & 0xFFFF
            yield (
                Packets(tunnel[rows], time[rows], local[rows], nothing, offset, length[rows], nothing, nothing, ident),
                payload,
            )


def _sessions(
    columns: list[Mapping[str, npt.NDArray[np.generic]]], spill: BinaryIO, tunnel: Int64, time: Int64
) -> tuple[Int64, Bytes]:
    """(n,) the session of each packet, and (s, 2, 4) the index by which the phone and the gateway are called in each.

    A session begins when its response arrives; what is earlier belongs to the tunnel's first.
    """
    rows = [
        (int(column["conversation"][k]), int(column["time"][k]), int(column["offset"][k]))
        for column in columns
        for k in np.flatnonzero(np.isin(column["conversation"], np.unique(tunnel)) & (column["length"] == RESPONSE))
    ]
    rows.sort()
    of = np.array([row[0] for row in rows], dtype=np.int64)
    since = np.array([row[1] for row in rows], dtype=np.int64)
    index = np.zeros((len(rows), 2, 4), dtype=np.uint8)
    for k, (_, _, offset) in enumerate(rows):
        spill.seek(offset)
        said = np.frombuffer(spill.read(12), dtype=np.uint8)
        index[k, 1], index[k, 0] = said[4:8], said[8:12]  # the phone writes the gateway's index, and the other way
    start = int(since.min()) if len(since) else 0
    key = (of << 42) + since - start
    found = np.searchsorted(key, (tunnel << 42) + np.maximum(time - start, 0), side="right") - 1
    return np.maximum(found, np.searchsorted(of, tunnel)), index


def _counted(group: Int64) -> Int64:
    """(n,) how many rows of the same group stand before each."""
    order = np.argsort(group, kind="stable")
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return rank


def _payload(rng: np.random.Generator, pool: Bytes, size: int) -> Bytes:
    """``size`` bytes, and a word of zeros: slices of the pool, each from a place of its own."""
    places = rng.integers(0, _POOL, size // _POOL + 1)
    return np.concatenate([*(np.roll(pool, int(place)) for place in places)])[: size + 4].copy()
