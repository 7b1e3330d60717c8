"""Share of contacts whose bytes fall in one narrow cluster: empty polls look alike, content does not.

Needs flows or dns. Raised wrongly by heartbeats, pings, fixed telemetry records, and DNS padding (RFC 8467).
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sum
from detector.grouped import grouped_clusters as grouped_clusters  # noqa: PLC0414 - for the example below


def size_constancy(up: Float64, down: Float64) -> Float64:
    """(g,) mean of both directions' constancy; a direction that never carried a byte says nothing, NaN if neither did.

    >>> size_constancy(np.array([1.0, np.nan, np.nan]), np.array([0.5, 0.25, np.nan])).tolist()
    [0.75, 0.25, nan]
    """
    return np.where(np.isnan(up), down, np.where(np.isnan(down), up, (up + down) / 2))


def constancy(largest: Float64, sizes: Int64, edges: Int64) -> Float64:
    """(g,) the share of the largest cluster of sizes (grouped.grouped_clusters); NaN where no byte was carried.

    >>> sizes, edges = np.array([100, 101, 500, 0]), np.array([0, 3, 4])
    >>> constancy(grouped_clusters(sizes, edges, 0.03)[0], sizes, edges).round(3).tolist()
    [0.667, nan]
    """
    return np.where(grouped_sum(sizes > 0, edges) > 0, largest, np.nan)
