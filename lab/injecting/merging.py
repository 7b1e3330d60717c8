"""The merged capture: the background's records, untouched and in their order, and the injected ones between them.

An injected packet comes before the first background packet that is later than it; where the background's own clock
runs backwards, before the first that is later than all before.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from detector.contract import Advance
from lab.behaviours import Int64
from lab.errors import EvidenceError
from lab.injecting.frames import Frames
from lab.injecting.parts import RECORD, Part, parts
from lab.store import write_atomic

BLOCK = 4_096  # injected packets laid out at a time
SNAPLEN = 262_144
HEADER = struct.Struct("<IHHiIII")


@dataclass
class Written:
    """The manifest's entry of a capture that was hashed on its way."""

    packets: int = 0
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def entry(self) -> dict[str, int | str]:
        """Packets, bytes and sha256."""
        return {"packets": self.packets, "bytes": self.size, "sha256": self.digest.hexdigest()}


@dataclass(frozen=True)
class Background:
    """The capture that is injected into, as it was when it was first read."""

    path: Path
    link: int
    packets: int
    end: int  # the byte up to which it is used
    partial: str | None


def write_merged(path: Path, background: Background, frames: Frames, advance: Advance) -> Written:
    """Writes the merged capture as classic pcap in microseconds of the background's link type, all or nothing."""
    written = Written()

    def add(file: BinaryIO, data: bytes | memoryview) -> None:
        written.digest.update(data)
        written.size += file.write(data)

    def write(file: BinaryIO) -> None:
        add(file, HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, background.link))
        for data in _merged(background, frames, advance):
            add(file, data)

    write_atomic(path, write)
    written.packets = background.packets + len(frames.pieces)
    return written


def _merged(background: Background, frames: Frames, advance: Advance) -> Iterator[bytes | memoryview]:
    """The bytes of all records; EvidenceError if the background has other packets now than when it was first read."""
    source, done, seen, latest = _records(frames), 0, 0, np.iinfo(np.int64).min
    for part in parts(background.path, allow_partial=background.partial is not None):
        times = np.maximum.accumulate(np.maximum(part.records.time, latest))
        before = np.searchsorted(frames.time, times, "left")  # injected packets that are earlier
        cuts = np.flatnonzero(np.diff(before, prepend=done) > 0)
        at = 0
        for cut in cuts.tolist():
            yield _own(part, at, cut)
            count = int(before[cut]) - done
            yield b"".join(next(source) for _ in range(count))
            at, done = cut, done + count
        yield _own(part, at, len(part))
        latest = int(times[-1]) if len(times) else latest
        seen += len(part)
        advance(part.end, background.end)
    if seen != background.packets:
        raise EvidenceError(
            f"{background.path}: changed while it was read: {seen} packets, at first {background.packets}"
        )
    yield b"".join(source)


def _records(frames: Frames) -> Iterator[bytes]:
    for begin in range(0, len(frames.pieces), BLOCK):
        yield from frames.records(begin, begin + BLOCK)


def _own(part: Part, begin: int, end: int) -> bytes | memoryview:
    """The background's records from one to another: as they are, or with headers of ours before the same frames."""
    if begin == end:
        return b""
    offset, records = part.records.offset, part.records
    if part.plain:
        last = int(offset[end - 1]) + int(records.caplen[end - 1])
        return part.file.span(int(offset[begin]) - RECORD, last)
    rows = slice(begin, end)
    caplen = records.caplen[rows].astype(np.int64)
    heads = _headers(records.time[rows], caplen, records.length[rows].astype(np.int64))
    frames = part.file.spans(offset[rows], offset[rows] + caplen)
    pieces = (heads[k * RECORD : k * RECORD + RECORD] + frame for k, frame in enumerate(frames))
    return b"".join(pieces)


def _headers(time: Int64, caplen: Int64, length: Int64) -> bytes:
    seconds = np.clip(time // 1_000_000, 0, 0xFFFFFFFF)
    return np.stack([seconds, time % 1_000_000, caplen, length], axis=1).astype("<u4").tobytes()
