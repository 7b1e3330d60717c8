"""Injected packets as records of the merged capture: headers patched over arrays, checksums computed anew.

A checksum is the ones' complement of the ones' complement sum of 16-bit words, in any byte order (RFC 1071); over
IPv4 or IPv6 pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1), transport header and payload.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

import numpy as np
import numpy.typing as npt

from detector.capture.link import ETHERNET
from detector.capture.mapped import MappedFile
from lab.behaviours import Bool, Int64
from lab.injecting.guise import Guise
from lab.injecting.habits import CLASSES, DNS_PORT, DOWN, TRAILER_MAGIC, UP, Manner, class_of
from lab.injecting.heads import FIN, LONGEST, PSH, TCP, UDP, Heads, option_places
from lab.injecting.injected import WIDTH, Injected, Pieces
from lab.stages.frames import payload_sums

V4, V6 = 20, 40  # bytes of an IP header
UNKNOWN = -1  # PCAPdroid's uid of whom it does not know
Rows = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Ends:
    """New addresses (n, 16; of IPv4 the first four bytes) and ports of each packet of Injected."""

    source: Rows
    target: Rows
    sport: Int64
    dport: Int64


@dataclass(frozen=True)
class Frames:
    """All that the records of the injected packets are made of; ``time`` is the new one of each piece."""

    file: MappedFile
    injected: Injected
    pieces: Pieces
    guise: Guise
    ends: Ends
    time: Int64
    manner: Manner
    owners: tuple[tuple[int, str], ...] = ()  # uid and label per packet, where frames say them
    answers: Mapping[bytes, bytes] = field(default_factory=dict)  # rdata of DNS answers that changes

    def records(self, begin: int, end: int) -> list[bytes]:
        """The records, header and frame, of some pieces."""
        part = Pieces(*(getattr(self.pieces, name)[begin:end] for name in ("source", "begin", "length", "last")))
        heads = self.injected.heads.take(part.source)
        rows = self.file.gather(heads.ip, WIDTH).copy()
        long = heads.payload - heads.ip
        rows[np.arange(WIDTH) >= long[:, None]] = 0
        payloads = self._payloads(heads, part)
        self._network(rows, heads, part, begin)
        self._transport(rows, heads, part, begin)
        _checksums(rows, heads, part.length, payloads)
        return self._framed(rows, heads, long, payloads, begin)

    def _payloads(self, heads: Heads, part: Pieces) -> list[bytes]:
        at = heads.payload + part.begin
        found = list(self.file.spans(at, at + np.minimum(part.length, np.maximum(heads.have - part.begin, 0))))
        if self.answers:
            for row in np.flatnonzero((heads.proto == UDP) & (heads.sport == DNS_PORT)).tolist():
                for old, new in self.answers.items():
                    found[row] = found[row].replace(old, new)
        return found

    def _network(self, rows: Rows, heads: Heads, part: Pieces, begin: int) -> None:
        guise, every = self._worn(begin, len(part)), np.arange(len(rows))
        long = heads.payload - heads.ip
        kept = (guise["ttl"] < 0) | _grouped(self.ends.target[part.source], heads.v6)
        hop = np.where(heads.v6, 7, 8)
        rows[every, hop] = np.where(kept, rows[every, hop], guise["ttl"])
        four, six = np.flatnonzero(~heads.v6), np.flatnonzero(heads.v6)
        _put(rows, four, 2, long[four] + part.length[four])
        _put(rows, six, 4, long[six] + part.length[six] - V6)
        worn = four[guise["ident"][four] >= 0]
        _put(rows, worn, 4, guise["ident"][worn])
        whole = four[(guise["fragment"][four] >= 0) & (heads.fragment[four] & 0x3FFF == 0)]
        _put(rows, whole, 6, guise["fragment"][whole])
        for place, side in ((0, self.ends.source), (1, self.ends.target)):
            new = side[part.source]
            rows[four, 12 + 4 * place : 16 + 4 * place] = new[four, :4]
            rows[six, 8 + 16 * place : 24 + 16 * place] = new[six]
        rows[four, 10:12] = 0
        check = ~_fold(_masked(rows, 0, heads.l4 - heads.ip))
        rows.view("<u2")[four, 5] = check[four]

    def _transport(self, rows: Rows, heads: Heads, part: Pieces, begin: int) -> None:
        guise, l4 = self._worn(begin, len(part)), heads.l4 - heads.ip
        every = np.arange(len(rows))
        _put(rows, every, l4, self.ends.sport[part.source])
        _put(rows, every, l4 + 2, self.ends.dport[part.source])
        tcp = np.flatnonzero(heads.proto == TCP)
        seq = heads.seq[tcp] + part.begin[tcp]
        _put(rows, tcp, l4[tcp] + 4, seq >> 16 & 0xFFFF)
        _put(rows, tcp, l4[tcp] + 6, seq & 0xFFFF)
        more = tcp[~part.last[tcp]]
        rows[more, l4[more] + 13] &= 0xFF ^ (PSH | FIN)
        shown = tcp[guise["window"][tcp] >= 0]
        _put(rows, shown, l4[shown] + 14, guise["window"][shown])
        syn = tcp[(guise["mss"][tcp] >= 0) | (guise["scale"][tcp] >= 0)]
        header = rows[syn[:, None], np.minimum(l4[syn, None] + np.arange(LONGEST), WIDTH - 1)].astype(np.int64)
        places = option_places(header, heads.payload[syn] - heads.l4[syn])
        mss, scale = (place + l4[syn] for place in places.values())
        said = (places[2] >= 0) & (guise["mss"][syn] >= 0)
        _put(rows, syn[said], mss[said] + 2, guise["mss"][syn[said]])
        said = (places[3] >= 0) & (guise["scale"][syn] >= 0)
        rows[syn[said], scale[said] + 2] = guise["scale"][syn[said]]

    def _worn(self, begin: int, count: int) -> dict[str, Int64]:
        return {name: column[begin : begin + count] for name, column in vars(self.guise).items()}

    def _framed(self, rows: Rows, heads: Heads, long: Int64, payloads: list[bytes], begin: int) -> list[bytes]:
        """The records: link header as the capture's, IP packet, filling or trailer, cut where the capture is cut."""
        source = self.pieces.source[begin : begin + len(rows)]
        target, snap = self.ends.target[source], self.manner.snap or 1 << 20
        ways = np.where(self.injected.up[source], UP, DOWN)
        keys = [(way, kind, v6) for way in (UP, DOWN) for kind in CLASSES for v6 in (False, True)]
        links = {(way, kind, v6): self.manner.header(way, kind, v6=v6) for way, kind, v6 in keys}
        fill = {way: self.manner.shortest(way) for way in (UP, DOWN)}
        grouped, flat = _grouped(target, heads.v6), rows.tobytes()
        found = []
        columns = (ways, class_of(heads), heads.v6, grouped, long, self.time[begin : begin + len(rows)], source)
        for row, (way, kind, v6, group, length, time, packet) in enumerate(
            zip(*(c.tolist() for c in columns), strict=True)
        ):
            link = links[way, kind, v6]
            if group and self.manner.link == ETHERNET:
                link = _group_mac(target[row], v6=v6) + link[6:]
            frame = link + flat[row * WIDTH : row * WIDTH + length] + payloads[row]
            frame = frame.ljust(fill[way], b"\0")
            if self.manner.trailed:
                frame = trailed(frame, *(self.owners[packet] if self.owners else (UNKNOWN, "")))
            have = frame[:snap]
            found.append(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(have), len(frame)) + have)
        return found


def trailed(frame: bytes, uid: int, label: str) -> bytes:
    """The frame with PCAPdroid's padding and trailer (its pcap_dump.c); the CRC is little-endian, the rest big."""
    name = label.encode()[:19].ljust(20, b"\0")
    said = frame + bytes(-len(frame) % 4) + TRAILER_MAGIC + struct.pack(">i", uid) + name
    return said + struct.pack("<I", zlib.crc32(said))


def packed(addresses: list[str]) -> Rows:
    """Addresses as rows of 16 bytes."""
    made = {text: ip_address(text).packed.ljust(16, b"\0") for text in set(addresses)}
    return np.frombuffer(b"".join(made[text] for text in addresses), np.uint8).reshape(-1, 16)


def _grouped(target: Rows, v6: Bool) -> Bool:
    """Which go to a multicast group or to everybody."""
    found: Bool = np.where(v6, target[:, 0] == 0xFF, target[:, 0] >= 224)
    return found


def _group_mac(target: Rows, *, v6: bool) -> bytes:
    """RFC 2464 section 7, RFC 1112 section 6.4."""
    low = target.tobytes()
    return b"\x33\x33" + low[12:16] if v6 else b"\x01\x00\x5e" + bytes([low[1] & 0x7F]) + low[2:4]


def _checksums(rows: Rows, heads: Heads, length: Int64, payloads: list[bytes]) -> None:
    over, long = heads.l4 - heads.ip, heads.payload - heads.ip
    place = over + np.where(heads.proto == TCP, 16, 6)
    every = np.arange(len(rows))
    rows[every, place], rows[every, place + 1] = 0, 0
    padded = [one + bytes(-len(one) % 4) for one in payloads]
    sizes = np.array([len(one) for one in padded], np.int64)
    data = np.frombuffer(b"".join(padded) + bytes(4), np.uint8)
    sums = payload_sums(data, np.cumsum(sizes) - sizes, np.array([len(one) for one in payloads], np.int64))
    ends = _masked(rows, np.where(heads.v6, 8, 12), np.where(heads.v6, V6, V4))
    above = _masked(rows, over, long)
    check = ~_fold(ends + above + _swap(heads.proto) + _swap(long - over + length) + sums)
    check = np.where((heads.proto == UDP) & (check == 0), np.uint16(0xFFFF), check)  # RFC 768: 0 means none
    rows.view("<u2")[every, place // 2] = check


def _masked(rows: Rows, begin: Int64 | int, end: Int64) -> Int64:
    """The sum of each row's words from byte ``begin`` to ``end``, both even."""
    at = np.arange(0, WIDTH, 2)
    inside = (at >= np.asarray(begin).reshape(-1, 1)) & (at < end[:, None])
    found: Int64 = (rows.view("<u2") * inside).sum(axis=1, dtype=np.int64)
    return found


def _put(rows: Rows, which: Int64, place: Int64 | int, value: Int64) -> None:
    """Writes big-endian numbers of two bytes."""
    rows[which, place], rows[which, place + 1] = value >> 8 & 0xFF, value & 0xFF


def _swap(value: Int64) -> Int64:
    return ((value & 0xFF) << 8) | (value >> 8 & 0xFF)


def _fold(total: Int64) -> npt.NDArray[np.uint16]:
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return total.astype(np.uint16)
