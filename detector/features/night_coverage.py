"""In how many of the device's quiet hours there was a contact: six hours of the day in which it speaks least.

The quiet hours are taken from the device's own traffic, so no time zone and no habit is assumed. Needs flows or dns
over a day at least. Raised wrongly by push, mail and backups, and on devices that nobody uses.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.features.hour_coverage import HOUR_US
from detector.grouped import Float64, grouped_kinds

DAY_H = 24
QUIET_H = 6
LEAST_HOURS = 24


def quiet_hours(device: Int64, times: Int64, first: int, devices: int) -> Int64:
    """(devices,) the hour of the day (since ``first``) at which the six hours with fewest of its times begin.

    >>> quiet_hours(np.zeros(24, int), np.arange(24) * HOUR_US * (np.arange(24) < 18), 0, 1).tolist()
    [18]
    """
    hour = (times - first) // HOUR_US % DAY_H
    table = np.bincount(device * DAY_H + hour, minlength=devices * DAY_H).reshape(devices, DAY_H)
    twice = np.cumsum(np.hstack([np.zeros((devices, 1), np.int64), table, table[:, :QUIET_H]]), axis=1)
    return np.asarray(np.argmin(twice[:, QUIET_H : QUIET_H + DAY_H] - twice[:, :DAY_H], axis=1), np.int64)


def night_coverage(times: Int64, edges: Int64, first: int, last: Int64, quiet: Int64) -> Float64:
    """(g,) sqrt(distinct quiet hours with a contact / quiet hours observed); NaN below a day.

    ``times``: (n,) contact starts in order within the groups of ``edges``; ``first``, ``last`` (g,): observed from, to;
    ``quiet``: (g,) hour of the day, counted from ``first``, at which the quiet six begin.

    >>> hour = HOUR_US
    >>> night_coverage(np.arange(24) * hour, np.array([0, 24]), 0, np.array([24 * hour]), np.array([3])).tolist()
    [1.0]
    >>> night_coverage(np.arange(10, 20) * hour, np.array([0, 10]), 0, np.array([24 * hour]), np.array([0])).tolist()
    [0.0]
    """
    if len(edges) == 1:
        return np.zeros(0)
    hour = np.maximum((times - first) // HOUR_US, 0)
    begun = np.repeat(quiet, np.diff(edges))
    at_night = (hour - begun) % DAY_H < QUIET_H
    group, seen = grouped_kinds(np.where(at_night, hour + 1, 0), edges)
    counts = np.bincount(group[seen > 0], minlength=len(edges) - 1)
    hours = (last - first) // HOUR_US
    of = hours // DAY_H * QUIET_H + _partly(hours % DAY_H, quiet)
    found = np.minimum(1.0, np.sqrt(counts / np.maximum(of, 1)))
    return np.where(hours >= LEAST_HOURS, found, np.nan)


def _partly(hours: Int64, quiet: Int64) -> Int64:
    """(g,) quiet hours among the first ``hours`` of a day."""
    end = quiet + QUIET_H
    plain = np.clip(hours - quiet, 0, np.minimum(QUIET_H, DAY_H - quiet))
    return np.asarray(plain + np.minimum(hours, np.maximum(end - DAY_H, 0)), np.int64)
