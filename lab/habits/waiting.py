"""What becomes of an app's contacts that are due while it may not be in contact: they wait, or Doze rations them.

Times are int64 microseconds from the scenario's start, openings (k, 2) of them. Nothing here knows laws of sleep, nor
why a gate is shut: that is lab/habits/gates.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Int64, Window
from lab.habits.clock import inside, interval_of, merged

SHUT = ("wait", "skip")
QUEUE_S = 4.0  # mean wait behind others that waited for the same opening: an assumption
_SPARE = 8  # draws beyond the expected number


@dataclass(frozen=True)
class Sleeper:
    """A clock that sleeps after each contact: when it wakes first, its mean sleep, and how sleeps are drawn.

    ``draw(count)`` gives (r, count): sleeps in microseconds in the first row, in the others what rides along with each
    contact.
    """

    first: int
    mean_us: float
    draw: Callable[[int], Int64]


def waited(rng: np.random.Generator, due: Int64, open_: Int64) -> Int64:
    """Due times with those at a shut gate moved behind its opening, one for each; those that nothing opens are lost."""
    free = inside(due, open_)
    nexts = np.unique(np.searchsorted(open_[:, 0], due[~free]))
    nexts = nexts[nexts < len(open_)]
    late = open_[nexts, 0] + _queue(rng, open_[nexts, 1] - open_[nexts, 0])
    return np.sort(np.concatenate([due[free], late]))


def walk(rng: np.random.Generator, sleeper: Sleeper, open_: Int64) -> Int64:
    """Contacts of a clock that sleeps after each, and waits where it wakes at a shut gate: rows time, sleep, riders.

    Sleep goes on while the gate is shut; it is the contact that waits, and the next sleep begins behind it.
    """
    parts: list[Int64] = []
    begins, ends = open_[:, 0].tolist(), open_[:, 1].tolist()
    now = sleeper.first
    while (place := bisect_right(ends, now)) < len(ends):  # the first opening that has not ended by then
        begin, end = begins[place], ends[place]
        if now < begin:
            now = begin + min(int(rng.exponential(QUEUE_S) * SECOND), (end - begin) // 2)  # as _queue
        part, now = _stretch(sleeper, now, end)
        parts.append(part)
    return _joined(sleeper, parts)


def rationed(rng: np.random.Generator, sleeper: Sleeper, window: Window, ration_us: int) -> Int64:
    """Contacts of a clock of exact alarms that may fire while idle: rows time, sleep, riders.

    In Doze two of them are at least the ration apart; one that still waits when Doze ends fires then.
    """
    parts: list[Int64] = []
    doze, now, last = merged(window.barred), sleeper.first, -ration_us
    while now < window.span:
        where = int(interval_of(np.array([now]), doze)[0])
        if where < 0:
            after = doze[doze[:, 0] > now, 0]
            end = int(after[0]) if len(after) else window.span
            part, now = _stretch(sleeper, now, end)
        else:
            end = int(doze[where, 1])
            now = max(now, last + ration_us)
            if now >= end:
                now = end + int(rng.exponential(QUEUE_S / 4) * SECOND)
                continue
            part, now = _stretch(sleeper, now, end, ration_us)
            now = max(int(part[0, -1] + part[1, -1]), end)
        parts.append(part)
        last = int(part[0, -1])
    return _joined(sleeper, parts)


def thinned(due: Int64, window: Window, ration_us: int) -> Int64:
    """Due times as exact alarms that may fire while idle: in Doze at least the ration apart, late ones at its end."""
    doze = merged(window.barred)
    dozing = inside(due, doze)
    found, last = [due[~dozing]], -ration_us
    for begin, end in doze.tolist():
        mine = due[(due >= begin) & (due < end)]
        before = due[due < begin]
        last = max(last, int(before[-1])) if len(before) else last
        while len(mine):
            last = min(max(int(mine[0]), last + ration_us), end)
            found.append(np.array([last], dtype=np.int64))
            mine = mine[mine > last]
            if last == end:
                break
    times = np.unique(np.concatenate(found))
    return times[times < window.span]


def _queue(rng: np.random.Generator, lengths: Int64) -> Int64:
    """How long after an opening a contact comes that waited for it; within its first half."""
    queue = rng.exponential(QUEUE_S, len(lengths)) * SECOND
    return np.minimum(queue.astype(np.int64), lengths // 2)


def _stretch(sleeper: Sleeper, now: int, end: int, least_us: int = 0) -> tuple[Int64, int]:
    """Contacts from now until the end without a gate, at least one, and when the next one is due."""
    parts = []
    while now < end:
        table = sleeper.draw(int((end - now) / max(sleeper.mean_us, least_us, SECOND)) + _SPARE)
        steps = np.maximum(table[0], least_us)
        times = now + np.cumsum(steps) - steps
        said = int(np.searchsorted(times, end))
        parts.append(np.concatenate([times[None, :said], table[:, :said]]))
        now = int(times[said - 1] + steps[said - 1])
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1), now


def _joined(sleeper: Sleeper, parts: list[Int64]) -> Int64:
    return np.concatenate([np.zeros((len(sleeper.draw(0)) + 1, 0), dtype=np.int64), *parts], axis=1)
