"""How narrow the middle half of the gaps between contacts is: 1 is a clock, 0 is memoryless or bursty.

Needs flows. Raised wrongly by every honest timer: push heartbeats, tickers, sync jobs, media segments.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detector.quantiles import quantiles


def interval_regularity(gaps_s: npt.NDArray[np.float64], *, memoryless: float = 1.6) -> float | None:
    """1 - ln(q75 / q25) / memoryless, cut to 0..1; None below three gaps.

    ``gaps_s``: (n - 1,) seconds between contact starts, all > 0. An exponential has ln(q75 / q25) =
    ln(ln 4 / ln (4 / 3)) = 1.57, so 1.6 puts Poisson traffic at about 0 (project measurements, F1).

    >>> interval_regularity(np.full(9, 60.0))
    1.0
    >>> interval_regularity(np.array([1.0, 1.0, 2.0, 40.0, 300.0, 900.0]))
    0.0
    >>> interval_regularity(np.array([60.0])) is None
    True
    """
    if len(gaps_s) < 3:
        return None
    low, high = quantiles(gaps_s, 0.25, 0.75)
    if low <= 0:
        return 0.0
    return min(1.0, max(0.0, 1 - math.log(high / low) / memoryless))
