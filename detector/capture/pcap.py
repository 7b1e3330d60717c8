"""Classic pcap files: microseconds or nanoseconds, either byte order (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capture.chains import Offsets, walk
from detector.capture.damage import Damage
from detector.capture.lanes import Lanes
from detector.capture.link import LINKS
from detector.capture.mapped import MappedFile
from detector.capture.records import MAX_PACKET, Records

#: Magic as it stands in the file -> byte order and units per second.
MAGICS = {
    bytes.fromhex("d4c3b2a1"): ("<", 1_000_000),
    bytes.fromhex("a1b2c3d4"): (">", 1_000_000),
    bytes.fromhex("4d3cb2a1"): ("<", 1_000_000_000),
    bytes.fromhex("a1b23c4d"): (">", 1_000_000_000),
}
#: Kuznetzov's patched libpcap: its records are 8 bytes longer; Navtel's and IXIA's variants.
MODIFIED = {bytes.fromhex(text) for text in ("34cdb2a1", "a1b2cd34", "a1b2c3cd", "1c0001ac", "ac01001c")}
FILE_HEADER = 24
RECORD_HEADER = 16
LINK_MASK = 0x03FF_FFFF  # the bits above tell of frame check sequences
PART = 65_536  # record headers read at once
NEAR_S = 40_000_000  # a guessed record lies within about a year of the first


@dataclass(frozen=True)
class PcapLinks:
    """How the records of a pcap file hang together: 16 bytes of header, then ``caplen`` bytes."""

    file: MappedFile
    order: str
    start: int
    end: int

    def length(self, offset: int) -> int:
        """The length of the record, header included; 0 if it says more than MAX_PACKET or has no whole header."""
        field = self.file.span(offset + 8, offset + 12)
        if offset + RECORD_HEADER > self.end:
            return 0
        caplen = int.from_bytes(field, "little" if self.order == "<" else "big")
        return 0 if caplen > MAX_PACKET else RECORD_HEADER + caplen

    def lengths(self, offsets: Offsets) -> Offsets:
        """The same for many."""
        caplen = self.file.gather(offsets + 8, 4).view(self.order + "u4").ravel().astype(np.int64)
        readable = (caplen <= MAX_PACKET) & (offsets + RECORD_HEADER <= self.end)
        return np.where(readable, RECORD_HEADER + caplen, 0)

    def guess(self, begins: Offsets, window: int) -> Offsets:
        """The first place in each window that reads like a record near the first one in time."""
        found = np.full(len(begins), -1, np.int64)
        top, high, mid, wire = (3, 11, 10, 15) if self.order == "<" else (0, 8, 9, 12)
        epoch = self.file.span(self.start, self.start + 4)[top]
        for group in range(0, len(begins), 128):
            rows = self.file.gather(begins[group : group + 128], min(window + RECORD_HEADER, 4096))
            sane = (rows[:, high : high + window - 16] == 0) & (rows[:, mid : mid + window - 16] <= 4)
            sane &= (rows[:, wire : wire + window - 16] == 0) & (rows[:, top : top + window - 16] - epoch <= 1)
            row, column = np.nonzero(sane)
            places = begins[group + row] + column
            good = self._plausible(places)
            row, places = row[good], places[good]
            first = np.unique(row, return_index=True)
            found[group + first[0]] = places[first[1]]
        return found

    def _plausible(self, places: Offsets) -> NDArray[np.bool_]:
        good = self._like_record(places)
        following = places[good] + self.lengths(places[good])
        good[good] = self._like_record(following) | (following == self.end)
        return good

    def _like_record(self, places: Offsets) -> NDArray[np.bool_]:
        head = self.file.gather(places, RECORD_HEADER).view(self.order + "u4").astype(np.int64)
        first = struct.unpack(self.order + "I", self.file.span(self.start, self.start + 4))[0]
        good: NDArray[np.bool_] = np.abs(head[:, 0] - first) < NEAR_S
        good &= (head[:, 1] < 1_000_000_000) & (head[:, 2] <= MAX_PACKET) & (head[:, 2] <= head[:, 3])
        return good


def read(file: MappedFile, lanes: Lanes) -> Records:
    """The records of the file up to its first damage."""
    order, units = MAGICS[file.span(0, 4)]
    if file.size < FILE_HEADER:
        return _nothing(Damage(1, file.size, "end of file", "24 bytes of file header"))
    major, minor, link = struct.unpack_from(order + "HH12xI", file.span(4, FILE_HEADER))
    if major != 2 or minor < 4:  # before 2.4 the two lengths stood in another order
        return _nothing(Damage(1, 4, f"pcap version {major}.{minor}", "2.4"))
    if link & LINK_MASK not in LINKS:
        return _nothing(Damage(1, 20, f"link type {link & LINK_MASK}", f"one of {', '.join(map(str, LINKS))}"))
    links = PcapLinks(file, order, FILE_HEADER, file.size)
    offsets, stopped = walk(links, lanes)
    caplen, length, time = _columns(file, order, units, offsets, lanes)
    link = np.broadcast_to(np.uint16(link & LINK_MASK), len(offsets))
    damage = _damage(links, len(offsets), stopped)
    return Records("pcap", offsets + RECORD_HEADER, caplen, length, time, link, damage)


def _damage(links: PcapLinks, packets: int, stopped: int) -> Damage | None:
    """What is wrong with the record at which the walk stopped; None at the end of the file."""
    left = links.end - stopped
    if left == 0:
        return None
    if left < RECORD_HEADER:
        return Damage(packets + 1, links.end, f"end of file after {left} bytes", "16 bytes of record header")
    order = "little" if links.order == "<" else "big"
    caplen = int.from_bytes(links.file.span(stopped + 8, stopped + 12), order)  # type: ignore[arg-type]  # a literal
    if caplen > MAX_PACKET:
        return Damage(packets + 1, stopped + 8, f"captured length {caplen}", f"at most {MAX_PACKET}")
    found = f"end of file after {left - RECORD_HEADER} bytes of the packet"
    return Damage(packets + 1, links.end, found, f"{caplen} bytes")


def _columns(
    file: MappedFile, order: str, units: int, offsets: Offsets, lanes: Lanes
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], Offsets]:
    """Captured length, length on the wire and time of the records."""
    count = len(offsets)
    caplen, length, time = np.empty(count, np.uint32), np.empty(count, np.uint32), np.empty(count, np.int64)

    def fill(part: slice) -> None:
        head = file.gather(offsets[part], RECORD_HEADER).view(order + "u4")
        time[part] = head[:, 0].astype(np.int64) * 1_000_000 + head[:, 1] // (units // 1_000_000)
        caplen[part], length[part] = head[:, 2], head[:, 3]

    lanes.over(fill, [slice(begin, begin + PART) for begin in range(0, count, PART)])
    return caplen, length, time


def _nothing(damage: Damage) -> Records:
    none = np.zeros(0, np.uint32)
    return Records("pcap", none.astype(np.int64), none, none, none.astype(np.int64), none.astype(np.uint16), damage)
