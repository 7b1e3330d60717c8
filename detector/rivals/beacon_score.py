"""The beacon score of RITA v5: how even the timing, the sizes, the hours and the length of one pair's day are.

Formula: activecm/rita at a3c51501, analysis/beacons.go, as facts about it were written down; its code was not read.
Where those are silent this is our reading: quartiles are linear, the deviation of the bars is of the population, a
bar's height is rounded down to a whole step, only bars that are not empty have a height, shares end at 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.columns import Int64
from detector.grouped import Float64, grouped_gaps, grouped_quantiles

BARS = 24
FEWEST_GAPS = 3  # four connections in seconds of their own
STROBE = 86_400  # connections a day: one a second is a class of its own
FEWEST_BARS = 6  # for a length
MODAL_BARS = 11  # for two modes
FULL_RUN = 12  # bars in a row that are as good as the whole day
SKEW_FROM = 10.0  # seconds, or bytes, between the quartiles: below it there is no skew


@dataclass(frozen=True)
class BeaconScore:
    """The parts of w windows' scores, each 0..1; NaN, and a score of 0, where there are too few connections."""

    timing: Float64
    sizes: Float64
    bars: Float64
    length: Float64
    strobe: npt.NDArray[np.bool_]

    @property
    def score(self) -> Float64:
        """(w,) a quarter of each part; 1 of a strobe, which has no parts."""
        quarter = (self.timing + self.sizes + self.bars + self.length) / 4
        return np.where(self.strobe, 1.0, np.nan_to_num(quarter))


def beacon_score(start: Int64, sizes: Int64, edges: Int64, begin: Int64, end: Int64) -> BeaconScore:
    """The scores of w windows of connections: n starts in order within each, and their source's IP bytes.

    ``edges`` (w + 1,): where the connections of each window begin; ``begin``, ``end`` (w,): what time it covers. All
    times in microseconds.
    """
    gaps, gap_edges = second_gaps(start, edges)
    enough = np.diff(gap_edges) >= FEWEST_GAPS
    strobe = np.diff(edges) >= STROBE
    bars = histogram(start, edges, begin, end)
    timing, sized, barred, long = (
        np.where(enough & ~strobe, part, np.nan)
        for part in (
            evenness(gaps, gap_edges, flat=1.0),
            evenness(sizes.astype(np.float64), edges, flat=0.0),
            bar_score(bars),
            length_score(bars, start, edges, end - begin),
        )
    )
    return BeaconScore(timing, sized, barred, long, strobe)


def second_gaps(start: Int64, edges: Int64) -> tuple[Float64, Int64]:
    """The gaps between the whole seconds of each window's starts that are not 0, and (w + 1,) their edges."""
    gaps, gap_edges = grouped_gaps(start // 1_000_000, edges)
    apart = np.append(0, np.cumsum(gaps > 0))
    return gaps[gaps > 0], apart[gap_edges].astype(np.int64)


def evenness(values: Float64, edges: Int64, *, flat: float) -> Float64:
    """(w,) half of how symmetric the values of each window are (Bowley 1901), and half of how near their median.

    ``flat``: what counts as nearness where the median is below 1. NaN for a window without values.

    >>> evenness(np.array([60.0, 60, 60, 60]), np.array([0, 4]), flat=1.0).tolist()
    [1.0]
    >>> evenness(np.array([10.0, 20, 40, 80, 160]), np.array([0, 5]), flat=1.0).tolist()
    [0.45833333333333337]
    """
    low, middle, high = grouped_quantiles(values, edges, 0.25, 0.5, 0.75)
    wide = high - low
    skewed = (wide >= SKEW_FROM) & (middle != low) & (middle != high)
    skew = np.where(skewed, (low + high - 2 * middle) / np.where(skewed, wide, 1.0), 0.0)
    (away,) = grouped_quantiles(np.abs(values - np.repeat(middle, np.diff(edges))), edges, 0.5)
    near = np.where(middle < 1, flat, np.maximum(0, (middle - away) / np.where(middle < 1, 1.0, middle)))
    return np.where(np.isnan(middle), np.nan, ((1 - np.abs(skew)) + near) / 2)


def histogram(start: Int64, edges: Int64, begin: Int64, end: Int64) -> Int64:
    """(w, 24) how many connections begin in each of the equal parts of each window."""
    window = np.repeat(np.arange(len(begin)), np.diff(edges))
    share = (start - begin[window]) * BARS // np.maximum(end - begin, 1)[window]
    place = window * BARS + np.clip(share, 0, BARS - 1)
    return np.bincount(place, minlength=len(begin) * BARS).reshape(-1, BARS).astype(np.int64)


def bar_score(bars: Int64) -> Float64:
    """(w,) how even the bars are, or how many of them have one of the two most frequent heights.

    >>> bar_score(np.array([[5] * 24, [5] * 12 + [0] * 12, [9] + [0] * 23])).round(4).tolist()
    [1.0, 1.0, 0.0]
    """
    spread = bars.std(axis=1) / np.maximum(bars.mean(axis=1), 1e-12)
    even = np.where(spread > 1, 0.0, 1 - spread)
    filled = (bars > 0).sum(axis=1)
    step = np.maximum(np.ceil(0.05 * bars.max(axis=1, initial=0)), 1).astype(np.int64)
    height = bars // step[:, None]
    kinds = int(height.max(initial=0)) + 1
    place = (np.arange(len(bars))[:, None] * kinds + height)[bars > 0]
    counts = np.sort(np.bincount(place, minlength=len(bars) * kinds).reshape(-1, kinds), axis=1)
    modal = np.minimum(counts[:, -2:].sum(axis=1) / np.maximum(filled - 1, 1), 1.0)
    return np.maximum(even, np.where(filled >= MODAL_BARS, modal, 0.0))


def length_score(bars: Int64, start: Int64, edges: Int64, whole: Int64) -> Float64:
    """(w,) the share of the window between the first and the last connection, or of half a day filled without a gap."""
    filled = bars > 0
    first, last = start[edges[:-1]], start[edges[1:] - 1]
    covered = (last - first) / np.maximum(whole, 1)
    score = np.minimum(np.maximum(covered, longest_run(filled) / FULL_RUN), 1.0)
    return np.where(filled.sum(axis=1) < FEWEST_BARS, 0.0, score)


def longest_run(filled: npt.NDArray[np.bool_]) -> Int64:
    """(w,) the most bars filled in a row, midnight joined to midnight.

    >>> longest_run(np.array([[True, False, True, True], [True] * 4, [False] * 4])).tolist()
    [3, 4, 0]
    """
    run = np.zeros(len(filled), np.int64)
    longest = run.copy()
    for column in np.concatenate([filled, filled], axis=1).T:
        run = (run + 1) * column
        longest = np.maximum(longest, run)
    return np.minimum(longest, filled.shape[1])
