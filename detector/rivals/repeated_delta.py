"""The repeated delta: how often the most frequent interval between one pair's connections comes back within an hour.

Formula: Microsoft Sentinel's rule "potential beaconing detected", as facts about its public copies were written down.
Intervals are in whole seconds; those of 25 s or less are not counted. One belongs to the hour in which it begins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.columns import Int64, numbered
from detector.grouped import Float64
from detector.rivals.pairs import Pairs

HOUR_US = 3_600_000_000
TOO_SHORT_S = 25
TOTAL_ABOVE, SAME_ABOVE, SHARE_ABOVE = 30, 25, 0.8


@dataclass(frozen=True)
class RepeatedDeltas:
    """h hours of pairs with at least one interval that counts; times in microseconds."""

    owner: Int64  # (h,) group
    hour: Int64  # since the epoch
    total: Int64
    same: Int64  # of the most frequent interval; of ties the shortest
    delta_s: Int64  # which is this
    first: Int64  # start of the first interval, end of the last
    last: Int64

    @property
    def share(self) -> Float64:
        """(h,) of the intervals that are the most frequent one."""
        return np.asarray(self.same / self.total, np.float64)

    @property
    def score(self) -> Float64:
        """(h,) the share where there are enough intervals, else how far the worst lack is from enough.

        Above 0.8 exactly where the rule fires: the rule says yes or no, and this order of its noes is ours.
        """
        lack = np.minimum(self.total / (TOTAL_ABOVE + 1), self.same / (SAME_ABOVE + 1))
        enough = (self.total > TOTAL_ABOVE) & (self.same > SAME_ABOVE)
        return np.where(enough, self.share, SHARE_ABOVE * np.minimum(np.minimum(lack, 1.0), self.share / SHARE_ABOVE))


def repeated_deltas(pairs: Pairs) -> RepeatedDeltas:
    """The hours of all pairs."""
    same = np.diff(pairs.group) == 0
    delta = np.diff(pairs.start // 1_000_000)
    rows = np.flatnonzero(same & (delta > TOO_SHORT_S))
    owner, hour, delta = pairs.group[rows], pairs.start[rows] // HOUR_US, delta[rows]
    window, head = numbered(owner, hour)
    kind, one = numbered(window, delta)
    size = np.bincount(kind, minlength=len(one))
    order = np.lexsort((delta[one], -size, window[one]))
    best = order[np.flatnonzero(np.diff(window[one][order], prepend=-1))]
    last = np.zeros(len(head), np.int64)
    np.maximum.at(last, window, pairs.start[rows + 1])
    return RepeatedDeltas(
        owner=owner[head],
        hour=hour[head],
        total=np.bincount(window, minlength=len(head)).astype(np.int64),
        same=size[best].astype(np.int64),
        delta_s=delta[one][best].astype(np.int64),
        first=pairs.start[rows[head]],
        last=last,
    )
