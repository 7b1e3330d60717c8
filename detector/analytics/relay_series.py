"""Bytes per second of a way and of the flows beside it: correlation at lags, and how far their shares run apart.

Both are sums over seconds, so that windows of any length are sums of short ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.analytics.relay_bytes import SECOND_US, Pieces
from detector.columns import Int64
from detector.features.bridge_correlation import correlation
from detector.grouped import Float64

LAGS = range(4)
NEAR_S = (-LAGS.stop - 1, 0, 2)  # how far beside a window bytes count, by their smear or a lag: less than it is long


@dataclass(frozen=True)
class Sides:
    """Bytes of one direction in time: by the way and by the other flows; each (pair, time, amount)."""

    way: tuple[Int64, Int64, Int64]
    other: tuple[Int64, Int64, Int64]
    forth: bool  # True: by the way in, by the others out; False: back


def both_sides(way: tuple[Int64, Pieces], other: tuple[Int64, Pieces]) -> tuple[Sides, Sides]:
    """What came by the way and left by the others, and what came back; each part is pairs and pieces."""
    (mine, ways), (theirs, others) = way, other
    return (
        Sides((mine, ways.time, ways.into), (theirs, others.time, others.out), forth=True),
        Sides((mine, ways.time, ways.out), (theirs, others.time, others.into), forth=False),
    )


@dataclass(frozen=True)
class Windows:
    """w windows: which pair, and which one of its length; in order of (pair, number)."""

    pair: Int64
    number: Int64
    length: int  # microseconds
    begin: int

    def find(self, pair: Int64, time: Int64) -> Int64:
        """(k,) the window each moment of a pair falls in; w where it is in none."""
        step = 1 + int(self.number.max(initial=0))
        number = (time - self.begin) // self.length
        keys, wanted = self.pair * step + self.number, pair * step + np.minimum(number, step - 1)
        place = np.searchsorted(keys, wanted)
        inside = (place < len(keys)) & (number < step) & (number >= 0)
        inside[inside] = keys[place[inside]] == wanted[inside]
        return np.where(inside, place, len(keys))

    def some(self, kept: npt.NDArray[np.bool_]) -> Windows:
        """Some of them."""
        return Windows(self.pair[kept], self.number[kept], self.length, self.begin)

    def __len__(self) -> int:
        return len(self.pair)

    def nearby(self, part: tuple[Int64, Pieces]) -> tuple[Int64, Pieces]:
        """Those bytes of pairs that can be told in any of the windows, be it by the seconds after or before them."""
        pair, bits = part
        some = np.zeros(int(pair.max(initial=0)) + 2, np.bool_)
        some[self.pair[self.pair < len(some)]] = True
        rows = np.flatnonzero(some[pair])
        pair, time = pair[rows], bits.time[rows]
        met = [self.find(pair, time + shift * SECOND_US) < len(self) for shift in NEAR_S]
        near = met[0] | met[1] | met[2]
        return pair[near], bits.taken(rows[near])


def correlations(sides: Sides, windows: Windows, span_s: int) -> Float64:
    """(lags, w) correlation of ln(1 + bytes) per second: the effect follows the cause by each lag."""
    first, second = (_logged(part, windows.begin, span_s) for part in (sides.way, sides.other))
    cause, effect = (first, second) if sides.forth else (second, first)
    places = [windows.find(key // span_s, windows.begin + key % span_s * SECOND_US) for key, _ in (cause, effect)]
    count = len(windows)
    sums = [_summed(place, value, count) for place, (_, value) in zip(places, (cause, effect), strict=True)]
    squares = [_summed(place, value**2, count) for place, (_, value) in zip(places, (cause, effect), strict=True)]
    seconds = np.full(count, windows.length / SECOND_US)
    found = []
    for lag in LAGS:
        at = np.minimum(np.searchsorted(effect[0], cause[0] + lag), max(len(effect[0]) - 1, 0))
        met = effect[0][at] == cause[0] + lag if len(effect[0]) else np.zeros(len(cause[0]), np.bool_)
        products = cause[1][met] * effect[1][at[met]]
        both = _summed(places[0][met], products, count)
        found.append(correlation(seconds, (sums[0], sums[1]), (squares[0], squares[1]), both))
    return np.array(found)


def farthest(sides: Sides, windows: Windows) -> Float64:
    """(w,) how far the way's share of its bytes in the window is from the others' share of theirs, at the most."""
    places, times, shares = [], [], []
    for (pair, time, amount), sign in ((sides.way, 1.0), (sides.other, -1.0)):
        place = windows.find(pair, time)
        total = np.append(_summed(place, amount, len(windows)), 1.0)
        places.append(place)
        times.append(time)
        shares.append(sign * amount / np.maximum(total[place], 1.0))
    place, time, share = (np.concatenate(part) for part in (places, times, shares))
    inside = place < len(windows)
    place, time, share = place[inside], time[inside], share[inside]
    order = np.lexsort((time, place))
    place, running = place[order], np.cumsum(share[order])
    found = np.full(len(windows), np.nan)
    if len(place):
        heads = np.flatnonzero(np.diff(place, prepend=-1))
        before = np.append(0.0, running)[heads]
        off = np.abs(running - np.repeat(before, np.diff(np.append(heads, len(place)))))
        found[place[heads]] = np.maximum.reduceat(off, heads)
    return found


def _logged(part: tuple[Int64, Int64, Int64], begin: int, span_s: int) -> tuple[Int64, Float64]:
    """Seconds with bytes in them or just before, as sorted keys of pair and second, and ln(1 + bytes) of both."""
    pair, time, amount = part
    second = np.clip((time - begin) // SECOND_US, 0, span_s - 2)
    carried = amount > 0
    key = (pair * span_s + second)[carried]
    keys, place = np.unique(np.concatenate((key, key + 1)), return_inverse=True)
    return keys, np.log1p(np.bincount(place, np.tile(amount[carried], 2), len(keys)))


def _summed(place: Int64, amount: Sequence[float] | Float64 | Int64, count: int) -> Float64:
    return np.bincount(place, amount, count + 1)[:count].astype(np.float64)
