"""The frames of a replay, made before it begins, in an unlinked temporary file: sending copies nothing.

Memory holds what the system's page cache holds of them. Repetitions change ports in place, between two rounds.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from detector.contract import Advance
from lab.replaying.checksums import Bytes, Int64
from lab.replaying.ports import turned
from lab.replaying.rewriting import Rewriting
from lab.replaying.source import Source

BLOCK = 8_192  # frames laid out at a time
_PCAP = struct.Struct("<IHHiIII")
_SNAPLEN, _ETHERNET = 262_144, 1


@dataclass
class Prepared:
    """Frames ready to be sent: ``buffer[begin[i]:begin[i] + size[i]]``; rows are those of ``source``."""

    source: Source
    buffer: Bytes
    begin: Int64
    size: Int64
    round: int = 0
    _keep: list[object] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        return len(self.begin)

    def turn(self) -> None:
        """Makes the frames those of the next repetition."""
        self.round += 1
        moved = self.size - np.maximum(self.source.size, self.source.length)
        transport = np.where(self.source.transport >= 0, self.begin + self.source.transport + moved, -1)
        transport[self.source.source_port < 0] = -1
        turned(self.buffer, transport, self.source)

    def frames(self) -> Iterator[bytes]:
        """Every frame, copied."""
        data = memoryview(self.buffer.data)
        for begin, size in zip(self.begin.tolist(), self.size.tolist(), strict=True):
            yield bytes(data[begin : begin + size])


def prepare(source: Source, rewriting: Rewriting, advance: Advance) -> Prepared:
    """Lays out every frame of the source; OSError if the temporary folder has no room for them."""
    begins, sizes, place = [], [], 0
    with tempfile.TemporaryFile() as spill:
        for first in range(0, len(source), BLOCK):
            block = rewriting.block(source.take(np.arange(first, min(first + BLOCK, len(source)))))
            spill.write(block.buffer.data)
            begins.append(block.begin + place)
            sizes.append(block.size)
            place += len(block.buffer)
            advance(min(first + BLOCK, len(source)), len(source))
        spill.flush()
        mapped = mmap.mmap(spill.fileno(), place, access=mmap.ACCESS_WRITE)
    buffer = np.frombuffer(mapped, np.uint8)
    return Prepared(source, buffer, np.concatenate(begins), np.concatenate(sizes), _keep=[mapped])


def write_pcap_header(file: BinaryIO) -> None:
    """The header of a classic pcap: little endian, microseconds, Ethernet."""
    file.write(_PCAP.pack(0xA1B2C3D4, 2, 4, 0, 0, _SNAPLEN, _ETHERNET))


def write_pcap_records(file: BinaryIO, prepared: Prepared, time: Int64) -> None:
    """The frames as they are now as pcap records, at these microseconds since the epoch."""
    pack = struct.Struct("<IIII").pack
    frames = zip(time.tolist(), prepared.frames(), strict=True)
    file.writelines(pack(at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame for at, frame in frames)
