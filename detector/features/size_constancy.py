"""Share of contacts whose bytes fall in one narrow cluster: empty polls look alike, content does not.

Needs flows. Raised wrongly by heartbeats, pings, fixed telemetry records, and DNS padding (RFC 8467).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def size_constancy(up: npt.NDArray[np.int64], down: npt.NDArray[np.int64], *, spread: float = 0.03) -> float | None:
    """Mean over both directions of the largest share of contacts within ``spread`` of one size.

    ``up``, ``down``: (n,) L4 payload bytes of each contact. A direction that never carried a byte says nothing;
    None if neither did.

    >>> size_constancy(np.full(10, 300), np.full(10, 900))
    1.0
    >>> size_constancy(np.zeros(10, np.int64), np.zeros(10, np.int64)) is None
    True
    """
    shares = [largest_cluster(side, spread)[0] for side in (up, down) if side.any()]
    return float(np.mean(shares)) if shares else None


def largest_cluster(sizes: npt.NDArray[np.int64], spread: float) -> tuple[float, int]:
    """Share and smallest size of the largest set of sizes s with max <= min * (1 + 2 * spread), at least 4 B wide.

    >>> largest_cluster(np.array([100, 101, 500]), 0.03)
    (0.6666666666666666, 100)
    """
    ordered = np.sort(sizes)
    reach = np.maximum(ordered * (1 + 2 * spread), ordered + 4)
    members = np.searchsorted(ordered, reach, side="right") - np.arange(len(ordered))
    best = int(np.argmax(members))
    return float(members[best] / len(ordered)), int(ordered[best])
