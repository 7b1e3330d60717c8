"""What reading a background once tells: who is in it, where its parts begin, and the manner of its hosts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from detector.contract import Advance
from lab.behaviours import Int64
from lab.errors import EvidenceError
from lab.injecting.census import Census
from lab.injecting.guise import Tapes
from lab.injecting.habits import Manner, directions
from lab.injecting.heads import heads
from lab.injecting.merging import Background
from lab.injecting.parts import Place, part_at, parts, refuse_empty

SAMPLED = 12  # parts of the background from which its manner is learned
MOST = 240_000  # packets from which it is learned
BLOCKS = 8  # runs of packets taken from each of these parts, if it has too many


@dataclass(frozen=True)
class Known:
    """What reading the background once has told."""

    background: Background
    census: Census
    starts: tuple[Place, ...]
    sha256: str

    def told(self) -> dict[str, Any]:
        """What a merged recording says of it; times in microseconds since the epoch, of its first and last packet."""
        background = self.background
        about = {"file": background.path.name, "sha256": self.sha256, "packets": background.packets}
        span = {"first": self.census.first, "last": self.census.last}
        return {**about, "bytes": background.end, "link": background.link, **span, "partial": background.partial}


def read_background(path: Path, *, allow_partial: bool, advance: Advance) -> Known:
    """Reads the background once: census, link type, where its parts begin."""
    census, starts, links, end, partial = Census(), [], set[int](), 0, None
    size = path.stat().st_size
    for part in parts(path, allow_partial=allow_partial):
        starts.append(part.place)
        census.add(heads(part, census.book), part.records.time)
        links |= set(np.unique(part.records.link).tolist())
        end, partial = part.end, str(part.records.damage) if part.records.damage else None
        advance(part.end, size)
    refuse_empty(path, census.packets)
    if len(links) > 1:
        found = ", ".join(map(str, sorted(links)))
        raise EvidenceError(
            f"{path}: found link types {found}, expected one: split it by interface (editcap) and choose"
        )
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Known(Background(path, links.pop(), census.packets, end, partial), census, tuple(starts), digest)


def manner_of(known: Known, model: str) -> tuple[Manner, Tapes]:
    """The manner of the model and the tapes, from parts spread over the whole background."""
    own, every = Manner(), Manner()
    step = max(1, len(known.starts) // SAMPLED)
    places, host = known.starts[::step], known.census.number(model)
    for place in places:
        part, _ = part_at(known.background.path, place)
        some = heads(part, known.census.book)
        mine = np.flatnonzero(directions(some, host) >= 0)
        for manner, rows, who in ((own, mine, host), (every, np.arange(len(some)), None)):
            kept = some.take(rows[spread(len(rows), MOST // len(places))])
            manner.add(part, kept, directions(kept, who))
    own.link, own.snap = known.background.link, max(own.snap, every.snap)
    return own, Tapes(own.tapes(), every.tapes())


def spread(count: int, most: int) -> Int64:
    """At most about ``most`` of so many rows: all, or BLOCKS runs of neighbours spread over them.

    >>> spread(100, 16).tolist()
    [0, 1, 14, 15, 28, 29, 42, 43, 56, 57, 70, 71, 84, 85, 98, 99]
    """
    if count <= most:
        return np.arange(count)
    size = max(1, most // BLOCKS)
    begins = np.linspace(0, count - size, BLOCKS).astype(np.int64)
    return (begins[:, None] + np.arange(size)).ravel()
