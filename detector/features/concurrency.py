"""How many of an app's flows are open at once, nearly always: sustained multiplexed sessions.

Needs flows. Raised wrongly by browsers and downloads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def concurrency(start_us: npt.NDArray[np.int64], end_us: npt.NDArray[np.int64]) -> int:
    """95 % quantile, over the moments a flow opens, of the number of flows then open.

    ``start_us``, ``end_us``: (n,) of each flow, end >= start.

    >>> concurrency(np.array([0, 1, 2]), np.array([10, 10, 10]))
    3
    """
    if not len(start_us):
        return 0
    opened = np.searchsorted(np.sort(start_us), start_us, side="right")
    closed = np.searchsorted(np.sort(end_us), start_us, side="left")
    return int(np.quantile(opened - closed, 0.95, method="higher"))
