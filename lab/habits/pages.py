"""Web pages by the law of SURGE: how many objects a page has, how large they are, how long people look at it.

Barford and Crovella, "Generating Representative Web Workloads for Network and Server Performance Evaluation"
(SIGMETRICS 1998): file bodies log-normal (mu 9.357, sigma 1.318), embedded objects Pareto (alpha 2.43, k 1), inactive
times Pareto (alpha 1.5, k 1 s). Parameters quoted from memory; they describe 1998, and we cut their tails.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64
from lab.habits.ragged import positions, summed

HEADERS = 300  # bytes of an answer beside its body (an assumption)
LONGEST_LOOK_S = 3_600.0


def answer_sizes(rng: np.random.Generator, count: int, largest: int) -> Int64:
    """(count,) sizes of answers in bytes, headers included."""
    bodies = rng.lognormal(9.357, 1.318, count)
    return (HEADERS + np.minimum(bodies, largest)).astype(np.int64)


def object_counts(rng: np.random.Generator, count: int, most: int) -> Int64:
    """(count,) numbers of objects on pages: the page and what it embeds."""
    return np.minimum(1 + rng.pareto(2.43, count) * 4.0, most).astype(np.int64)


def looks(rng: np.random.Generator, uses: Int64, shortest_s: float) -> Int64:
    """Times at which pages are opened in each of the uses (k, 2): the first at once, then after a Pareto time each."""
    counts = np.maximum((uses[:, 1] - uses[:, 0]) // int(shortest_s * SECOND), 1) + 1
    use, nth = positions(counts)
    gaps = np.minimum(shortest_s * (1.0 + rng.pareto(1.5, len(use))), LONGEST_LOOK_S)
    times = uses[use, 0] + SECOND + (summed(np.where(nth, gaps, 0.0), counts) * SECOND).astype(np.int64)
    found: Int64 = times[times < uses[use, 1]]
    return found


def places(rng: np.random.Generator, counts: Int64, hosts: int) -> tuple[Int64, Int64]:
    """(page, place) of every page's different places, ``counts`` each of ``hosts``, the first ones more often (Zipf).

    Places drawn without replacement by weights 1/rank: the largest of log weight + Gumbel (Efraimidis and Spirakis,
    "Weighted random sampling with a reservoir", 2006, in its Gumbel form). ``counts`` must not exceed ``hosts``.
    """
    keys = rng.gumbel(size=(len(counts), hosts)) - np.log(np.arange(1, hosts + 1))
    most = int(counts.max()) if len(counts) else 0
    best = np.argsort(-keys, axis=1)[:, :most]
    page, nth = positions(counts)
    return page, best[page, nth].astype(np.int64)
