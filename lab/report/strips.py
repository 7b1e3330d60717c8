"""Timing strips: when an app spoke, hour by hour, over a shading of when its phone was locked.

Geometry only, from times to numbers; the template draws. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 960  # columns of a strip; 24 h are 90 s a column
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Strip:
    """One incident over its recording. Times in microseconds since the epoch; pairs are [from, until)."""

    scenario: str
    seed: int
    incident: str
    start: int
    span: int
    conversations: Sequence[tuple[int, int]]
    locked: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Drawing:
    """A strip in columns: an SVG path of the conversations, rectangles (x, width) of lock, marks (x, text) of hours."""

    strip: Strip
    width: int
    path: str
    locked: tuple[tuple[int, int], ...]
    hours: tuple[tuple[int, str], ...]


def draw(strip: Strip) -> Drawing:
    """The drawing of a strip; what falls on the same columns is one stroke, and one shade."""
    path = "".join(f"M{x} 4h{width}v20h{-width}z" for x, width in _strokes(strip, strip.conversations))
    return Drawing(strip, WIDTH, path, tuple(_strokes(strip, strip.locked)), _hours(strip))


def _strokes(strip: Strip, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The columns (x, width) that the pairs cover, ascending, without touching."""
    merged: list[tuple[int, int]] = []
    for left, right in sorted({_columns(strip, *pair) for pair in pairs}):
        if merged and left <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, right))
    return [(left, right - left) for left, right in merged]


def _columns(strip: Strip, begin: int, until: int) -> tuple[int, int]:
    left = _column(strip, begin)
    return left, min(WIDTH, max(left + 1, _column(strip, until)))


def _column(strip: Strip, time: int) -> int:
    return min(WIDTH - 1, max(0, (time - strip.start) * WIDTH // max(1, strip.span)))


def _hours(strip: Strip) -> tuple[tuple[int, str], ...]:
    """A mark every sixth of the span, in whole hours since midnight UTC where that fits."""
    step = max(HOUR, -(-strip.span // 8 // HOUR) * HOUR)
    first = -(-strip.start // step) * step
    times = range(first, strip.start + strip.span, step)
    return tuple((_column(strip, time), f"{time // HOUR % 24:02d}:00") for time in times)
