"""pcapng files: sections of either byte order, several interfaces, every packet block (draft-ietf-opsawg-pcapng).

Blocks that carry no packet (name resolution, statistics, secrets, custom) are skipped. A Simple Packet Block has no
time: it is given that of the packet before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capture.chains import Offsets, walk, walk_in_order
from detector.capture.damage import Damage
from detector.capture.interfaces import Interface, Interfaces, read_interface
from detector.capture.link import LINKS
from detector.capture.mapped import MappedFile
from detector.capture.records import MAX_PACKET, Records

SECTION_MAGIC = bytes.fromhex("0a0d0d0a")
SECTION, INTERFACE, OLD_PACKET, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
ORDERS = {bytes.fromhex("4d3c2b1a"): "<", bytes.fromhex("1a2b3c4d"): ">"}
MAX_BLOCK = 16 << 20  # as Wireshark
MIN_BLOCK = 12
HEAD = 28  # block head and fields of an Enhanced Packet Block before the packet
SMALLEST = {SECTION: 28, INTERFACE: 20, OLD_PACKET: 32, SIMPLE: 16, ENHANCED: 32}


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


def read(file: MappedFile) -> Records:
    """The records of the file up to its first damage."""
    parts: list[Records] = []
    packets, at, damage = 0, 0, None
    while damage is None and at < file.size:
        order = ORDERS.get(file.span(at + 8, at + 12), "")
        if file.span(at, at + 4) != SECTION_MAGIC or not order:
            damage = _unreadable(file, parts[-1].form if parts else "<", at, packets)
            break
        links = BlockLinks(file, order, at, file.size)
        blocks, at = walk_in_order(links, at, file.size) if parts else walk(links)
        part = _section(file, order, blocks, packets)
        parts.append(part)
        packets += len(part)
        damage = part.damage
        if damage is None and not (file.span(at, at + 4) == SECTION_MAGIC and _other_order(file, order, at)):
            damage = _unreadable(file, order, at, packets) if at < file.size else None
    return _joined(parts, damage)


def _other_order(file: MappedFile, order: str, at: int) -> bool:
    return ORDERS.get(file.span(at + 8, at + 12), order) != order


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
    head = np.empty((len(blocks), HEAD // 4), np.uint32)
    closed = np.empty(len(blocks), np.uint32)
    for begin in range(0, len(blocks), 65_536):
        part = slice(begin, begin + 65_536)
        head[part] = file.gather(blocks[part], HEAD).view(order + "u4")
        ends = blocks[part] + head[part, 1].astype(np.int64) - 4
        closed[part] = file.gather(ends, 4).view(order + "u4").ravel()
    kind, length = head[:, 0], head[:, 1]
    fault, what = _block_faults(kind, length, closed)
    interfaces = _interfaces(file, order, blocks[:fault], kind[:fault], length[:fault])
    if interfaces.fault is not None:
        fault, what = interfaces.fault, interfaces.what
    packet = np.flatnonzero(np.isin(kind[:fault], (OLD_PACKET, SIMPLE, ENHANCED)))
    fields = _Fields.of(order, head[packet], interfaces, packet)
    bad = fields.faults(interfaces)
    if bad is not None:
        fault, what = int(packet[bad]), fields.explain(bad)
        packet, fields = packet[:bad], _Fields.of(order, head[packet[:bad]], interfaces, packet[:bad])
    damage = None if what is None else Damage(before + len(packet) + 1, int(blocks[fault]), *what)
    offset = blocks[packet] + np.where(fields.simple, 12, HEAD)
    time = interfaces.times(fields.interface, fields.high, fields.low, fields.simple)
    return Records("pcapng", offset, fields.caplen, fields.wire, time, interfaces.link[fields.interface], damage)


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
    high: NDArray[np.uint32]
    low: NDArray[np.uint32]
    caplen: NDArray[np.uint32]
    wire: NDArray[np.uint32]
    room: NDArray[np.int64]  # bytes of the block for the packet

    @classmethod
    def of(cls, order: str, head: NDArray[np.uint32], interfaces: Interfaces, packet: Offsets) -> _Fields:
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
        return cls(simple, index, available, interface, head[:, 3], head[:, 4], caplen, wire, room)

    def faults(self, interfaces: Interfaces) -> int | None:
        """The row of the first packet that cannot be trusted."""
        bad = (self.index >= self.available) | (self.caplen > self.room) | (self.caplen > MAX_PACKET)
        if len(interfaces.link):
            bad |= ~np.isin(interfaces.link, list(LINKS))[self.interface]
        rows = np.flatnonzero(bad)
        return int(rows[0]) if len(rows) else None

    def explain(self, row: int) -> Found:
        """What is wrong with the packet of that row."""
        index, available = int(self.index[row]), int(self.available[row])
        if index >= available:
            return f"interface {index}", f"one of the {available} described before"
        if self.caplen[row] > min(int(self.room[row]), MAX_PACKET):
            return f"captured length {self.caplen[row]}", f"at most {min(int(self.room[row]), MAX_PACKET)}"
        return "an unknown link type", f"one of {', '.join(map(str, LINKS))}"
