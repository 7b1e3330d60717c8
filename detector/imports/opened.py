"""The bytes of a log file: mapped where they are plain, unpacked where they are gzip.

What a cut gzip stream still gives is kept, and ``cut`` says where it ended.
"""

from __future__ import annotations

import mmap
import zlib
from dataclasses import dataclass
from pathlib import Path

from detector.contract import EvidenceError

GZIP = b"\x1f\x8b"
HEAD = 1 << 16  # bytes that decide what a file is
_PIECE = 1 << 20
_ANY_GZIP = 31  # zlib: window of 32 KiB behind a gzip header


@dataclass(frozen=True)
class Opened:
    """A file's bytes, unpacked; ``cut`` is (found, expected) where its gzip stream is damaged, else None."""

    path: Path
    data: bytes | mmap.mmap
    cut: tuple[str, str] | None = None

    def lines_before(self, offset: int) -> int:
        """How many lines end before the byte."""
        count, at = 0, 0
        while at < offset:
            end = min(at + _PIECE, offset)
            count += self.data[at:end].count(b"\n")
            at = end
        return count


def head_of(path: Path) -> bytes:
    """The first HEAD bytes of a file, unpacked as far as they can be; EvidenceError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            first = file.read(HEAD)
    except OSError as fault:
        raise EvidenceError(f"{path}: unreadable ({fault.strerror})") from fault
    if not first.startswith(GZIP):
        return first
    try:
        return zlib.decompressobj(_ANY_GZIP).decompress(first, HEAD)
    except zlib.error:
        return b""


def open_log(path: Path) -> Opened:
    """The whole file; EvidenceError where it cannot be opened."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
            if packed:
                file.seek(0)
                return Opened(path, *_unpacked(file.read()))
            size = file.seek(0, 2)
            return Opened(path, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b"")
    except OSError as fault:
        raise EvidenceError(f"{path}: unreadable ({fault.strerror})") from fault


def _unpacked(packed: bytes) -> tuple[bytes, tuple[str, str] | None]:
    """Every member of a gzip file (RFC 1952) up to the first damage, and what that is."""
    parts: list[bytes] = []
    while packed.startswith(GZIP):
        member = zlib.decompressobj(_ANY_GZIP)
        for at in range(0, len(packed), _PIECE):
            try:
                parts.append(member.decompress(packed[at : at + _PIECE]))
            except zlib.error as fault:
                return b"".join(parts), (f"a damaged gzip stream ({fault})", "a sound one")
            if member.eof:
                packed = member.unused_data + packed[at + _PIECE :]
                break
        else:
            return b"".join(parts), ("the end of the file inside a gzip stream", "its trailer")
    return b"".join(parts), None
