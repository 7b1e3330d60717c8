"""Measures of many small groups at once: rows sorted by group, one number per group, no loop over groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.columns import Int64

Float64 = npt.NDArray[np.float64]


def grouped_gaps(times: Int64, edges: Int64) -> tuple[Float64, Int64]:
    """(n - g,) gaps between the times within each group, in its order, and (g + 1,) their edges.

    ``edges``: (g + 1,) where the rows of each group begin and the last ends; no group is empty.
    """
    within = np.ones(max(len(times) - 1, 0), np.bool_)
    within[edges[1:-1] - 1] = False
    return np.diff(times)[within].astype(np.float64), edges - np.arange(len(edges))


def grouped_quantiles(values: Float64, edges: Int64, *shares: float) -> list[Float64]:
    """(g,) the quantiles at each share, as detector.quantiles gives them for one group; NaN for an empty group.

    >>> [row.tolist() for row in grouped_quantiles(np.array([4.0, 1, 3, 2, 9]), np.array([0, 4, 5]), 0.25, 0.5)]
    [[1.75, 9.0], [2.5, 9.0]]
    """
    counts = np.diff(edges)
    group = np.repeat(np.arange(len(counts)), counts)
    ordered = np.append(values[np.lexsort((values, group))], np.nan)
    found = []
    for share in shares:
        place = share * np.maximum(counts - 1, 0)
        low = place.astype(np.int64)
        below = ordered[np.where(counts, edges[:-1] + low, -1)]
        above = ordered[np.where(counts, edges[:-1] + np.minimum(low + 1, counts - 1), -1)]
        found.append(below + (above - below) * (place - low))
    return found


def grouped_clusters(sizes: Int64, edges: Int64, spread: float) -> Float64:
    """(g,) the share of the largest cluster of sizes (features.size_constancy) of each group, none of them empty.

    1 for all where a number is negative (null) or they are too large to be compared at once.

    >>> grouped_clusters(np.array([100, 101, 500, 7, 7]), np.array([0, 3, 5]), 0.03).round(3).tolist()
    [0.667, 1.0]
    """
    counts = np.diff(edges)
    step = int(sizes.max(initial=0)) + 1
    if step * (len(counts) + 1) >= 2**62 or sizes.min(initial=0) < 0:
        return np.ones(len(counts))
    group = np.repeat(np.arange(len(counts)), counts)
    keys = np.sort(group * step + sizes)
    ordered = keys - group * step
    reach = np.minimum(np.maximum(ordered * (1 + 2 * spread), ordered + 4), step - 1).astype(np.int64)
    members = np.searchsorted(keys, group * step + reach, side="right") - np.arange(len(keys))
    return np.asarray(np.maximum.reduceat(members, edges[:-1]) / counts, np.float64)
