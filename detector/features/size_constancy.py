"""Share of contacts whose bytes fall in one narrow cluster: empty polls look alike, content does not.

Needs flows or dns. Raised wrongly by heartbeats, pings, fixed telemetry records, and DNS padding (RFC 8467).
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_clusters, grouped_sum


def size_constancy(up: Int64, down: Int64, edges: Int64, *, spread: float = 0.03) -> Float64:
    """(g,) mean over both directions of the largest share of contacts within ``spread`` of one size.

    ``up``, ``down``: (n,) L4 payload bytes of each contact. A direction that never carried a byte says nothing;
    NaN if neither did.

    >>> size_constancy(np.full(10, 300), np.full(10, 900), np.array([0, 10])).tolist()
    [1.0]
    >>> size_constancy(np.zeros(10, int), np.zeros(10, int), np.array([0, 10])).tolist()
    [nan]
    """
    one, other = (constancy(side, edges, spread=spread) for side in (up, down))
    return np.where(np.isnan(one), other, np.where(np.isnan(other), one, (one + other) / 2))


def constancy(sizes: Int64, edges: Int64, *, spread: float) -> Float64:
    """(g,) the largest share of contacts within ``spread`` of one size; NaN where no byte was carried.

    >>> constancy(np.array([100, 101, 500, 0]), np.array([0, 3, 4]), spread=0.03).round(3).tolist()
    [0.667, nan]
    """
    share, _ = grouped_clusters(sizes, edges, spread)
    return np.where(grouped_sum(sizes > 0, edges) > 0, share, np.nan)
