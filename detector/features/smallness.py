"""How little a typical contact carries: an empty poll is small, a page or a media segment is not.

Needs flows. Raised wrongly by heartbeats and telemetry. A full TLS handshake adds 4-6 kB, so this is weak alone.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detector.quantiles import quantiles


def smallness(up: npt.NDArray[np.int64], down: npt.NDArray[np.int64]) -> float | None:
    """(10 - ln(median bytes)) / 4 cut to 0..1: 400 B and less give 1, 22 kB and more give 0 (measurements, F8).

    ``up``, ``down``: (n,) L4 payload bytes of each contact. None if no contact carried a byte.

    >>> smallness(np.full(5, 200), np.full(5, 150))
    1.0
    >>> smallness(np.full(5, 200), np.full(5, 10**6))
    0.0
    """
    both = up + down
    if not len(both) or not both.any():
        return None
    return min(1.0, max(0.0, (10 - math.log(max(1.0, *quantiles(both.astype(np.float64), 0.5)))) / 4))
