"""Doze: when a still, unplugged phone with its screen off sleeps, lightly and deeply, and its maintenance windows.

Constants are the defaults of AOSP's DeviceIdleController (com.android.server, Android 14), from memory:
light_after_inactive_to 4 min, light_idle_to 5 min doubling to 15 min, light maintenance 1 to 5 min; inactive_to 30 min,
idle_after_inactive_to 30 min, sensing and locating about 5 min, idle_to 60 min doubling to 6 h, idle_pending_to 5 min
doubling to 10 min.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Int64
from lab.habits.clock import inside

MINUTE = 60 * SECOND
LIGHT_AFTER = 4 * MINUTE
LIGHT_IDLE = (5 * MINUTE, 15 * MINUTE)  # first, longest
LIGHT_WINDOW = (1 * MINUTE, 5 * MINUTE)  # shortest, longest
DEEP_AFTER = 65 * MINUTE  # 30 inactive + 5 sensing and locating + 30 idle pending
DEEP_IDLE = (60 * MINUTE, 360 * MINUTE)
DEEP_WINDOW = (5 * MINUTE, 10 * MINUTE)


@dataclass(frozen=True)
class Doze:
    """Disjoint intervals (k, 2), ascending: light and deep sleep without their windows, and the windows."""

    light: Int64
    deep: Int64
    maintenance: Int64

    @property
    def asleep(self) -> Int64:
        """Light and deep sleep together."""
        both = np.concatenate([self.light, self.deep])
        return both[np.argsort(both[:, 0], kind="stable")]


def doze(rng: np.random.Generator, still: Int64, moving: Int64) -> Doze:
    """The Doze of a phone whose screen is off and charger away in ``still``; it never sleeps deeply when ``moving``."""
    light: list[tuple[int, int]] = []
    deep: list[tuple[int, int]] = []
    windows: list[tuple[int, int]] = []
    for start, end in still.tolist():
        at = start + DEEP_AFTER
        settled = at < end and not bool(inside(np.array([at]), moving)[0])
        _cycle(rng, light, windows, (start + LIGHT_AFTER, at if settled else end), (LIGHT_IDLE, LIGHT_WINDOW))
        if settled:
            _cycle(rng, deep, windows, (at, end), (DEEP_IDLE, DEEP_WINDOW))
    return Doze(_rows(light), _rows(deep), _rows(windows))


def _cycle(
    rng: np.random.Generator,
    asleep: list[tuple[int, int]],
    windows: list[tuple[int, int]],
    during: tuple[int, int],
    constants: tuple[tuple[int, int], tuple[int, int]],
) -> None:
    (idle, longest), (shortest_window, longest_window) = constants
    now, end = during
    window = shortest_window
    while now < end:
        asleep.append((now, min(now + idle, end)))
        now += idle
        if now < end:
            length = int(window * (1.0 + 0.5 * rng.random()))
            windows.append((now, min(now + length, end)))
            now += length
        idle, window = min(2 * idle, longest), min(2 * window, longest_window)


def _rows(pairs: list[tuple[int, int]]) -> Int64:
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
