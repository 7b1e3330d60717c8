"""Buckets: what each process said minute by minute, in windows of six hours that begin every hour.

Source: Elastic's Network Beaconing 1.3.3 (packages/beaconing, transform.yml), as facts about it were written down. A
window that reaches back before the telemetry began has its first minutes empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.columns import NULL, Int64, numbered
from detector.grouped import Float64, grouped_quantiles
from detector.rivals.pairs import Pairs

MINUTE_US = 60_000_000
HOUR = 60  # buckets
HOURS = 6
BUCKETS = HOURS * HOUR
FEWEST_SPANNED, FEWEST_FILLED = 12, 7
LOW, HIGH = 0.1, 0.8  # quantiles between which sizes and counts are compared


@dataclass(frozen=True)
class Buckets:
    """b filled buckets of w windows, window after window, in time order; times in microseconds."""

    owner: Int64  # (w,) group
    hour: Int64  # (w,) the last hour of the window, from the telemetry's begin on
    edges: Int64  # (w + 1,) where the buckets of each begin
    place: Int64  # (b,) 0..359 in its window
    count: Int64  # (b,) connections
    up: Float64  # (b,) mean bytes of a connection
    down: Float64
    first: Int64  # (w,) first and last connection
    last: Int64

    @property
    def filled(self) -> Int64:
        """(w,) how many buckets are not empty."""
        return np.diff(self.edges)

    @property
    def spanned(self) -> Int64:
        """(w,) buckets from the first to the last that is not empty."""
        return np.asarray(self.place[self.edges[1:] - 1] - self.place[self.edges[:-1]] + 1, np.int64)

    def dense(self, windows: slice) -> tuple[Float64, Int64]:
        """(k, 360) counts of some windows from their first filled bucket on, and (k,) how many buckets they span."""
        low, high = self.edges[windows.start], self.edges[windows.stop]
        window = np.repeat(np.arange(windows.stop - windows.start), self.filled[windows])
        shift = self.place[self.edges[windows.start : windows.stop]]
        counts = np.zeros((windows.stop - windows.start, BUCKETS))
        counts[window, self.place[low:high] - shift[window]] = self.count[low:high]
        return counts, self.spanned[windows]


def fill(pairs: Pairs, span: tuple[int, int]) -> Buckets:
    """The buckets of all windows that hold and span enough of them."""
    begin, hours = span[0], max(-(-(span[1] - span[0]) // (HOUR * MINUTE_US)), 1)
    minute = np.clip((pairs.start - begin) // MINUTE_US, 0, hours * HOUR - 1)
    cell, head = numbered(pairs.group, minute)
    size = np.bincount(cell, minlength=len(head)).astype(np.int64)
    up, down = (np.bincount(cell, column, len(head)) / np.maximum(size, 1) for column in (pairs.up, pairs.down))
    tail = head + size - 1
    times = (size, pairs.start[head], pairs.start[tail])
    hour = (minute[head] // HOUR)[:, None] + np.arange(HOURS)
    place = (minute[head] % HOUR)[:, None] + HOUR * np.arange(HOURS - 1, -1, -1)
    keep = hour < hours
    source = np.nonzero(keep)[0]
    return _windows(
        pairs.group[head][source], hour[keep], place[keep], [column[source] for column in (*times, up, down)]
    )


def _windows(owner: Int64, hour: Int64, place: Int64, columns: list[Int64 | Float64]) -> Buckets:
    order = np.lexsort((place, hour, owner))
    owner, hour, place = owner[order], hour[order], place[order]
    count, first, last, up, down = (column[order] for column in columns)
    heads = np.flatnonzero((np.diff(owner, prepend=NULL) != 0) | (np.diff(hour, prepend=NULL) != 0))
    edges = np.append(heads, len(owner)).astype(np.int64)
    filled, ends = np.diff(edges), edges[1:] - 1
    keep = (filled >= FEWEST_FILLED) & (place[ends] - place[heads] + 1 >= FEWEST_SPANNED)
    inside = np.repeat(keep, filled)
    return Buckets(
        owner=owner[heads][keep],
        hour=hour[heads][keep],
        edges=np.append(0, np.cumsum(filled[keep])).astype(np.int64),
        place=place[inside],
        count=count[inside].astype(np.int64),
        up=up[inside].astype(np.float64),
        down=down[inside].astype(np.float64),
        first=first[heads][keep].astype(np.int64),
        last=last[ends][keep].astype(np.int64),
    )


def truncated_variation(values: Float64, edges: Int64) -> Float64:
    """(w,) deviation over mean of each window's values between their 10 and 80 % quantiles; NaN if the mean is 0.

    >>> truncated_variation(np.array([5.0, 5, 5, 5, 5, 5, 5, 5, 900, 1]), np.array([0, 10])).tolist()
    [0.0]
    """
    low, high = grouped_quantiles(values, edges, LOW, HIGH)
    window = np.repeat(np.arange(len(low)), np.diff(edges))
    keep = (values >= low[window]) & (values <= high[window])
    kept, window = values[keep], window[keep]
    size = np.bincount(window, minlength=len(low))
    mean = np.bincount(window, kept, len(low)) / np.maximum(size, 1)
    spread = np.sqrt(np.bincount(window, (kept - mean[window]) ** 2, len(low)) / np.maximum(size, 1))
    return np.where(mean > 0, spread / np.where(mean > 0, mean, 1.0), np.nan)
