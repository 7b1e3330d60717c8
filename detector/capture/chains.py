"""The offsets of records that each say where the next one begins.

Rule: the result is always that of ``walk_in_order``. Large files are cut into pieces, a plausible record start is
guessed in each, and all pieces are walked in lockstep. A guess counts only where the piece before lands exactly on
it; any other piece is walked again in order, from the proven offset. Guesses decide about speed, never about results.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detector.capture.lanes import ONE_LANE, Lanes

Offsets = NDArray[np.int64]

PIECES = 2048
WINDOW = 2048  # bytes of a piece in which a record start is looked for
BLOCK = 1 << 20  # offsets for which room is made at once
WORTH_BYTES = 4 << 20  # smaller files are walked in order


class Links(Protocol):
    """How records hang together. A length of 0 says that no record can be read at this offset."""

    @property
    def start(self) -> int:
        """The offset of the first record."""
        ...

    @property
    def end(self) -> int:
        """The end of the file."""
        ...

    def length(self, offset: int) -> int:
        """The length of the record at the offset, itself included."""
        ...

    def lengths(self, offsets: Offsets) -> Offsets:
        """The same for many offsets."""
        ...

    def guess(self, begins: Offsets, window: int) -> Offsets:
        """For each begin a plausible record start in [begin, begin + window), or -1."""
        ...


def walk(links: Links, lanes: Lanes, pieces: int = PIECES) -> tuple[Offsets, int]:
    """The offsets of all whole records from ``links.start`` on, and the offset where the next would begin."""
    if pieces < 2 or links.end - links.start < WORTH_BYTES:
        return walk_in_order(links, links.start, links.end)
    return walk_pieces(links, pieces, lanes=lanes)


def walk_in_order(links: Links, start: int, until: int) -> tuple[Offsets, int]:
    """The offsets of records from ``start`` up to the first at or past ``until``, and that one's offset.

    Stops earlier at a record that cannot be read or reaches past ``links.end``, and gives its offset.
    """
    found, at = [], start
    length_of, end = links.length, links.end
    while at < until:
        length = length_of(at)
        if length == 0 or at + length > end:
            break
        found.append(at)
        at += length
    return np.array(found, np.int64), at


def walk_pieces(links: Links, pieces: int, window: int = WINDOW, lanes: Lanes = ONE_LANE) -> tuple[Offsets, int]:
    """As ``walk_in_order`` over all records, by speculation that is verified."""
    if links.start >= links.end:
        return walk_in_order(links, links.start, links.end)
    pieces = min(pieces, links.end - links.start)
    borders = np.linspace(links.start, links.end, pieces + 1).astype(np.int64)
    begins = links.guess(borders[:-1], window)
    begins[begins >= borders[1:]] = -1
    begins[0] = links.start
    halves = np.linspace(0, pieces, min(lanes.threads, pieces) + 1).astype(int).tolist()
    shares = [slice(*both) for both in pairwise(halves)]
    chains = np.concatenate(lanes.over(lambda share: _lockstep(links, begins[share], borders[1:][share]), shares))
    edges = np.searchsorted(chains, borders)
    parts: list[Offsets] = []
    at, kept = links.start, 0  # chains[kept:edge] is proven and waits to be copied in one go
    for piece in range(pieces):
        first, last = int(edges[piece]), int(edges[piece + 1])
        skipped = at >= borders[piece + 1]  # by a record longer than the piece
        proven = first == last if skipped else first < last and int(chains[first]) == at
        if not proven:
            parts.append(chains[kept:first])
            redone, at = walk_in_order(links, at, int(borders[piece + 1]))
            parts.append(redone)
            kept = last
        elif first < last:
            final = int(chains[last - 1])
            at = final + links.length(final)
        if at < borders[piece + 1]:  # stopped by a record that cannot be read
            parts.append(chains[kept:last])
            return np.concatenate(parts), at
    parts.append(chains[kept:])
    return np.concatenate(parts), at


def _lockstep(links: Links, begins: Offsets, limits: Offsets) -> Offsets:
    """All offsets met by walking every begin up to its limit, sorted."""
    known = begins >= 0
    at, limit = begins[known], limits[known]
    blocks, used = [np.empty(max(BLOCK, len(at)), np.int64)], 0  # few large ones: their pages are cheap to come by
    while len(at):
        length = links.lengths(at)
        following = at + length
        whole = (length > 0) & (following <= links.end)
        met = at if whole.all() else at[whole]
        if used + len(met) > len(blocks[-1]):
            blocks[-1] = blocks[-1][:used]
            blocks.append(np.empty_like(blocks[0]))
            used = 0
        blocks[-1][used : used + len(met)] = met
        used += len(met)
        going = whole & (following < limit)
        if going.all():
            at = following
        else:
            at, limit = following[going], limit[going]
    blocks[-1] = blocks[-1][:used]
    chains = np.concatenate(blocks)
    chains.sort()
    return chains
