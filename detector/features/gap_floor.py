"""How hard a floor the gaps have: a sleep with jitter never returns at once, people and pages do.

Needs flows or dns. Raised wrongly by rate limits, long polls, and retry back-off of honest apps.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sorted, grouped_steps, ordered_quantiles

EXPONENTIAL_FLOOR = 0.074  # ln(1 / 0.95) / ln 2: q05 over median of memoryless gaps


def gap_floor(times: Int64, edges: Int64) -> Float64:
    """(g,) 5 % quantile over median of the gaps, stretched so that memoryless gaps give 0 and a clock gives 1.

    ``times``: (n,) contact starts in order within the groups of ``edges``; NaN below three gaps.

    >>> gap_floor(np.append(np.arange(10) * 60, np.cumsum([0, 1, 2, 600, 610, 620])), np.array([0, 10, 16])).tolist()
    [1.0, 0.0]
    """
    gaps, where = grouped_steps(times, edges)
    low, middle = ordered_quantiles(grouped_sorted(gaps, where), where, 0.05, 0.5)
    share = np.divide(low, middle, out=np.zeros(len(low)), where=middle > 0)
    found = np.clip((share - EXPONENTIAL_FLOOR) / (1 - EXPONENTIAL_FLOOR), 0, 1)
    return np.where(np.diff(where) >= 3, found, np.nan)
