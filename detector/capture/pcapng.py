"""pcapng files: sections of either byte order, several interfaces, every packet block (draft-ietf-opsawg-pcapng).

Blocks that carry no packet (name resolution, statistics, secrets, custom) are skipped. A Simple Packet Block has no
time: it is given that of the packet before it. A time that no calendar date can name is damage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capture.chains import Offsets, walk, walk_in_order
from detector.capture.damage import Damage
from detector.capture.interfaces import EARLIEST_US, LATEST_US, Interface, Interfaces, read_interface
from detector.capture.lanes import Lanes
from detector.capture.link import LINKS
from detector.capture.mapped import MappedFile
from detector.capture.records import MAX_PACKET, Records

SECTION_MAGIC = bytes.fromhex("0a0d0d0a")
SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
ORDERS = {bytes.fromhex("4d3c2b1a"): "<", bytes.fromhex("1a2b3c4d"): ">"}
MAX_BLOCK = 16 << 20  # as Wireshark
MIN_BLOCK = 12
CHUNK = 65_536  # blocks read at once
YEAR_US = 31_556_952_000_000  # of the Gregorian calendar
HEAD = 28  # block head and fields of an Enhanced Packet Block before the packet
SMALLEST = {SECTION: 28, INTERFACE: 20, OLD_PACKET: 32, SIMPLE: 16, ENHANCED: 32}

_KNOWN_LINK = np.zeros(1 << 16, bool)
_KNOWN_LINK[list(LINKS)] = True


@dataclass(frozen=True)
class BlockLinks:
    """How the blocks of a section hang together: each gives its total length. A section of the other order ends it."""

    file: MappedFile
    order: str
    start: int
    end: int

    def length(self, offset: int) -> int:
        """The total length of the block; 0 if it cannot be one or belongs to a section of the other byte order."""
        head = self.file.span(offset, offset + MIN_BLOCK)
        if len(head) < MIN_BLOCK or (head[:4] == SECTION_MAGIC and ORDERS.get(head[8:]) != self.order):
            return 0
        length = int.from_bytes(head[4:8], "little" if self.order == "<" else "big")
        return 0 if length < MIN_BLOCK or length > MAX_BLOCK or length % 4 else length

    def lengths(self, offsets: Offsets) -> Offsets:
        """The same for many."""
        head = self.file.gather(offsets, MIN_BLOCK).view(self.order + "u4").astype(np.int64)
        length = head[:, 1]
        readable = (length >= MIN_BLOCK) & (length <= MAX_BLOCK) & (length % 4 == 0)
        readable &= (head[:, 0] != SECTION) | (head[:, 2] == 0x1A2B3C4D)
        return np.where(readable & (offsets + MIN_BLOCK <= self.end), length, 0)

    def guess(self, begins: Offsets, window: int) -> Offsets:
        """The first place in each window where a packet block ends with the length it began with."""
        found = np.full(len(begins), -1, np.int64)
        aligned = begins + (self.start - begins) % 4
        for group in range(0, len(begins), 128):
            rows = self.file.gather(aligned[group : group + 128], min(window, 4096) // 4 * 4).view(self.order + "u4")
            row, column = np.nonzero(rows == ENHANCED)
            places = aligned[group + row] + 4 * column
            length = self.lengths(places)
            closed = self.file.gather(np.maximum(places + length - 4, 0), 4).view(self.order + "u4").ravel()
            good = (length >= SMALLEST[ENHANCED]) & (closed == length)
            first = np.unique(row[good], return_index=True)
            found[group + first[0]] = places[good][first[1]]
        return found


def read(file: MappedFile, lanes: Lanes) -> Records:
    """The records of the file up to its first damage."""
    parts: list[Records] = []
    packets, at, damage = 0, 0, None
    while damage is None and at < file.size:
        order = ORDERS.get(file.span(at + 8, at + 12), "")
        if file.span(at, at + 4) != SECTION_MAGIC or not order:
            damage = _unreadable(file, "<", at, packets)
            break
        links = BlockLinks(file, order, at, file.size)
        blocks, at = walk_in_order(links, at, file.size) if at else walk(links, lanes)
        if len(blocks) == 1 and _is_empty_section(file.span(links.start, at), order):
            damage = _after(file, order, at, packets)
            continue
        part = _section(file, order, blocks, packets)
        parts.append(part)
        packets += len(part)
        damage = part.damage
        damage = damage or _after(file, order, at, packets)
    return _joined(parts, damage)


def _after(file: MappedFile, order: str, at: int, packets: int) -> Damage | None:
    """What is wrong where a walk stopped; None at the end of the file and at a section of the other byte order."""
    other = file.span(at, at + 4) == SECTION_MAGIC and ORDERS.get(file.span(at + 8, at + 12), order) != order
    return None if other or at == file.size else _unreadable(file, order, at, packets)


def _is_empty_section(block: bytes, order: str) -> bool:
    """Whether the bytes are a sound section header and nothing else: files may hold very many of them."""
    version = block[12:14] == (b"\x01\x00" if order == "<" else b"\x00\x01")
    return version and len(block) >= SMALLEST[SECTION] and block[-4:] == block[4:8]


def _joined(parts: list[Records], damage: Damage | None) -> Records:
    if len(parts) == 1:
        one = parts[0]
        return Records("pcapng", one.offset, one.caplen, one.length, one.time, one.link, damage)
    names = ("offset", "caplen", "length", "time", "link")
    if not parts:
        none = np.zeros(0, np.int64)
        return Records("pcapng", none, none.astype("u4"), none.astype("u4"), none, none.astype("u2"), damage)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Records("pcapng", damage=damage, **columns)


def _unreadable(file: MappedFile, order: str, at: int, packets: int) -> Damage:
    """What is wrong with the block at which the walk stopped."""
    left = file.size - at
    if left < MIN_BLOCK:
        return Damage(packets + 1, file.size, f"end of file after {left} bytes", "12 bytes of block head")
    head = file.span(at, at + MIN_BLOCK)
    if head[:4] == SECTION_MAGIC and head[8:] not in ORDERS:
        return Damage(packets + 1, at + 8, f"byte-order magic {head[8:].hex()}", "1a2b3c4d in either order")
    length = int.from_bytes(head[4:8], "little" if order == "<" else "big")
    if length < MIN_BLOCK or length > MAX_BLOCK or length % 4:
        expected = f"a multiple of 4 from {MIN_BLOCK} to {MAX_BLOCK}"
        return Damage(packets + 1, at + 4, f"block length {length}", expected)
    return Damage(packets + 1, file.size, f"end of file after {left} bytes of the block", f"{length} bytes")


def _section(file: MappedFile, order: str, blocks: Offsets, before: int) -> Records:
    """The packets of blocks of one byte order; ``before`` counts the packets already read."""
    kind, length, fault, what = _blocks(file, order, blocks)
    interfaces = _interfaces(file, order, blocks[:fault], kind[:fault], length[:fault])
    if interfaces.fault is not None:
        fault, what = interfaces.fault, interfaces.what
    packet = np.flatnonzero((kind[:fault] == ENHANCED) | (kind[:fault] == SIMPLE) | (kind[:fault] == OLD_PACKET))
    offset, time = blocks[packet], np.empty(len(packet), np.int64)
    caplen, wire = np.empty(len(packet), np.uint32), np.empty(len(packet), np.uint32)
    link = np.empty(len(packet), np.uint16)
    count = 0
    for begin in range(0, len(packet), CHUNK):
        part = packet[begin : begin + CHUNK]
        last = int(time[begin - 1]) if begin else 0
        fields = _Fields.of(order, file.gather(blocks[part], HEAD).view(order + "u4"), interfaces, part, last)
        bad = fields.faults(interfaces)
        good = slice(0, len(part) if bad is None else bad)
        count = begin + good.stop
        offset[begin:count] += np.where(fields.simple, 12, HEAD)[good]
        caplen[begin:count], wire[begin:count] = fields.caplen[good], fields.wire[good]
        if count > begin:
            link[begin:count] = interfaces.link[fields.interface[good]]
            time[begin:count] = fields.time[good]
        if bad is not None:
            fault, what = int(part[bad]), fields.explain(bad)
            break
    damage = None if what is None else Damage(before + count + 1, int(blocks[fault]), *what)
    return Records("pcapng", offset[:count], caplen[:count], wire[:count], time[:count], link[:count], damage)


def _blocks(
    file: MappedFile, order: str, blocks: Offsets
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], int, Found | None]:
    """Type and length of the blocks, and the first that is wrong in itself: its row (else their number) and how."""
    kind, length = np.empty(len(blocks), np.uint32), np.empty(len(blocks), np.uint32)
    for begin in range(0, len(blocks), CHUNK):
        part = slice(begin, begin + CHUNK)
        head = file.gather(blocks[part], 8).view(order + "u4")
        kind[part], length[part] = head[:, 0], head[:, 1]
        closed = file.gather(blocks[part] + head[:, 1] - 4, 4).view(order + "u4").ravel()
        row, what = _block_faults(kind[part], length[part], closed)
        if what is not None:
            return kind, length, begin + row, what
    return kind, length, len(blocks), None


Found = tuple[str, str]


def _block_faults(
    kind: NDArray[np.uint32], length: NDArray[np.uint32], closed: NDArray[np.uint32]
) -> tuple[int, Found | None]:
    """The first block that is too short for its type or whose two lengths differ; else the number of blocks."""
    smallest = np.full(len(kind), MIN_BLOCK)
    for known, size in SMALLEST.items():
        smallest[kind == known] = size
    bad = np.flatnonzero((closed != length) | (length < smallest))
    if not len(bad):
        return len(kind), None
    at = int(bad[0])
    if length[at] < smallest[at]:
        return at, (f"block length {length[at]}", f"at least {smallest[at]} for block type {kind[at]}")
    return at, (f"trailing block length {closed[at]}", f"{length[at]}, as at the block's head")


def _interfaces(
    file: MappedFile, order: str, blocks: Offsets, kind: NDArray[np.uint32], length: NDArray[np.uint32]
) -> Interfaces:
    """The interfaces of these blocks, in order; stops at the first that cannot be read."""
    known: list[Interface] = []
    rows = np.flatnonzero((kind == INTERFACE) | (kind == SECTION))
    for row in rows.tolist():
        block = file.span(int(blocks[row]), int(blocks[row]) + int(length[row]))
        if kind[row] == SECTION:
            major = int.from_bytes(block[12:14], "little" if order == "<" else "big")
            if major != 1:
                return Interfaces.of(known, kind, (row, (f"pcapng version {major}", "1")))
            continue
        try:
            known.append(read_interface(block, order))
        except ValueError as fault:
            return Interfaces.of(known, kind, (row, (str(fault), "an interface description")))
    return Interfaces.of(known, kind, None)


@dataclass(frozen=True)
class _Fields:
    """The fields of packet blocks, columns of equal length."""

    simple: NDArray[np.bool_]
    index: NDArray[np.int64]  # the interface's number in its section
    available: NDArray[np.int64]  # interfaces described before, in the section
    interface: NDArray[np.int64]  # its number among all
    time: NDArray[np.int64]  # microseconds since the epoch
    caplen: NDArray[np.uint32]
    wire: NDArray[np.uint32]
    room: NDArray[np.int64]  # bytes of the block for the packet

    @classmethod
    def of(cls, order: str, head: NDArray[np.uint32], interfaces: Interfaces, packet: Offsets, before: int) -> _Fields:
        """The fields of some blocks, given their heads and places; ``before`` is the time of the packet before."""
        simple, old = head[:, 0] == SIMPLE, head[:, 0] == OLD_PACKET
        index = np.where(simple, 0, head[:, 2]).astype(np.int64)
        index = np.where(old, index >> 16 if order == ">" else index & 0xFFFF, index)
        first, available = interfaces.of_blocks(packet)
        interface = np.where(index < available, first + index, 0)
        room = head[:, 1].astype(np.int64) - np.where(simple, 16, 32)
        snap = interfaces.snaplen[interface] if len(interfaces.snaplen) else np.zeros(len(simple), np.int64)
        cut = np.where(snap > 0, np.minimum(head[:, 2], snap), head[:, 2])
        caplen = np.where(simple, cut, head[:, 5]).astype(np.uint32)
        wire = np.where(simple, head[:, 2], head[:, 6]).astype(np.uint32)
        time = interfaces.times(interface, head[:, 3], head[:, 4], simple, before)
        return cls(simple, index, available, interface, time, caplen, wire, room)

    def faults(self, interfaces: Interfaces) -> int | None:
        """The row of the first packet that cannot be trusted."""
        bad = (self.index >= self.available) | (self.caplen > self.room) | (self.caplen > MAX_PACKET)
        if len(interfaces.link):
            bad |= ~_KNOWN_LINK[interfaces.link][self.interface]
        bad |= (self.time < EARLIEST_US) | (self.time > LATEST_US)
        rows = np.flatnonzero(bad)
        return int(rows[0]) if len(rows) else None

    def explain(self, row: int) -> Found:
        """What is wrong with the packet of that row."""
        index, available = int(self.index[row]), int(self.available[row])
        if index >= available:
            return f"interface {index}", f"one of the {available} described before"
        if self.caplen[row] > min(int(self.room[row]), MAX_PACKET):
            return f"captured length {self.caplen[row]}", f"at most {min(int(self.room[row]), MAX_PACKET)}"
        if not EARLIEST_US <= self.time[row] <= LATEST_US:
            found = (
                f"a time {abs(int(self.time[row])) // YEAR_US} years {'before' if self.time[row] < 0 else 'after'} 1970"
            )
            return found, "one of the years 1 to 9999, counted as if_tsresol and if_tsoffset of the interface say"
        return "an unknown link type", f"one of {', '.join(map(str, LINKS))}"
