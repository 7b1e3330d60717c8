"""Share of the gaps near one, two or three times the median: a timer that misses beats still counts.

Doze and outages swallow beats; the multiples forgive that. Needs flows. Raised wrongly by every honest timer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.quantiles import quantiles

TOLERANCE = 0.25
LARGEST_MULTIPLE = 3
EXPONENTIAL_SHARE = 0.305  # the share memoryless gaps reach: sum over k = 1..3 of 2^-(k-1/4) - 2^-(k+1/4)


def mode_share(gaps_s: npt.NDArray[np.float64]) -> float | None:
    """Share of gaps within 25 % of the median from 1x, 2x or 3x the median, stretched so that memoryless is 0.

    ``gaps_s``: (n - 1,) seconds, all > 0. None below three gaps.

    >>> mode_share(np.array([60.0, 60.0, 120.0, 60.0, 180.0, 60.0]))
    1.0
    """
    if len(gaps_s) < 3:
        return None
    (middle,) = quantiles(gaps_s, 0.5)
    if middle <= 0:
        return 0.0
    beats = gaps_s / middle
    near = np.abs(beats - np.round(beats)) < TOLERANCE
    share = np.count_nonzero(near & (beats > 0.5) & (beats < LARGEST_MULTIPLE + 0.5)) / len(beats)
    return min(1.0, max(0.0, (share - EXPONENTIAL_SHARE) / (1 - EXPONENTIAL_SHARE)))
