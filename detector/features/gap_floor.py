"""How hard a floor the gaps have: a sleep with jitter never returns at once, people and pages do.

Needs flows. Raised wrongly by rate limits, long polls, and retry back-off of honest apps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.quantiles import quantiles

EXPONENTIAL_FLOOR = 0.074  # ln(1 / 0.95) / ln 2: q05 over median of memoryless gaps


def gap_floor(gaps_s: npt.NDArray[np.float64]) -> float | None:
    """5 % quantile over median of the gaps, stretched so that memoryless gaps give 0 and a clock gives 1.

    ``gaps_s``: (n - 1,) seconds, all > 0. None below three gaps.

    >>> gap_floor(np.full(9, 60.0))
    1.0
    >>> gap_floor(np.array([0.1, 0.2, 60.0, 61.0, 62.0]))
    0.0
    """
    if len(gaps_s) < 3:
        return None
    low, middle = quantiles(gaps_s, 0.05, 0.5)
    if middle <= 0:
        return 0.0
    return min(1.0, max(0.0, (low / middle - EXPONENTIAL_FLOOR) / (1 - EXPONENTIAL_FLOOR)))
