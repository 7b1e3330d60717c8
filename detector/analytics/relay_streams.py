"""Which windows of ways are worth a look, and the streams in them: a stream is one flow within one window.

Bursts come in the order of pair and time, so windows are runs of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.analytics.relay_flows import distinct
from detector.analytics.relay_matching import Bursts, Way
from detector.analytics.relay_pairs import WORTH_A_LOOK, worth
from detector.analytics.relay_series import Windows
from detector.columns import Int64
from detector.grouped import Float64


@dataclass(frozen=True)
class Streams:
    """s flows within windows, and which of them each burst is of. ``place``: the window, w where there is none."""

    windows: int
    place: Int64  # (b,)
    of: Int64  # (b,)
    one: Int64  # (s,) a burst of each
    weight: Float64  # (b,) share of its stream, 0 for what does not ask
    single: bool  # every burst is a stream of its own

    def within(self, kept: npt.NDArray[np.bool_]) -> Streams:
        """The same of some of the windows."""
        rank = np.where(np.append(kept, False), np.append(np.cumsum(kept) - 1, 0), kept.sum())
        return Streams(int(kept.sum()), rank[self.place], self.of, self.one, self.weight, self.single)


def streams_of(bursts: Bursts, way: Way, length: int, begin: int, fewest: int) -> tuple[Windows, Streams]:
    """The windows of that length with at least ``fewest`` streams and a way worth a look, and the bursts in them."""
    number = np.maximum(bursts.start - begin, 0) // length
    fresh = (np.diff(bursts.pair, prepend=-1) != 0) | (np.diff(number, prepend=-1) != 0)
    heads = np.flatnonzero(fresh)
    every = Windows(bursts.pair[heads], number[heads], length, begin)
    place = np.cumsum(fresh) - 1
    of = one = np.arange(len(place))
    if not bursts.single:
        of, one = distinct(place, bursts.row)
    enough = np.bincount(place[one], minlength=len(every)) >= fewest
    other_in, other_out = (sums_of(place, side, len(every)) for side in (bursts.down, bursts.up))
    kept = enough & worth(*way.sums(every), other_in, other_out, WORTH_A_LOOK)
    windows = Windows(every.pair[kept], every.number[kept], length, begin)
    rank = np.where(kept, np.cumsum(kept) - 1, len(windows))
    place = rank[place] if len(place) else place
    if not bursts.single:
        of, one = distinct(place, bursts.row)
    asked = np.bincount(of, bursts.asks, len(one))
    weight = np.where(bursts.asks, 1.0 / np.maximum(asked[of], 1.0), 0.0) if len(of) else np.zeros(0)
    return windows, Streams(len(windows), place, of, one, weight, bursts.single)


def sums_of(place: Int64, amount: Float64 | Int64 | npt.NDArray[np.bool_], w: int) -> Float64:
    """(w,) sums by window of what is in one."""
    return np.bincount(place, amount, w + 1)[:w].astype(np.float64)
