"""The interfaces of a pcapng file: link type, snap length, and how their timestamps count."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector.capture.chains import Offsets

INTERFACE, SECTION = 1, 0x0A0D0D0A
END, RESOLUTION, OFFSET = 0, 9, 14  # options opt_endofopt, if_tsresol, if_tsoffset
EARLIEST_US, LATEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999  # what datetime and RFC 3339 can write
FAR_US = 1 << 61  # no time lies further from the epoch, so that differences never overflow


@dataclass(frozen=True)
class Interface:
    """One Interface Description Block. ``resolution`` is the option's byte, ``offset_s`` is added to every time."""

    link: int
    snaplen: int
    resolution: int = 6
    offset_s: int = 0


def read_interface(block: bytes, order: str) -> Interface:
    """The interface of a whole block; ValueError says what is wrong with its options."""
    link, snaplen = struct.unpack_from(order + "H2xI", block, 8)
    resolution, offset_s, at, end = 6, 0, 16, len(block) - 4
    while at + 4 <= end:
        code, size = struct.unpack_from(order + "HH", block, at)
        if code == END:
            break
        value = block[at + 4 : at + 4 + size]
        if at + 4 + size > end:
            raise ValueError(f"option {code} of {size} bytes in a block with {end - at - 4} left")
        if code == RESOLUTION and size == 1:
            resolution = value[0]
        if code == OFFSET and size == 8:
            offset_s = struct.unpack(order + "q", value)[0]
        at += 4 + (size + 3) // 4 * 4
    if (resolution & 0x7F) > (63 if resolution & 0x80 else 19):
        raise ValueError(f"timestamp resolution 0x{resolution:02x}")
    return Interface(link, snaplen, resolution, offset_s)


@dataclass(frozen=True)
class Interfaces:
    """All interfaces of blocks of one byte order, and which of them each block may name.

    ``described[i]`` counts the interfaces before block i, ``first[i]`` those before its section. ``fault`` is the
    row of the first block that could not be read, ``what`` says found and expected.
    """

    known: tuple[Interface, ...]
    link: NDArray[np.uint16]
    snaplen: NDArray[np.int64]
    described: Offsets
    sections: Offsets
    fault: int | None
    what: tuple[str, str] | None

    @classmethod
    def of(
        cls, known: list[Interface], kind: NDArray[np.uint32], fault: tuple[int, tuple[str, str]] | None
    ) -> Interfaces:
        """The interfaces ``known``, described by the blocks of these kinds in order."""
        is_interface = kind == INTERFACE
        described = np.cumsum(is_interface) - is_interface
        link = np.array([interface.link for interface in known], np.uint16)
        snaplen = np.array([interface.snaplen for interface in known], np.int64)
        row, what = fault or (None, None)
        return cls(tuple(known), link, snaplen, described, np.flatnonzero(kind == SECTION), row, what)

    def of_blocks(self, blocks: Offsets) -> tuple[Offsets, Offsets]:
        """Per block: the number of its section's first interface, and how many stand before it in the section."""
        if not len(blocks):
            return blocks, blocks
        section = self.sections[np.searchsorted(self.sections, blocks, "right") - 1]
        first = self.described[section]
        return first, self.described[blocks] - first

    def times(
        self,
        interface: Offsets,
        high: NDArray[np.uint32],
        low: NDArray[np.uint32],
        timeless: NDArray[np.bool_],
        before: int,
    ) -> NDArray[np.int64]:
        """Microseconds since the epoch; without a time that of the packet before, the first ``before``."""
        ticks = (high.astype(np.uint64) << np.uint64(32)) | low
        times = np.zeros(len(ticks), np.int64)
        clocks = [(one.resolution, one.offset_s) for one in self.known]
        kinds = {clock: number for number, clock in enumerate(dict.fromkeys(clocks))}
        clock = (
            np.array([kinds[one] for one in clocks])[interface] if len(kinds) > 1 else np.zeros(len(ticks), np.int64)
        )
        for number, one in enumerate(kinds):
            rows = slice(None) if len(kinds) == 1 else np.flatnonzero(clock == number)
            times[rows] = microseconds(ticks[rows], *one)
        if timeless.any():
            last = np.maximum.accumulate(np.where(timeless, -1, np.arange(len(times))))
            times = np.where(last < 0, before, times[np.maximum(last, 0)])
        return times


def microseconds(ticks: NDArray[np.uint64], resolution: int, offset_s: int) -> NDArray[np.int64]:
    """Ticks as microseconds since the epoch; times too far off to be told stop at 2**61.

    ``resolution`` is the byte of option if_tsresol, ``offset_s`` the seconds of if_tsoffset.
    """
    power = resolution & 0x7F
    if resolution & 0x80:
        seconds, rest = ticks >> np.uint64(power), ticks & np.uint64((1 << power) - 1)
        drop = max(0, power - 40)  # keeps rest * 10**6 below 2**64
        whole = (rest >> np.uint64(drop)) * np.uint64(1_000_000) >> np.uint64(power - drop)
        limit = np.uint64(FAR_US // 1_000_000)
        out = np.minimum(seconds, limit).astype(np.int64) * 1_000_000 + whole.astype(np.int64)
    elif power >= 6:
        out = np.minimum(ticks // np.uint64(10 ** (power - 6)), np.uint64(FAR_US)).astype(np.int64)
    else:
        scale = 10 ** (6 - power)
        out = np.minimum(ticks, np.uint64(FAR_US // scale)).astype(np.int64) * scale
    shift = max(-FAR_US, min(FAR_US, offset_s * 1_000_000))
    times: NDArray[np.int64] = np.clip(out + shift, -FAR_US, FAR_US)
    return times
