"""Clocks of apps: sleeps that renew themselves, alarms that keep their phase, jobs that wait for Doze to open.

Times are int64 microseconds from the scenario's start. Nothing here knows what an app does when its clock strikes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lab.behaviours import SECOND, Bool, Int64, Window
from lab.habits.standby import rationed

Floats = npt.NDArray[np.float64]

LAWS = ("fixed", "uniform", "cobalt-strike", "additive", "exponential", "lognormal")
SHORTEST_SLEEP_S = 1.0
THOUGHT_US, THOUGHT_SIGMA = 40_000.0, 0.6  # log-normal, what a server thinks about a question (an assumption)
LONGEST_SLEEP_S = 100 * 86_400.0  # keeps sums of log-normal sleeps within 64 bits


_FACTORS: Mapping[str, Callable[[Floats, float], Floats]] = {  # of numbers in [0, 1) and a jitter: parts of a period
    "fixed": lambda unit, _: np.ones(len(unit)),
    "uniform": lambda unit, jitter: 1.0 + jitter * (2.0 * unit - 1.0),
    "cobalt-strike": lambda unit, jitter: 1.0 - jitter * unit,
    "additive": lambda unit, jitter: 1.0 + jitter * unit,
    "exponential": lambda unit, _: -np.log1p(-unit),
}


def sleeps(
    rng: np.random.Generator, law: str, period_s: float, jitter: float, count: int, *, sigma: float = 1.0
) -> Int64:
    """(count,) sleeps in microseconds, never below one second.

    fixed: T. uniform: T(1 + J U(-1, 1)), as Mythic agents do. cobalt-strike: T(1 - J U(0, 1)), after the manual of that
    product ("sleep [seconds] [jitter 0-99 %]"). additive: T + U(0, J T), as Sliver does, whose jitter is a duration.
    exponential: mean T, the memoryless sleep. lognormal: T exp(sigma N(0, 1)), median T, mean T exp(sigma^2 / 2).
    Laws of Mythic, Cobalt Strike and Sliver are quoted from memory.
    """
    if law == "lognormal":
        factor = np.exp(sigma * rng.standard_normal(count))
    else:
        factor = _FACTORS[law](rng.random(count), jitter)
    return (np.clip(period_s * factor, SHORTEST_SLEEP_S, LONGEST_SLEEP_S) * SECOND).astype(np.int64)


def renewal(
    rng: np.random.Generator, law: str, period_s: float, jitter: float, span: int, *, sigma: float = 1.0
) -> Int64:
    """Times of a renewal process, next = now + sleep, in [0, span); the first falls anywhere in the first period."""
    now = int(rng.random() * period_s * SECOND)
    parts = [np.array([now], dtype=np.int64)]
    chunk = int(span / (max(period_s, SHORTEST_SLEEP_S) * SECOND)) + 16
    while now < span:
        part = now + np.cumsum(sleeps(rng, law, period_s, jitter, chunk, sigma=sigma))
        parts.append(part)
        now = int(part[-1])
    times = np.concatenate(parts)
    return times[times < span]


def alarms(rng: np.random.Generator, period_s: float, flex: float, span: int) -> Int64:
    """Times of an alarm that keeps its phase, phase + k T, each late by up to flex T, in [0, span)."""
    period = int(period_s * SECOND)
    count = span // period + 1
    late = rng.random(count) * flex * period
    times = int(rng.random() * period) + np.arange(count, dtype=np.int64) * period + late.astype(np.int64)
    times.sort()
    return times[times < span]


def jobs(rng: np.random.Generator, window: Window, period_s: float, flex: float) -> Int64:
    """Times of a periodic job as JobScheduler runs it: once per period, within its flex, never inside Doze.

    Runs that fall into Doze wait for the next maintenance window and collapse into one
    (developer.android.com, "Optimize for Doze and App Standby": jobs and syncs are deferred to the window).
    """
    due = alarms(rng, period_s, flex, window.span)
    return deferred(rng, due, window)


def deferred(rng: np.random.Generator, due: Int64, window: Window) -> Int64:
    """Due times with those inside Doze moved to its end, one per Doze interval, a few seconds into the window.

    What the quota of the app's standby bucket does not allow waits too (lab.habits.standby).
    """
    doze = _deepened(window.barred.tobytes())
    where = interval_of(due, doze)
    if not (held := where >= 0).any():
        return rationed(rng, np.sort(due[due < window.span]), window)
    free = due[~held]
    waiting = np.flatnonzero(np.bincount(where[held]))
    queue = rng.exponential(4.0, len(waiting)) * SECOND  # jobs of a window run one after the other
    closing = np.append(doze[1:, 0], np.iinfo(np.int64).max)[waiting]
    late = np.minimum(doze[waiting, 1] + queue.astype(np.int64), closing - 1)
    times = np.sort(np.concatenate([free, late]))
    return rationed(rng, times[times < window.span], window)


@lru_cache(maxsize=32)
def _deepened(doze: bytes) -> Int64:
    """A window's Doze made of as few intervals as can be: light sleep deepens without a window between.

    All jobs of a phone ask for the same; what they get is read-only.
    """
    found = merged(np.frombuffer(doze, dtype=np.int64).reshape(-1, 2))
    found.setflags(write=False)
    return found


def interval_of(times: Int64, intervals: Int64) -> Int64:
    """(n,) index of the interval [from, until), ascending and disjoint, that holds each time, -1 where none does."""
    place = intervals.ravel().searchsorted(times, side="right")  # odd: behind a beginning, before its end
    return np.where(place & 1, place >> 1, -1)


def inside(times: Int64, intervals: Int64) -> Bool:
    """(n,) whether each time falls into one of the intervals, which are ascending and disjoint."""
    held: Bool = (intervals.ravel().searchsorted(times, side="right") & 1).astype(np.bool_)
    return held


def poisson(rng: np.random.Generator, per_hour: float, intervals: Int64) -> Int64:
    """Times of a Poisson process of that rate inside the intervals, ascending."""
    lengths = intervals[:, 1] - intervals[:, 0]
    counts = rng.poisson(lengths / (3600 * SECOND) * per_hour)
    starts = np.repeat(intervals[:, 0], counts)
    times = starts + (rng.random(len(starts)) * np.repeat(lengths, counts)).astype(np.int64)
    times.sort()
    return times


def whole(span: int) -> Int64:
    """The one interval that covers the scenario."""
    return np.array([[0, span]], dtype=np.int64)


def thinking(rng: np.random.Generator, count: int, median_ms: float = THOUGHT_US / 1000.0) -> Int64:
    """(count,) times a server takes to answer, in microseconds: log-normal, sigma THOUGHT_SIGMA."""
    return (rng.lognormal(np.log(median_ms * 1000.0), THOUGHT_SIGMA, count)).astype(np.int64)


def around(rng: np.random.Generator, size: int, spread: float, count: int) -> Int64:
    """(count,) sizes in bytes, uniform within ``spread`` (a fraction) around ``size``."""
    return np.rint(size * (1.0 + spread * (2.0 * rng.random(count) - 1.0))).astype(np.int64)


def merged(intervals: Int64) -> Int64:
    """The union of intervals, ascending and disjoint."""
    order = intervals[np.argsort(intervals[:, 0], kind="stable")]
    if len(order) == 0:
        return order
    reach = np.maximum.accumulate(order[:, 1])
    first = np.concatenate([[True], order[1:, 0] > reach[:-1]])
    last = np.concatenate([first[1:], [True]])
    return np.stack([order[first, 0], reach[last]], axis=1)


def gaps(intervals: Int64, span: int) -> Int64:
    """What lies between disjoint intervals in [0, span)."""
    edges = np.concatenate([[0], intervals.ravel(), [span]]).reshape(-1, 2)
    return edges[edges[:, 1] > edges[:, 0]]
