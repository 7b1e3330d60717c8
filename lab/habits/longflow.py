"""Long conversations: when they break and are dialled again, and how several streams of words share one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Bool, Int64

FIRST_S = 60.0  # within which a connection is first seen to be dialled that might have stood for days


@dataclass(frozen=True)
class Words:
    """Exchanges to be said in whichever conversation is open at their time; columns of equal length."""

    time: Int64
    up: Int64
    down: Int64
    delay: Int64

    def during(self, begin: int, end: int) -> Words:
        """The words said from begin until end."""
        kept = (self.time >= begin) & (self.time + self.delay < end)
        return self.only(kept)

    def only(self, kept: Bool) -> Words:
        """The words so marked."""
        return Words(self.time[kept], self.up[kept], self.down[kept], self.delay[kept])


def words(time: Int64, up: object, down: object, delay: object = 0) -> Words:
    """Words of the given times; sizes and delays may be single numbers."""
    return Words(np.asarray(time, dtype=np.int64), *(_column(part, time.shape) for part in (up, down, delay)))


def _column(part: object, shape: tuple[int, ...]) -> Int64:
    column = np.asarray(part, dtype=np.int64)
    if column.shape == shape:
        return column
    return np.full(shape, column) if column.ndim == 0 else np.broadcast_to(column, shape)


def joined(*parts: Words) -> Words:
    """All words, part after part."""
    return Words(*(np.concatenate([vars(part)[name] for part in parts]) for name in ("time", "up", "down", "delay")))


def together(*parts: Words) -> Words:
    """All words in the order of their times; those of equal time keep the order of the parts."""
    whole = joined(*parts)
    order = np.argsort(whole.time, kind="stable")
    return Words(*(column[order] for column in vars(whole).values()))


def dials(
    rng: np.random.Generator, lifetime_s: float, span: int, *, pause_s: float = 3.0, first_s: float = FIRST_S
) -> list[tuple[int, int]]:
    """(begin, end) of successive conversations: each lives an exponential time, redialled after a short pause.

    The first begins within ``first_s``; the last may end with the span. Exponential lifetimes are an assumption:
    mobile networks, NATs and servers end connections without memory.
    """
    found = []
    now = int(rng.random() * first_s * SECOND)
    while now < span:
        end = now + int(max(rng.exponential(lifetime_s), 30.0) * SECOND)
        found.append((now, min(end, span)))
        now = end + int((0.2 + rng.exponential(pause_s)) * SECOND)
    return found


def dials_during(
    rng: np.random.Generator, lifetime_s: float, intervals: Int64, *, first_s: float = 2.0
) -> list[tuple[int, int]]:
    """As ``dials``, in each of the intervals for itself: a tunnel that is up only while it may be used.

    The first begins within ``first_s`` of its interval's; where that begins with the window, as if it never had ended.
    """
    return [
        (begin + first, begin + last)
        for begin, end in intervals.tolist()
        for first, last in dials(rng, lifetime_s, end - begin, first_s=first_s if begin else FIRST_S)
    ]


def ticks(rng: np.random.Generator, begin: int, end: int, every_s: float) -> Int64:
    """Times from begin to end, ``every_s`` apart after the first full interval, each a few milliseconds late."""
    count = max(int((end - begin) / (every_s * SECOND)), 0)
    late = rng.exponential(8_000.0, count).astype(np.int64)
    return begin + (np.arange(1, count + 1) * (every_s * SECOND)).astype(np.int64) + late
