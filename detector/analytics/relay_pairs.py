"""Which ways in could be an app's bridge: cheap sums over all flows, then over windows, before anything is matched.

A way is looked at if customers could come by it (accepted sessions, a flow of minutes, many flows to one peer) and if
in some window it carried, in both directions, no less than a tenth of what the app's other flows carried. What a
relay hidden in still more other traffic carries is not seen here, and so nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import SECOND_US, Pieces
from detector.analytics.relay_flows import ACCEPTED, Bool, RelayFlows, distinct
from detector.columns import NULL, Int64, joined, stable_order
from detector.grouped import Float64

STREAMS_PER_GATEWAY = 5  # flows to one peer that make it a way in without any being long
MOST_WAYS = 16  # of one app that are looked at, those with most bytes
WORTH_A_LOOK = 1 / 10  # bytes of the way for each byte of the other flows, in some window and both directions
WORTH_EVER = 1 / 100  # the same over all flows at once


@dataclass(frozen=True)
class Pairs:
    """p ways into apps."""

    app: Int64
    way: Int64

    def __len__(self) -> int:
        return len(self.app)

    def some(self, kept: Bool) -> Pairs:
        """Some of them."""
        return Pairs(self.app[kept], self.way[kept])


def could_bridge(flows: RelayFlows, anchor_s: float, fewest: int) -> Pairs:
    """The ways that by the sums of whole flows could bridge to at least ``fewest`` others of the app."""
    rows = np.flatnonzero(flows.way != NULL)
    app, way, counted = flows.app[rows], flows.way[rows], flows.counted[rows]
    pair, one = distinct(app, way)
    long = flows.end[rows] - flows.start[rows] >= anchor_s * SECOND_US
    counts = np.bincount(pair, minlength=len(one))
    enters = (way[one] == ACCEPTED) | (counts >= STREAMS_PER_GATEWAY) | (np.bincount(pair, long, len(one)) > 0)
    into, out = (_others(side[rows], (pair, one), app, counted) for side in (flows.into, flows.out))
    streams = _others(np.ones(len(rows), np.int64), (pair, one), app, counted)
    found = enters & (streams[1] >= fewest) & worth(into[0], out[0], into[1], out[1], WORTH_EVER)
    kept = np.flatnonzero(found)
    heaviest = np.lexsort((-(into[0] + out[0])[kept], app[one[kept]]))
    kept = kept[heaviest]
    owner = app[one[kept]]
    rank = np.arange(len(kept)) - np.searchsorted(owner, owner)
    kept = np.sort(kept[rank < MOST_WAYS])
    return Pairs(app[one[kept]], way[one[kept]])


def worth(into: Float64, out: Float64, other_into: Float64, other_out: Float64, least: float) -> Bool:
    """Whether a way's bytes could hold the others', each array (w,): what came by it went out there, and back."""
    carried = (into > 0) & (out > 0) & (other_into > 0) & (other_out > 0)
    return np.asarray(carried & (into >= least * other_out) & (out >= least * other_into), np.bool_)


def _others(amount: Int64, pairs: tuple[Int64, Int64], app: Int64, counted: Bool) -> tuple[Float64, Float64]:
    """(p,) sums of each way, and of the counted flows of its app that took another way."""
    pair, one = pairs
    told = np.where(counted, amount, 0)
    whole = _summed(app, told, int(app.max(initial=-1)) + 1)[app[one]]
    return _summed(pair, amount, len(one)), whole - _summed(pair, told, len(one))


def _summed(place: Int64, amount: Int64, count: int) -> Float64:
    return np.bincount(place, amount, count).astype(np.float64)


def bridging(pairs: Pairs, flows: RelayFlows, bits: Pieces, lengths_us: Sequence[int], begin: int) -> Pairs:
    """Those of the pairs that are worth a look in some window of one of the lengths."""
    kept = np.zeros(len(pairs), np.bool_)
    for length in lengths_us:
        kept |= _in_windows(pairs, flows, bits, (bits.time - begin) // length)
    return pairs.some(kept)


def _in_windows(pairs: Pairs, flows: RelayFlows, bits: Pieces, window: Int64) -> Bool:
    app, way = flows.app[bits.row], flows.way[bits.row]
    group, one = distinct(app, way, np.maximum(window, 0))
    place, _ = distinct(app, np.maximum(window, 0))
    counted = flows.counted[bits.row]
    many = int(place.max(initial=-1)) + 1
    mine = [_summed(group, side, len(one)) for side in (bits.into, bits.out)]
    told = [np.where(counted, side, 0) for side in (bits.into, bits.out)]
    others = [_summed(place, side, many)[place[one]] - _summed(group, side, len(one)) for side in told]
    good = worth(mine[0], mine[1], others[0], others[1], WORTH_A_LOOK)
    known = set(zip(app[one[good]].tolist(), way[one[good]].tolist(), strict=True))
    return np.array([pair in known for pair in zip(pairs.app.tolist(), pairs.way.tolist(), strict=True)], np.bool_)


def own_pair(pairs: Pairs, app: Int64, way: Int64) -> Int64:
    """(k,) the pair of each item's app and way; NULL where there is none."""
    step = int(max(way.max(initial=0), pairs.way.max(initial=0))) + 2
    keys = pairs.app * step + pairs.way
    return joined(keys, np.where(way == NULL, NULL, app * step + way))


def spread(pairs: Pairs, app: Int64) -> tuple[Int64, Int64]:
    """(k,) pair and item, for every item (each of an app) once under each pair of its app, pair after pair."""
    order = stable_order(app)
    low, high = (np.searchsorted(app[order], pairs.app, side=side) for side in ("left", "right"))
    pair = np.repeat(np.arange(len(pairs)), high - low)
    at = np.arange(len(pair)) - np.repeat(np.cumsum(high - low) - (high - low), high - low) + np.repeat(low, high - low)
    return pair, order[at]
