"""How little a typical contact carries: an empty poll is small, a page or a media segment is not.

Needs flows or dns. Raised wrongly by heartbeats and telemetry. A full TLS handshake adds 4-6 kB: weak alone.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sorted, grouped_sum, ordered_quantiles


def smallness(up: Int64, down: Int64, edges: Int64) -> Float64:
    """(g,) (10 - ln(median bytes)) / 4 cut to 0..1: 400 B and less give 1, 22 kB and more give 0 (measurements, F8).

    ``up``, ``down``: (n,) L4 payload bytes of each contact. NaN if no contact carried a byte.

    >>> smallness(np.full(10, 200), np.repeat([150, 10**6], 5), np.array([0, 5, 10])).tolist()
    [1.0, 0.0]
    """
    both = up + down
    (middle,) = ordered_quantiles(grouped_sorted(both, edges), edges, 0.5)
    small = np.clip((10 - np.log(np.maximum(middle, 1.0))) / 4, 0, 1)
    return np.where(grouped_sum(both > 0, edges) > 0, small, np.nan)
