"""Share of the gaps near one, two or three times a base gap: a timer that misses beats still counts.

Doze and outages swallow beats, a second timer cuts gaps in two; the multiples forgive the one, the choice of base the
other. Needs flows or dns. Raised wrongly by every honest timer.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sorted, grouped_steps, grouped_sum, ordered_quantiles

TOLERANCE = 0.25
LARGEST_MULTIPLE = 3
#: Base gaps tried, as quantiles, with the share that memoryless gaps reach there: with b = -ln(1 - q) it is the sum
#: over k = 1..3 of exp(-(k - 1/4) b) - exp(-(k + 1/4) b).
BASES = {0.25: 0.250, 0.5: 0.305, 0.75: 0.232}


def mode_share(times: Int64, edges: Int64) -> Float64:
    """(g,) share of gaps within 25 % of the base from 1x, 2x or 3x of it, stretched so that memoryless is 0.

    The base is the quartile of the gaps that serves best. ``times``: (n,) contact starts in order within the groups of
    ``edges``; NaN below three gaps.

    >>> mode_share(np.cumsum([0, 60, 60, 120, 60, 180, 60]), np.array([0, 7])).tolist()
    [1.0]
    """
    gaps, where = grouped_steps(times, edges)
    few = np.diff(where) < 3
    best = np.where(few, np.nan, 0.0)
    if few.all():
        return best
    bases = ordered_quantiles(grouped_sorted(gaps, where), where, *BASES)
    some = np.flatnonzero(np.diff(where) > 0)
    kept = np.append(where[some], where[-1])
    for base, by_chance in zip(bases, BASES.values(), strict=True):
        beats = gaps / np.repeat(np.maximum(base, 1.0), np.diff(where))
        near = (np.abs(beats - np.round(beats)) < TOLERANCE) & (beats > 0.5) & (beats < LARGEST_MULTIPLE + 0.5)
        share = np.zeros(len(few))
        share[some] = grouped_sum(near, kept) / np.diff(kept)
        best = np.fmax(best, np.where(few, np.nan, (share - by_chance) / (1 - by_chance)))
    return best
