"""Whether empty polls are mixed with tasks: now and then a large answer, soon after it a large request.

Needs flows. Raised wrongly by sync: a change is fetched, then something is uploaded.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sum

LEAST_CONTACTS = 10
LEAST_SHARE = 0.8  # of the polls are empty
FACTOR = 5  # a task or its result is that much larger than an empty poll
REPLY_US = 60_000_000
Timed = tuple[Int64, Int64, Int64]
Cluster = tuple[Float64, Int64]
NEVER = np.iinfo(np.int64).max // 2


def task_mixture(contacts: Timed, edges: Int64, answers: Cluster, usual_up: Int64) -> Float64:
    """(g,) 1.0 if at least 80 % of the answers are alike and a five times larger one is followed within 60 s, in a
    later contact or the same, by a request five times the usual; else 0.0. NaN below ten contacts or without an answer.

    ``contacts``: (n,) starts and L4 payload bytes; ``answers``: (g,) share and size of the largest cluster of bytes
    down, ``usual_up``: (g,) size of that of bytes up (grouped.grouped_clusters; measurements, F9).

    >>> times, up, down = np.arange(20) * 30_000_000, np.full(20, 200), np.full(20, 300)
    >>> every, usual = np.array([0, 20]), (np.array([0.95]), np.array([300]))
    >>> task_mixture((times, up, down), every, usual, np.array([200])).tolist()
    [0.0]
    >>> down[7], up[8] = 9_000, 5_000
    >>> task_mixture((times, up, down), every, usual, np.array([200])).tolist()
    [1.0]
    """
    counts = np.diff(edges)
    (times, up, down), (share, usual_down) = contacts, answers
    tasks = down > FACTOR * np.repeat(np.maximum(usual_down, 1), counts)
    results = up > FACTOR * np.repeat(np.maximum(usual_up, 1), counts)
    answered = tasks & (_next(times, results, edges) - times <= REPLY_US)
    found = (grouped_sum(answered, edges) > 0) & (share >= LEAST_SHARE)
    known = (counts >= LEAST_CONTACTS) & (grouped_sum(down > 0, edges) > 0)
    return np.where(known, found.astype(np.float64), np.nan)


def _next(times: Int64, marked: np.ndarray[tuple[int], np.dtype[np.bool_]], edges: Int64) -> Int64:
    """(n,) the time of the next marked contact of the group, the contact's own included; NEVER where there is none."""
    place = np.where(marked, np.arange(len(times)), len(times))
    following = np.minimum.accumulate(place[::-1])[::-1]
    within = following < np.repeat(edges[1:], np.diff(edges))
    return np.where(within, np.append(times, 0)[following], NEVER)
