"""The gateway's captures as one capture in scenario time: every frame there is, none added, none left out.

A frame's time is that of its conversation's course, or of the plain clock if it is of none. Two frames of one
conversation never change places.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from detector.capture.mapped import MappedFile
from lab.behaviours import Bool
from lab.stages.frames import RECORD, file_header
from lab.stages.labels import Carried
from lab.stages.link import Int64
from lab.stages.live.frames import KINDS, Frames, read_frames
from lab.stages.live.tuples import FlowIndex
from lab.stages.trails import Heard, Trails
from lab.store import write_atomic

BLOCK, ETHERNET = 1 << 13, 14  # frames laid out at a time; bytes of a header
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Mapped:
    """What was in the captures, in numbers; arrays have one row per conversation of the timeline."""

    entry: dict[str, int | str]  # of the manifest: packets, bytes, sha256
    carried: Carried  # its ends in scenario time
    trails: Trails  # of what was sent again nothing is known
    first: Int64  # scenario time of a conversation's first frame; of no meaning where ``carried`` has no packets
    opened: Bool  # its first SYN or datagram was seen
    strays: dict[str, int]  # frames of no conversation, by kind
    twice: int  # frames that the gateway sent back to where they came from, hence seen twice
    backwards: int  # frames whose clock was behind that of the frame before them in their conversation
    lost_bytes: int  # at the ends of captures that were cut
    faults: tuple[str, ...]


def map_captures(captures: Sequence[Path], out: Path, flows: FlowIndex, devices: Int64) -> Mapped:
    """Writes the frames of classic pcap files in the order of scenario time to ``out``, and says what they were.

    ``devices`` are the addresses, as numbers, behind the interface captured on. Memory: 80 bytes per frame at its
    peak, beside the mapped files.
    Raises OSError if a capture is missing or the disk fails.
    """
    seen = read_frames(list(captures), flows, devices)
    time, backwards = _times(seen.frames, flows)
    entry = _write(out, seen.files, seen.frames, time)
    carried, first, opened = _carried(seen.frames, time, flows.count)
    strays = np.bincount(seen.frames.kind[seen.frames.n < 0], minlength=len(KINDS)).tolist()
    return Mapped(
        entry=entry,
        carried=carried,
        trails=_trails(seen.frames, time, flows.count),
        first=first,
        opened=opened,
        strays={name: count for name, count in zip(KINDS, strays, strict=True) if count},
        twice=seen.twice,
        backwards=backwards,
        lost_bytes=seen.lost_bytes,
        faults=tuple(seen.faults),
    )


def _times(frames: Frames, flows: FlowIndex) -> tuple[Int64, int]:
    """The scenario time of each frame, and how many were held back so that they stay behind the one before them."""
    n = frames.n.astype(np.int64)
    time = flows.scenario_time(n, frames.time)
    order = np.argsort(n, kind="stable")
    order = order[np.searchsorted(n[order], 0) :]
    if not len(order):
        return time, 0
    base = int(time[order].min())
    rising = np.maximum.accumulate((n[order] << 43) | (time[order] - base))  # 43 bits: 101 days of microseconds
    kept = (rising & ((1 << 43) - 1)) + base
    held = int(np.count_nonzero(kept != time[order]))
    time[order] = kept
    return time, held


def _write(out: Path, files: list[MappedFile], frames: Frames, time: Int64) -> dict[str, int | str]:
    order = np.argsort(time, kind="stable")
    digest, written = hashlib.sha256(), 0

    def write(file: BinaryIO) -> None:
        nonlocal written
        for piece in _pieces(files, frames, time, order):
            digest.update(piece)
            written += file.write(piece)

    write_atomic(out, write)
    return {"packets": len(frames), "bytes": written, "sha256": digest.hexdigest()}


def _pieces(files: list[MappedFile], frames: Frames, time: Int64, order: Int64) -> Iterator[bytes]:
    """The file header, then the records of some frames at a time."""
    yield file_header()
    for first in range(0, len(order), BLOCK):
        rows = order[first : first + BLOCK]
        heads = np.empty((len(rows), 4), dtype="<u4")
        heads[:, 0], heads[:, 1] = np.divmod(time[rows], 1_000_000)
        heads[:, 2], heads[:, 3] = frames.caplen[rows], frames.length[rows]
        laid = heads.tobytes()
        columns = (frames.capture[rows], frames.offset[rows], frames.offset[rows] + frames.caplen[rows])
        parts = []
        for place, (file, begin, end) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            parts += [laid[place * RECORD : place * RECORD + RECORD], files[file].span(begin, end)]
        yield b"".join(parts)


def _carried(frames: Frames, time: Int64, count: int) -> tuple[Carried, Int64, Bool]:
    """Counts of the conversations, their first frame, and whether they were seen to begin."""
    mine = np.flatnonzero(frames.n >= 0)
    n, up, size = frames.n[mine].astype(np.int64), frames.up[mine], frames.size[mine].astype(np.int64)
    first, last = np.full(count, _NEVER), np.zeros(count, dtype=np.int64)
    np.minimum.at(first, n, time[mine])
    np.maximum.at(last, n, time[mine])
    opened = np.zeros(count, dtype=np.bool_)
    datagram = frames.kind[mine] == KINDS.index("udp")
    opened[n[up & (frames.opens[mine] | datagram)]] = True
    sums = [np.bincount(n, weights=size * side, minlength=count).astype(np.int64) for side in (up, ~up)]
    counts = [np.bincount(n[side], minlength=count).astype(np.int64) for side in (up, ~up)]
    return Carried(last, *sums, *counts), first, opened


def _trails(frames: Frames, time: Int64, count: int) -> Trails:
    mine = np.flatnonzero(frames.n >= 0)
    heard = Heard(
        conversation=frames.n[mine].astype(np.int64),
        time=time[mine],
        up=frames.up[mine],
        flags=frames.flags[mine].astype(np.int64),
        payload=frames.size[mine].astype(np.int64),
        size=frames.length[mine].astype(np.int64) - ETHERNET,
        again=np.zeros(len(mine), dtype=np.bool_),
    )
    return Trails.of(heard, count)
