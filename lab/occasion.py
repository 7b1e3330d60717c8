"""When an app may run at all: always, in use, unlocked, locked, on the charger at night, in office hours.

It turns a phone's day into intervals and times into those that fall inside; it draws nothing and knows no network.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64, Window
from lab.clock import gaps, inside, merged, whole

HOUR = 3600 * SECOND
DAY = 24 * HOUR
OCCASIONS = ("always", "foreground", "unlocked", "locked", "screen-off", "charging", "wifi", "backup", "working-hours")
WORK = (9.0, 17.5)  # hours of the day, Monday to Sunday: facts, section 7.1, M10
#: The sentence of the setting ``when``: behaviours share it so that the catalogue prints one.
SOURCE = (
    "backup: charging, on Wi-Fi and locked, as JobInfo.Builder.setRequiresCharging and setRequiredNetworkType ask "
    "(developer.android.com, from memory); working-hours: 09:00 to 17:30"
)


def allowed(window: Window, occasion: str) -> Int64:
    """The intervals of the span in which that occasion holds, ascending and disjoint; LookupError on an unknown one."""
    if occasion == "always":
        return whole(window.span)
    if occasion in {"foreground", "unlocked", "charging", "wifi"}:
        found: Int64 = getattr(window, occasion)
        return found
    if occasion == "locked":
        return gaps(window.unlocked, window.span)
    if occasion == "screen-off":
        return gaps(window.screen_on, window.span)
    if occasion == "backup":
        return common(common(window.charging, window.wifi), gaps(window.unlocked, window.span))
    if occasion == "working-hours":
        return working_hours(window)
    raise LookupError(f"unknown occasion '{occasion}'; known are {', '.join(OCCASIONS)}")


def during(times: Int64, window: Window, occasion: str) -> Int64:
    """The times at which the occasion holds."""
    return times if occasion == "always" else times[inside(times, allowed(window, occasion))]


def working_hours(window: Window, begin: float = WORK[0], end: float = WORK[1]) -> Int64:
    """From ``begin`` to ``end`` o'clock of every day of the span."""
    days = np.arange(window.midnight, window.span, DAY, dtype=np.int64)
    found = np.stack([days + int(begin * HOUR), days + int(end * HOUR)], axis=1).clip(0, window.span)
    return found[found[:, 1] > found[:, 0]]


def common(one: Int64, other: Int64) -> Int64:
    """What lies in both of two sets of disjoint intervals."""
    if not len(one) or not len(other):
        return one[:0]
    end = int(max(one[-1, 1], other[-1, 1]))
    outside = np.concatenate([_outside(one, end), _outside(other, end)])
    return _outside(merged(outside), end)


def _outside(intervals: Int64, end: int) -> Int64:
    """What lies between disjoint intervals in [0, end), touching ones made one first."""
    return gaps(merged(intervals), end)
