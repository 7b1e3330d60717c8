"""Measures of many small groups at once: rows sorted by group, one number per group, no loop over groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.columns import Int64

Float64 = npt.NDArray[np.float64]


def spans(starts: Int64, lengths: Int64) -> Int64:
    """The whole numbers of many ranges, one range after another.

    >>> spans(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    offset = np.cumsum(lengths) - lengths
    return np.repeat(starts - offset, lengths) + np.arange(int(lengths.sum()))


def grouped_gaps(times: Int64, edges: Int64) -> tuple[Float64, Int64]:
    """(n - g,) gaps between the times within each group, in its order, and (g + 1,) their edges.

    ``edges``: (g + 1,) where the rows of each group begin and the last ends; no group is empty.
    """
    gaps, where = grouped_steps(times, edges)
    return gaps.astype(np.float64), where


def grouped_steps(times: Int64, edges: Int64, ahead: int = 1) -> tuple[Int64, Int64]:
    """Gaps from each time to the one ``ahead`` of it within each group, in its order, and (g + 1,) their edges.

    A group of no more than ``ahead`` times has no gap.
    """
    counts = np.maximum(np.diff(edges) - ahead, 0)
    if len(times) <= ahead:
        return np.zeros(0, np.int64), np.append(0, np.cumsum(counts))
    within = np.zeros(len(times) - ahead + 1, np.int64)
    some = counts > 0
    within[edges[:-1][some]] += 1
    within[edges[:-1][some] + counts[some]] -= 1
    inside = np.cumsum(within[:-1]) > 0
    return (times[ahead:] - times[:-ahead])[inside], np.append(0, np.cumsum(counts))


def grouped_sorted(values: Int64, edges: Int64) -> Int64:
    """The values sorted within each group; none of them is negative.

    >>> grouped_sorted(np.array([4, 1, 3, 9, 2]), np.array([0, 3, 5])).tolist()
    [1, 3, 4, 2, 9]
    """
    group = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    step = int(values.max(initial=0)) + 1
    if step * len(edges) >= 2**62:
        return values[np.lexsort((values, group))]
    group *= step
    keys = group + values
    keys.sort()
    keys -= group
    return keys


def ordered_quantiles(ordered: Int64 | Float64, edges: Int64, *shares: float) -> list[Float64]:
    """(g,) the quantiles at each share of values sorted within each group; NaN for an empty group.

    Hyndman & Fan 1996, definition 7, numpy's default.
    """
    counts = np.diff(edges)
    padded = np.append(ordered, 0)
    found = []
    for share in shares:
        place = share * np.maximum(counts - 1, 0)
        low = place.astype(np.int64)
        below = padded[np.where(counts, edges[:-1] + low, -1)].astype(np.float64)
        above = padded[np.where(counts, edges[:-1] + np.minimum(low + 1, counts - 1), -1)]
        found.append(np.where(counts, below + (above - below) * (place - low), np.nan))
    return found


def grouped_quantiles(values: Float64, edges: Int64, *shares: float) -> list[Float64]:
    """(g,) the quantiles at each share, as detector.quantiles gives them for one group; NaN for an empty group.

    >>> [row.tolist() for row in grouped_quantiles(np.array([4.0, 1, 3, 2, 9]), np.array([0, 4, 5]), 0.25, 0.5)]
    [[1.75, 9.0], [2.5, 9.0]]
    """
    group = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    return ordered_quantiles(values[np.lexsort((values, group))], edges, *shares)


def grouped_clusters(sizes: Int64, edges: Int64, spread: float) -> tuple[Float64, Int64]:
    """(g,) share of the largest cluster of sizes of each group, none of them empty, and (g,) its smallest size.

    A cluster is all sizes s with max <= min * (1 + 2 * spread), at least 4 B wide; no size is negative, and those
    beyond what can be compared at once count as equal. Of several largest the one of the smallest sizes.

    >>> share, size = grouped_clusters(np.array([100, 101, 500, 7, 7]), np.array([0, 3, 5]), 0.03)
    >>> share.round(3).tolist(), size.tolist()
    ([0.667, 1.0], [100, 7])
    """
    if not len(sizes):
        return np.zeros(0), np.zeros(0, np.int64)
    counts = np.diff(edges)
    largest = 2**61 // (len(counts) + 1)
    ordered = grouped_sorted(np.minimum(sizes, largest), edges)
    step = int(ordered.max()) + 1
    base = np.repeat(np.arange(len(counts)) * step, counts)
    reach = np.minimum(np.maximum(ordered * (1 + 2 * spread), ordered + 4.0), step - 1).astype(np.int64)
    members = np.searchsorted(base + ordered, base + reach, side="right") - np.arange(len(ordered))
    best = np.maximum.reduceat(members, edges[:-1])
    place = np.flatnonzero(members == np.repeat(best, counts))
    first = place[np.searchsorted(place, edges[:-1])]
    return np.asarray(best / counts, np.float64), ordered[first]


def grouped_sum(values: npt.NDArray[np.generic], edges: Int64) -> Float64:
    """(g,) sums; no group is empty.

    >>> grouped_sum(np.array([True, False, True]), np.array([0, 2, 3])).tolist()
    [1.0, 1.0]
    """
    return np.asarray(np.add.reduceat(values, edges[:-1], dtype=np.float64) if len(edges) > 1 else np.zeros(0))


def grouped_share(flags: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], edges: Int64) -> Float64:
    """(g,) share of the known rows whose flag is set; NaN where no row is known.

    >>> grouped_share(np.array([True, False, True]), np.array([True, True, False]), np.array([0, 2, 3])).tolist()
    [0.5, nan]
    """
    total = grouped_sum(known, edges)
    found = grouped_sum(flags & known, edges)
    return np.asarray(np.divide(found, total, out=np.full(len(total), np.nan), where=total > 0))


def grouped_kinds(kinds: Int64, edges: Int64) -> tuple[Int64, Int64]:
    """Group and value of every distinct value within each group, in that order; no value is negative.

    >>> [part.tolist() for part in grouped_kinds(np.array([7, 7, 3, 7]), np.array([0, 3, 4]))]
    [[0, 0, 1], [3, 7, 7]]
    """
    ordered = grouped_sorted(kinds, edges)
    group = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    fresh = (np.diff(group, prepend=-1) != 0) | (np.diff(ordered, prepend=-1) != 0)
    return group[fresh], ordered[fresh]
