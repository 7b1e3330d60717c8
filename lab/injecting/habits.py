"""The manner of a host in a capture: link headers, TTL, IP ids, windows, segment sizes of what it sends and is sent.

Of each kind of packet (class, direction, role) there is a *tape*: the rows of the capture's own packets, flow after
flow, in the order of time. Reading a tape evenly gives values with the shares and the runs that the capture has.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from detector.capture.link import ETHERNET, LINKS, RAW
from lab.behaviours import Bool, Int64
from lab.injecting.heads import ACK, RST, SYN, TCP, Heads
from lab.injecting.parts import Part

UP, DOWN = 0, 1  # sent by the host, sent to it
STREAM, NAMES, DATAGRAM = 0, 1, 2  # classes: TCP, DNS over UDP, other UDP
CLASSES = (STREAM, NAMES, DATAGRAM)
OTHER, OPENING, ANSWER, RESET = 0, 1, 2, 3  # roles: no SYN; SYN; SYN-ACK; RST
DNS_PORT = 53
SHORTEST = 60  # bytes of an Ethernet frame without its check sequence (IEEE 802.3)
TRAILER, TRAILER_MAGIC = 32, bytes.fromhex("01072021")  # PCAPdroid's dump_extensions (its pcap_dump.c)
Key = tuple[int, int, int]  # class, direction, role


def class_of(heads: Heads) -> Int64:
    """Per packet its class."""
    names = (heads.sport == DNS_PORT) | (heads.dport == DNS_PORT)
    return np.where(heads.proto == TCP, STREAM, np.where(names, NAMES, DATAGRAM))


def role_of(heads: Heads) -> Int64:
    """Per packet its role."""
    syn, ack, rst = ((heads.flags & flag) > 0 for flag in (SYN, ACK, RST))
    return np.where(rst, RESET, np.where(syn, np.where(ack, ANSWER, OPENING), OTHER))


@dataclass(frozen=True)
class Tape:
    """Packets of one kind, flow after flow; ``shares`` of TTL are over the same packets."""

    ident: Int64
    fragment: Int64  # only the bit that forbids fragments
    window: Int64
    mss: Int64
    scale: Int64
    ttl: Int64

    @classmethod
    def of(cls, heads: Heads) -> Tape:
        """The packets of one kind as a tape; a window of zero is a moment's, and left out of what is read."""
        flow = (heads.src << 16 | heads.sport) * 1_000_003 + (heads.dst << 16 | heads.dport) * 7 + heads.proto
        order = np.lexsort((heads.time, flow))
        rows = heads.take(order)
        window = rows.window.copy()
        if (window > 0).any():
            spoken = np.maximum.accumulate(np.where(window > 0, np.arange(len(window)), -1))
            window = window[np.where(spoken < 0, np.flatnonzero(window > 0)[0], spoken)]
        return cls(rows.ident, rows.fragment & 0x4000, window, rows.mss, rows.scale, rows.ttl)

    def __len__(self) -> int:
        return len(self.ident)


@dataclass
class Frames:
    """What stands around the IP packets of one direction."""

    headers: Counter[tuple[int, bool, bytes]] = field(default_factory=Counter)  # (class, of IPv6, link header)
    shortest: int = 1 << 30  # bytes of a frame
    trailers: int = 0  # frames that end in PCAPdroid's trailer
    frames: int = 0


@dataclass
class Manner:
    """The habits of one host, or of all hosts of a capture; ``tapes`` are made when all packets were added."""

    link: int = ETHERNET
    snap: int = 0  # bytes at which frames are cut; 0: never
    frames: tuple[Frames, Frames] = field(default_factory=lambda: (Frames(), Frames()))
    seen: dict[Key, list[Heads]] = field(default_factory=dict)

    def add(self, part: Part, heads: Heads, direction: Int64) -> None:
        """Takes note of packets, sent in these directions, of a part."""
        if not len(heads):
            return
        records = part.records
        self.link = int(records.link[0])
        cut = records.caplen < records.length
        self.snap = max(self.snap, int(records.caplen[cut].max())) if cut.any() else self.snap
        kinds, roles = class_of(heads), role_of(heads)
        for way in (UP, DOWN):
            self._frames(part, heads.take(direction == way), way)
        for kind in CLASSES:
            for way in (UP, DOWN):
                for role in (OTHER, OPENING, ANSWER, RESET):
                    rows = np.flatnonzero((kinds == kind) & (direction == way) & (roles == role))
                    if len(rows):
                        self.seen.setdefault((kind, way, role), []).append(heads.take(rows))

    def _frames(self, part: Part, heads: Heads, way: int) -> None:
        around, records = self.frames[way], part.records
        if not len(heads):
            return
        begin, caplen = records.offset[heads.row], records.caplen[heads.row].astype(np.int64)
        key = np.stack([heads.ip - begin, class_of(heads), heads.v6], axis=1)
        for size, kind, v6 in np.unique(key, axis=0).tolist():
            rows = np.flatnonzero((key == (size, kind, v6)).all(axis=1))
            if not size:
                around.headers[kind, bool(v6), b""] += len(rows)
                continue
            found, counts = np.unique(part.file.gather(begin[rows], size).view(f"S{size}").ravel(), return_counts=True)
            for header, count in zip(found.tolist(), counts.tolist(), strict=True):
                around.headers[kind, bool(v6), header.ljust(size, b"\0")] += count
        around.shortest = min(around.shortest, int(caplen.min()))
        magic = part.file.gather(np.maximum(begin + caplen - TRAILER, 0), len(TRAILER_MAGIC))
        around.trailers += int((magic.view("V4").ravel() == np.void(TRAILER_MAGIC)).sum())
        around.frames += len(heads)

    def tapes(self) -> dict[Key, Tape]:
        """The tapes of all kinds of packets that were seen."""
        return {key: Tape.of(Heads.joined(some)) for key, some in self.seen.items()}

    def header(self, way: int, kind: int, *, v6: bool) -> bytes:
        """The usual link header of a direction and class, of the nearest that was seen; else zeros and the type."""
        seen = [
            (one == kind, six == v6, count, header) for (one, six, header), count in self.frames[way].headers.items()
        ]
        if seen:
            return typed(max(seen)[3], self.link, v6=v6)
        return typed(bytes(LINKS[self.link]), self.link, v6=v6)

    @property
    def trailed(self) -> bool:
        """Whether most frames end in PCAPdroid's trailer."""
        return sum(one.trailers for one in self.frames) * 2 > sum(one.frames for one in self.frames)

    def shortest(self, way: int) -> int:
        """The length up to which frames of a direction are filled with zeros; 0: they are not."""
        filled = self.link == ETHERNET and not self.trailed and SHORTEST <= self.frames[way].shortest < 1 << 30
        return SHORTEST if filled else 0


def typed(header: bytes, link: int, *, v6: bool) -> bytes:
    """A link header that says which version of IP follows: EtherType, or the address family of BSD's loopback."""
    kind = b"\x86\xdd" if v6 else b"\x08\x00"
    if link == RAW or not header:
        return header
    if LINKS[link] == 4:
        little = header[0] != 0 or not any(header)
        return (30 if v6 else 2).to_bytes(4, "little" if little else "big")
    if LINKS[link] == 20:
        return kind + header[2:]
    return header[:-2] + kind


def directions(heads: Heads, host: tuple[bool, int] | None) -> Int64:
    """UP or DOWN per packet: of what a host sends or is sent, or of all by their ports; -1 is neither."""
    if host is None:
        return np.where(heads.sport >= heads.dport, UP, DOWN)
    family: Bool = heads.v6 == host[0]
    return np.where(family & (heads.src == host[1]), UP, np.where(family & (heads.dst == host[1]), DOWN, -1))
