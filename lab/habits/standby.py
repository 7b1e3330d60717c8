"""App Standby: the bucket an app is in, by when it was last used, and how many jobs and alarms that leaves it.

Constants are those of AOSP, Android 14, from memory. AppStandbyController: DEFAULT_ELAPSED_TIME_THRESHOLDS 0, 12 h,
24 h, 48 h, 8 d, DEFAULT_SCREEN_TIME_THRESHOLDS 0, 0, 1 h, 2 h, 6 h; both must be passed (no app predictor here).
QuotaController: windows of 2 h, 8 h, 24 h, 24 h with 10, 8, 3, 1 job sessions (DEFAULT_WINDOW_SIZE_*_MS,
DEFAULT_MAX_SESSION_COUNT_*). AlarmManagerService: DEFAULT_APP_STANDBY_QUOTAS 10, 2, 1 alarms an hour, one a day for
restricted apps. developer.android.com, "App Standby Buckets": no quota binds a phone that charges.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

import numpy as np

from lab.behaviours import SECOND, Bool, Int64, Window

HOUR = 3600 * SECOND
DAY = 24 * HOUR
ACTIVE, WORKING_SET, FREQUENT, RARE, RESTRICTED = 10, 20, 30, 40, 45  # UsageStatsManager.STANDBY_BUCKET_*
BUCKETS = (ACTIVE, WORKING_SET, FREQUENT, RARE, RESTRICTED)
UNUSED = (0, 12 * HOUR, 24 * HOUR, 48 * HOUR, 8 * DAY)  # since the last use
LIT = (0, 0, 1 * HOUR, 2 * HOUR, 6 * HOUR)  # of it with the screen on
_UNUSED = np.array(UNUSED, dtype=np.int64)[:, np.newaxis]
_LIT_FROM = next(place for place, lit in enumerate(LIT) if lit)
_LIT = np.array(LIT[_LIT_FROM:], dtype=np.int64)[:, np.newaxis]
LIT_BEFORE = 0.12  # share of the time before the scenario in which the screen was on: some 3 h a day (an assumption)

Quota = Mapping[int, tuple[int, int]]  # bucket -> (how many, within how long); a bucket not named is free
JOBS: Quota = {WORKING_SET: (10, 2 * HOUR), FREQUENT: (8, 8 * HOUR), RARE: (3, 24 * HOUR), RESTRICTED: (1, 24 * HOUR)}
ALARMS: Quota = {WORKING_SET: (10, HOUR), FREQUENT: (2, HOUR), RARE: (1, HOUR), RESTRICTED: (1, 24 * HOUR)}


def buckets(uses: Int64, screen_on: Int64, age: int, span: int) -> Int64:
    """(k, 3) rows [from, until, bucket] that tile [0, span), of an app used in ``uses``, last ``age`` before 0."""
    ends = np.concatenate([[-age], uses[:, 1]])
    following = np.append(uses[:, 0], span)
    steps = ends + _UNUSED
    steps[_LIT_FROM:] = np.maximum(steps[_LIT_FROM:], _when_lit(ends, screen_on, _LIT))
    steps = np.clip(np.maximum.accumulate(steps, axis=0), 0, following)
    idle = steps.size
    rows = np.empty((idle + len(uses), 3), dtype=np.int64)
    rows[:idle, 0] = steps.ravel()
    rows[:idle, 1] = np.concatenate([steps[1:].ravel(), following])
    rows[:idle, 2] = np.repeat(BUCKETS, len(ends))
    rows[idle:, :2], rows[idle:, 2] = uses, ACTIVE
    rows = rows[rows[:, 1] > rows[:, 0]]
    return _joined(rows[rows[:, 0].argsort(kind="stable")])


def _when_lit(since: Int64, screen_on: Int64, lit: Int64) -> Int64:
    """(k, n) when the screen has been on for each of k lengths since each of n times; if never, the far future."""
    lengths = screen_on[:, 1] - screen_on[:, 0]
    total = np.concatenate([[0], np.cumsum(lengths)])
    clock = np.concatenate([[-DAY, 0], screen_on.ravel()]).astype(np.float64)
    meter = np.concatenate([[-LIT_BEFORE * DAY, 0], np.stack([total[:-1], total[1:]], axis=1).ravel()])
    at = np.where(since < 0, since * LIT_BEFORE, np.interp(since, clock, meter)) + lit
    reached = np.interp(at, meter, clock)
    early = at < 0
    reached[early] = at[early] / LIT_BEFORE
    reached[at > meter[-1]] = np.iinfo(np.int64).max / 4
    found: Int64 = np.rint(reached).astype(np.int64)
    return found


def _joined(rows: Int64) -> Int64:
    """The rows with neighbours of one bucket made one."""
    first = np.concatenate([[True], rows[1:, 2] != rows[:-1, 2]])
    last = np.concatenate([first[1:], [True]])
    return np.stack([rows[first, 0], rows[last, 1], rows[first, 2]], axis=1)


def rationed(rng: np.random.Generator, due: Int64, window: Window, quota: Quota = JOBS) -> Int64:
    """Ascending due times as the app's bucket lets them happen: late, and one for all that were due meanwhile.

    No more than the quota within its window while the phone is not charging, and none inside Doze: what the quota puts
    off into Doze waits for its end, a few seconds into the window. Draws nothing where no quota binds.
    """
    binds = np.zeros(max(BUCKETS) + 1, dtype=np.bool_)
    binds[list(quota)] = True
    binding = binds[window.standby[:, 2]]
    if not binding.any():
        return due
    bound = _held(due, window.standby[binding, :2]) & ~_held(due, window.charging)
    if not bound.any():
        return due
    ration = _Ration(rng, window, quota)
    edges = [*np.flatnonzero(bound).tolist(), len(due)]  # what lies between two of them is free
    times: list[int] = due.tolist()
    runs: list[int] = []
    at = 0
    while at < len(times):
        until = edges[bisect_left(edges, at)]
        if until > at:
            runs += times[at:until]
            at = until
            continue
        when = ration.earliest(times[at], runs)
        if when >= window.span:
            break
        runs.append(when)
        at = max(at + 1, bisect_right(times, when))
    return np.array(runs, dtype=np.int64)


class _Ration:
    """A quota and what suspends it, as lists: asked run by run, which bisection in lists answers fastest."""

    def __init__(self, rng: np.random.Generator, window: Window, quota: Quota) -> None:
        self._rng, self._quota, self._span = rng, quota, window.span
        self._doze, self._standby, self._charging = (
            (rows[:, 0].tolist(), rows.tolist()) for rows in (window.barred, window.standby, window.charging)
        )
        self._changes = sorted(self._charging[0] + self._standby[0])

    def earliest(self, due: int, runs: list[int]) -> int:
        """The first time at or after ``due`` at which Doze and the quota allow one run more; the span if none does."""
        when = due
        while when < self._span:
            dozing = _row(when, self._doze)
            if dozing is not None:
                when = dozing[1] + int(self._rng.exponential(4.0) * SECOND)
                continue
            row = _row(when, self._standby)
            limit = self._quota.get(row[2]) if row is not None else None
            if limit is None or _row(when, self._charging) is not None:
                return when
            most, within = limit
            if len(runs) < most or runs[-most] <= when - within:
                return when
            when = self._opens(when, runs[-most] + within)
        return self._span

    def _opens(self, when: int, refilled: int) -> int:
        """When the quota is refilled, or before that a charger is plugged in or the bucket changes."""
        place = bisect_right(self._changes, when)
        return min(self._changes[place], refilled) if place < len(self._changes) else refilled


def _row(time: int, rows: tuple[list[int], list[list[int]]]) -> list[int] | None:
    """The row that holds the time, of beginnings and rows."""
    begins, whole = rows
    index = bisect_right(begins, time) - 1
    return whole[index] if index >= 0 and time < whole[index][1] else None


def _held(times: Int64, rows: Int64) -> Bool:
    """(n,) whether a row holds each time."""
    held: Bool = (rows.ravel().searchsorted(times, side="right") & 1).astype(np.bool_)
    return held
