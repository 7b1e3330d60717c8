"""Every burst of an app's other flows held against a way in: did it bring the request and take the answer away.

Law: the same question is asked of the way at other times, minutes before and after, so that chance has a number of its
own. All bursts of all pairs at once: sums over time are differences of prefix sums, found by binary search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import SECOND_US, Pieces, Spoken
from detector.analytics.relay_flows import Bool, RelayFlows
from detector.analytics.relay_pairs import Pairs, spread
from detector.analytics.relay_series import Windows
from detector.columns import Int64, stable_order
from detector.grouped import Float64

LEAST = 0.25  # bytes of the way for each byte of the burst: compression, and TLS that the relay ends itself
SLACK_US = 750_000  # by which the moments of bytes within an exchange may be wrong
REACHES_S = (1.5, 30.0)  # how long a relay may hold a message: at once, or store and forward
#: Where the way is looked at for chance, in reaches and a fixed part, before and after: outside any burst's own reach.
SHIFTS = (-8.0, -5.0, 5.0, 8.0)
SHIFT_US = 8 * SECOND_US


@dataclass(frozen=True)
class Bursts:
    """b bursts of flows beside each pair's way: exchanges, and what flows carried beside them.

    ``asks``: to be matched; false of handshakes and the like, which are judged with their flow.
    """

    pair: Int64
    row: Int64  # of the flow
    start: Int64
    turn: Int64
    end: Int64
    up: Int64
    down: Int64
    asks: Bool
    single: bool = False  # no flow has two bursts beside one way

    def taken(self, rows: Int64) -> Bursts:
        """Some of them, in the order given."""
        columns = (self.pair, self.row, self.start, self.turn, self.end, self.up, self.down)
        return Bursts(*(column[rows] for column in columns), self.asks[rows], single=self.single)


@dataclass(frozen=True)
class Matched:
    """What the way did around each burst, at one reach; (b,) each."""

    paired: Float64  # 1 in step, else 0
    chance: Float64  # share of the other times at which it would have been
    brought: Float64  # bytes that came by the way before the request
    taken: Float64  # bytes that left by the way after the answer
    taken_else: Float64  # the same at another time

    @property
    def carried(self) -> tuple[Float64, Float64]:
        """What the way brought, and what it took."""
        return self.brought, self.taken


class Way:
    """Prefix sums of the bytes of each pair's way, searchable by pair and time."""

    def __init__(self, pair: Int64, bits: Pieces, span: tuple[int, int]) -> None:
        self.begin, self.length = span[0], max(span[1] - span[0], 1) + 2
        key = self._key(pair, bits.time)
        order = stable_order(key)
        self.key = key[order]
        self.into = np.append(0.0, np.cumsum(bits.into[order], dtype=np.float64))
        self.out = np.append(0.0, np.cumsum(bits.out[order], dtype=np.float64))

    def _key(self, pair: Int64, time: Int64) -> Int64:
        return pair * self.length + np.clip(time - self.begin, 0, self.length - 2)

    def between(self, pair: Int64, start: Int64, end: Int64) -> tuple[Float64, Float64]:
        """(b,) bytes towards and from the device by each pair's way from start to end, both included."""
        low = np.searchsorted(self.key, self._key(pair, start), side="left")
        high = np.searchsorted(self.key, self._key(pair, end), side="right")
        high = np.maximum(high, low)
        return self.into[high] - self.into[low], self.out[high] - self.out[low]

    def sums(self, windows: Windows) -> tuple[Float64, Float64]:
        """(w,) bytes towards and from the device by each window's way."""
        start = windows.begin + windows.number * windows.length
        return self.between(windows.pair, start, start + windows.length - 1)


def bursts_of(pairs: Pairs, flows: RelayFlows, said: Spoken) -> Bursts:
    """What the counted flows said that took another way than each pair's; of flows without exchanges all of it asks."""
    told = np.zeros(len(flows.start), np.bool_)
    told[said.row[said.told]] = True
    kept = np.flatnonzero(flows.counted[said.row])
    pair, at = spread(pairs, flows.app[said.row[kept]])
    item = kept[at]
    other = flows.way[said.row[item]] != pairs.way[pair]
    pair, item = pair[other], item[other]
    asks = (said.told | ~told[said.row])[item] & (said.up + said.down > 0)[item]
    row, start, turn, end, up, down = (
        column[item] for column in (said.row, said.start, said.turn, said.end, said.up, said.down)
    )
    single = bool(np.bincount(said.row, minlength=1).max() <= 1)
    return Bursts(pair, row, start, turn, end, up, down, asks, single=single)


def matched(bursts: Bursts, way: Way, reach_s: float) -> Matched:
    """Each burst against its pair's way, now and at other times."""
    reach = int(reach_s * SECOND_US)
    paired, brought, taken = _at(bursts, way, reach, 0)
    others = [_at(bursts, way, reach, int(shift * reach + np.sign(shift) * SHIFT_US)) for shift in SHIFTS]
    chance = np.mean([part for part, _, _ in others], axis=0) if len(paired) else paired
    return Matched(paired, chance, brought, taken, others[1][2])


def unchanced(bursts: Bursts, way: Way, reach_s: float) -> Matched:
    """The same now, as if there were no chance: a fifth of the work."""
    paired, brought, taken = _at(bursts, way, int(reach_s * SECOND_US), 0)
    return Matched(paired, np.zeros(len(paired)), brought, taken, taken)


def in_step(bursts: Bursts, way: Way) -> Bool:
    """(b,) whether each burst is in step with its pair's way at any reach."""
    return np.asarray(sum(_at(bursts, way, int(reach * SECOND_US), 0)[0] for reach in REACHES_S) > 0, np.bool_)


def _at(bursts: Bursts, way: Way, reach: int, shift: int) -> tuple[Float64, Float64, Float64]:
    """(b,) whether the way is in step with each burst so much later, and what it brought and took."""
    asked = bursts.start + shift
    brought, _ = way.between(bursts.pair, asked - reach - SLACK_US, asked + SLACK_US)
    answered, over = bursts.turn + shift, bursts.end + shift
    _, taken = way.between(bursts.pair, answered - SLACK_US, over + reach + SLACK_US)
    fits = (brought >= np.maximum(LEAST * bursts.up, bursts.up > 0)) & (
        taken >= np.maximum(LEAST * bursts.down, bursts.down > 0)
    )
    return (fits & bursts.asks).astype(np.float64), brought, taken
