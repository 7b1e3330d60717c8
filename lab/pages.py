"""Web pages by the law of SURGE: how many objects a page has, how large they are, how long people look at it.

Barford and Crovella, "Generating Representative Web Workloads for Network and Server Performance Evaluation"
(SIGMETRICS 1998): file bodies log-normal (mu 9.357, sigma 1.318), embedded objects Pareto (alpha 2.43, k 1), inactive
times Pareto (alpha 1.5, k 1 s). Parameters quoted from memory; they describe 1998, and we cut their tails.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64

HEADERS = 300  # bytes of an answer beside its body (an assumption)


def answer_sizes(rng: np.random.Generator, count: int, largest: int) -> Int64:
    """(count,) sizes of answers in bytes, headers included."""
    bodies = rng.lognormal(9.357, 1.318, count)
    return (HEADERS + np.minimum(bodies, largest)).astype(np.int64)


def object_counts(rng: np.random.Generator, count: int, most: int) -> Int64:
    """(count,) numbers of objects on pages: the page and what it embeds."""
    return np.minimum(1 + rng.pareto(2.43, count) * 4.0, most).astype(np.int64)


def looks(rng: np.random.Generator, begin: int, end: int, shortest_s: float) -> Int64:
    """Times from begin to end at which a page is opened: the first at once, then after a Pareto time each."""
    count = max(int((end - begin) / (shortest_s * SECOND)), 1)
    gaps = shortest_s * (1.0 + rng.pareto(1.5, count))
    times = begin + SECOND + np.concatenate([[0], np.cumsum(np.minimum(gaps, 3_600.0) * SECOND)]).astype(np.int64)
    return times[times < end]
