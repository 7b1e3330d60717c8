"""When a gate is open, for relays and for others: always, while nobody looks, in the foreground, on a charger by night.

Pure interval arithmetic over a Window; it draws nothing and knows no behaviour.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64, Window
from lab.habits.clock import gaps, merged, whole

GATES = ("always", "locked", "unlocked", "foreground", "plugged-idle")
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


def gated(window: Window, gate: str, from_hour: float = 0.0, until_hour: float = 24.0) -> Int64:
    """(k, 2) intervals in which the gate is open, between two hours of the day (over midnight where from > until).

    ``plugged-idle``: on a charger, on Wi-Fi and the screen dark, as a job with JobScheduler's constraints
    setRequiresCharging, setRequiresDeviceIdle and NETWORK_TYPE_UNMETERED runs (developer.android.com, JobInfo.Builder).
    """
    span = window.span
    if gate not in GATES:
        raise KeyError(gate)
    if gate == "locked":
        found = gaps(window.unlocked, span)
    elif gate == "plugged-idle":
        found = both(both(window.charging, window.wifi, span), gaps(window.screen_on, span), span)
    else:
        found = whole(span) if gate == "always" else getattr(window, gate)
    if (from_hour, until_hour) == (0.0, 24.0):
        return found
    return both(found, hours(window, from_hour, until_hour), span)


def hours(window: Window, from_hour: float, until_hour: float) -> Int64:
    """(k, 2) intervals of every day of the window between two hours, over midnight where ``from_hour`` is the later."""
    lasts = (until_hour - from_hour) % 24.0 or 24.0
    begins = np.arange(window.midnight - DAY, window.span, DAY, dtype=np.int64) + int(from_hour * HOUR)
    daily = np.clip(np.stack([begins, begins + int(lasts * HOUR)], axis=1), 0, window.span)
    return merged(daily[daily[:, 1] > daily[:, 0]])


def awake(window: Window) -> Int64:
    """(k, 2) intervals in which the app has the network: outside Doze, all of the span if it is exempt."""
    return gaps(window.barred, window.span)


def both(one: Int64, other: Int64, span: int) -> Int64:
    """(k, 2) what lies in both of two sets of disjoint intervals within [0, span)."""
    outside = np.concatenate([gaps(one, span), gaps(other, span)])
    return gaps(merged(outside), span)
