"""A device's cache of names: which conversations had to ask for theirs, because it was not there or no longer fresh."""

from __future__ import annotations

import numpy as np

from lab.behaviours import Bool, Int64


def misses(group: Int64, time: Int64, ttl: Int64) -> Bool:
    """(n,) whether each asker misses the cache, which keeps an answer for ``ttl`` microseconds after a miss.

    ``group`` says whose cache and which name: asks of one group know each other's answers, asks of two never do. What
    is asked at the very moment an answer expires still finds it. All groups are walked at once, one miss per step.

    >>> misses(np.array([0, 0, 1, 0]), np.array([0, 5, 6, 11]), np.array([10, 10, 10, 10])).tolist()
    [True, False, True, True]
    """
    found = np.zeros(len(time), dtype=np.bool_)
    if not len(time):
        return found
    order = np.lexsort((time, group))
    _, rank = np.unique(group[order], return_inverse=True)
    since = time[order] - time.min()
    stride = int(since.max()) + 1
    place = rank * stride + since  # ascending: one line on which the groups lie behind each other
    end = rank * stride + np.minimum(since + ttl[order], stride - 1)
    following = np.searchsorted(place, end, side="right")
    last = np.searchsorted(rank, rank, side="right")
    now = np.flatnonzero(np.diff(rank, prepend=-1))
    while len(now):
        found[order[now]] = True
        now = following[now][following[now] < last[now]]
    return found
