"""Where the packets of a capture file lie, when they were seen, and on what kind of link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.capture.damage import CaptureError, Damage
from detector.capture.lanes import Lanes
from detector.capture.mapped import MappedFile

MAX_PACKET = 262_144  # as libpcap and Wireshark; larger lengths are damage, not packets
GZIP = b"\x1f\x8b"
KNOWN_MAGICS = "pcap (a1b2c3d4, a1b23c4d) or pcapng (0a0d0d0a)"


@dataclass(frozen=True)
class Records:
    """The packets of a file in file order, columns of equal length; ``damage`` is what stopped the reading.

    ``offset`` is the first byte of the packet in the file, ``caplen`` how many bytes are there, ``length`` how many
    were on the wire, ``time`` microseconds since the epoch, ``link`` the LINKTYPE_ number.
    """

    form: str  # "pcap", "pcapng"
    offset: NDArray[np.int64]
    caplen: NDArray[np.uint32]
    length: NDArray[np.uint32]
    time: NDArray[np.int64]
    link: NDArray[np.uint16]
    damage: Damage | None = None

    def __len__(self) -> int:
        return len(self.offset)

    def chunks(self, size: int) -> Iterator[slice]:
        """Slices of at most ``size`` packets that cover all."""
        return (slice(begin, min(begin + size, len(self))) for begin in range(0, len(self), size))


def read_records(file: MappedFile, path: Path, lanes: Lanes) -> Records:
    """The records of a pcap or pcapng file, up to its first damage; CaptureError if it is neither."""
    from detector.capture import pcap, pcapng

    magic = file.span(0, 4)
    if magic in pcap.MAGICS:
        return pcap.read(file, lanes)
    if magic == pcapng.SECTION_MAGIC:
        return pcapng.read(file, lanes)
    raise _not_a_capture(path, magic)


def _not_a_capture(path: Path, magic: bytes) -> CaptureError:
    from detector.capture.pcap import MODIFIED

    advice = "is this a capture? The logs that are read stand in docs/telemetry.md"
    found = f"magic {magic.hex()}" if magic else "an empty file"
    if magic.startswith(GZIP):
        found, advice = "a gzip file", f"run: gunzip '{path}'"
    elif magic in MODIFIED:
        found = f"modified pcap magic {magic.hex()}"
        advice = f"run: editcap -F pcap '{path}' fixed.pcap"
    elif 0 < len(magic) < 4:
        found = f"{len(magic)} bytes"
    return CaptureError(path, Damage(1, 0, found, KNOWN_MAGICS), advice)
