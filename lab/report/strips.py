"""Timing strips: when an app spoke, what its phone was doing meanwhile, and how much was said each time.

Geometry only, from times to columns; the page's script draws. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 960  # columns of a strip; 24 h are 90 s a column


@dataclass(frozen=True)
class Strip:
    """One incident over its recording. Times in microseconds since the epoch; pairs are [from, until).

    ``sizes``: (time, bytes up, bytes down) of every exchange, or of every conversation where no more is known.
    """

    scenario: str
    seed: int
    incident: str
    start: int
    span: int
    conversations: Sequence[tuple[int, int]]
    locked: Sequence[tuple[int, int]] = ()
    screen_on: Sequence[tuple[int, int]] = ()
    dozing: Sequence[tuple[int, int]] = ()
    sizes: Sequence[tuple[int, int, int]] = ()


def strokes(strip: Strip, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The columns that the pairs cover, as from, width, from, width, ...: ascending, without touching."""
    merged: list[tuple[int, int]] = []
    for left, right in sorted({_columns(strip, *pair) for pair in pairs}):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, right))
    return [number for left, right in merged for number in (left, right - left)]


def sample(strip: Strip, most: int) -> list[tuple[int, int, int]]:
    """At most that many of the sizes, evenly spread over them in the order of time, the first and last included."""
    many = len(strip.sizes)
    if many <= most:
        return list(strip.sizes)
    return [strip.sizes[round(index * (many - 1) / max(1, most - 1))] for index in range(most)]


def _columns(strip: Strip, begin: int, until: int) -> tuple[int, int]:
    left = _column(strip, begin)
    return left, min(WIDTH, max(left + 1, _column(strip, until)))


def _column(strip: Strip, time: int) -> int:
    return min(WIDTH - 1, max(0, (time - strip.start) * WIDTH // max(1, strip.span)))
