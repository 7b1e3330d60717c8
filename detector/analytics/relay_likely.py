"""Which windows could score at all: the most that each could, before chance and correlation are measured.

Law: a window is dropped only if it is sure to score less than asked. What is in step, conservation and how long it
lasted are measured as they will be; whatever else a score is made of counts as 1, and chance as none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import SECOND_US
from detector.analytics.relay_flows import Bool
from detector.analytics.relay_matching import REACHES_S, Bursts, Matched, Way, unchanced
from detector.analytics.relay_pairs import Pairs, own_pair
from detector.analytics.relay_score import highest
from detector.analytics.relay_series import Windows
from detector.analytics.relay_streams import Streams, streams_of, sums_of
from detector.columns import Int64
from detector.features.byte_conservation import byte_conservation
from detector.features.coincidence import coincidence
from detector.grouped import Float64
from detector.thresholds import RelayThresholds

SPARE = 1e-9  # of rounding


@dataclass(frozen=True)
class Asked:
    """What is asked of the windows: of which lengths, from when on, and which score at least."""

    lengths_us: Sequence[int]
    begin: int
    least: float


@dataclass(frozen=True)
class Met:
    """Pairs, whether the moments of each are known (p,), and the bursts beside their ways."""

    pairs: Pairs
    timed: Float64
    bursts: Bursts
    way: Way


@dataclass(frozen=True)
class _Step:
    """k bursts in step at one reach, or of streams that are; ``share``: of the stream, ``met``: the burst itself."""

    row: Int64
    share: Float64
    met: Float64


@dataclass(frozen=True)
class Likely:
    """Windows of some pairs, by length: all that could score as much as is asked."""

    pairs: Pairs
    windows: Mapping[int, Windows]

    def ways(self) -> Pairs:
        """The pairs that have such a window."""
        kept = np.zeros(len(self.pairs), np.bool_)
        for windows in self.windows.values():
            kept[windows.pair] = True
        return self.pairs.some(kept)

    def meant(self, pairs: Pairs, bursts: Bursts) -> Bursts:
        """The bursts of ``pairs`` that are in such a window of any length; all others are in none that is kept."""
        known = own_pair(self.pairs, pairs.app, pairs.way)
        inside = np.zeros(len(bursts.row), np.bool_)
        for windows in self.windows.values():
            time = np.maximum(bursts.start, windows.begin)
            inside |= windows.find(known[bursts.pair], time) < len(windows)
        return bursts.taken(np.flatnonzero(inside))

    def among(self, pairs: Pairs, windows: Windows) -> Bool:
        """(w,) which windows of ``pairs`` are such."""
        mine, known = self.windows[windows.length], own_pair(self.pairs, pairs.app, pairs.way)
        return mine.find(known[windows.pair], windows.begin + windows.number * windows.length) < len(mine)


def likely(met: Met, asked: Asked, limits: RelayThresholds) -> Likely:
    """The windows that could score as much as is asked, at one of the reaches."""
    pairs, bursts, way, timed = met.pairs, met.bursts, met.way, met.timed
    found = {}
    apart = {length: streams_of(bursts, way, length, asked.begin, limits.fewest_streams) for length in asked.lengths_us}
    inside = np.zeros(len(bursts.row), np.bool_)
    for windows, streams in apart.values():
        inside |= streams.place < len(windows)
    matches = [_met(bursts, way, reach, np.flatnonzero(inside)) for reach in REACHES_S]
    for length, (windows, streams) in apart.items():
        sums = way.sums(windows)
        known = timed[windows.pair] > 0
        best = np.zeros(len(windows)) if known.all() else np.where(known, 0.0, _untimed(bursts, streams, sums, limits))
        for match in matches:
            most = _highest(bursts, streams, match, sums, limits)
            best = np.where(known, np.maximum(best, most), best)
        found[length] = windows.some(best >= asked.least - SPARE)
    return Likely(pairs, found)


def _met(bursts: Bursts, way: Way, reach: float, rows: Int64) -> Matched:
    """What was met of some bursts as if there were no chance; of all others nothing, which no window has."""
    found = unchanced(bursts.taken(rows), way, reach)
    columns = []
    for part in vars(found).values():
        column = np.zeros(len(bursts.row))
        column[rows] = part
        columns.append(column)
    return Matched(*columns)


def _highest(
    bursts: Bursts,
    streams: Streams,
    match: Matched,
    sums: tuple[Float64, Float64],
    limits: RelayThresholds,
) -> Float64:
    """(w,) the most each window could score at one reach."""
    step, w = _in_step(streams, match.paired), len(sums[0])
    place = streams.place[step.row]
    count = sums_of(streams.place, streams.weight, w)
    share = sums_of(place, streams.weight[step.row] * step.met, w)
    down, up = bursts.down[step.row], bursts.up[step.row]
    near = [np.minimum(sums_of(place, side[step.row] * step.met, w), sums[k]) for k, side in enumerate(match.carried)]
    passed = [sums_of(place, side * step.met, w) for side in (down, up)]
    related = [sums_of(place, side * step.share, w) for side in (down, up)]
    conserved = np.maximum(byte_conservation(*sums, *related), byte_conservation(near[0], near[1], *passed))
    lasted = _lasted(bursts, step.row, place, w)
    columns = {
        "streams": count,
        "nats": coincidence(share, np.zeros(w), count),
        "byte_conservation": conserved,
        "sustained": np.clip(lasted / (limits.anchor_s * SECOND_US), 0.0, 1.0),
    }
    return highest(columns, limits)


def _in_step(streams: Streams, paired: Float64) -> _Step:
    inside = streams.place < streams.windows
    if streams.single:
        row = np.flatnonzero((paired > 0) & inside)
        return _Step(row, streams.weight[row], np.ones(len(row)))
    hit = np.flatnonzero((paired > 0) & inside)
    share = np.bincount(streams.of[hit], streams.weight[hit], len(streams.one))[streams.of]
    row = np.flatnonzero((share > 0) & inside)
    return _Step(row, np.asarray(share[row], np.float64), paired[row])


def _lasted(bursts: Bursts, row: Int64, place: Int64, w: int) -> Float64:
    """(w,) from the first start to the last end of the bursts of ``row``, microseconds."""
    found = np.zeros(w)
    if len(row):
        heads = np.flatnonzero(np.diff(place, prepend=-1))
        first = np.minimum.reduceat(bursts.start[row], heads)
        last = np.maximum.reduceat(bursts.end[row], heads)
        found[place[heads]] = last - first
    return found


def _untimed(bursts: Bursts, streams: Streams, sums: tuple[Float64, Float64], limits: RelayThresholds) -> Float64:
    """(w,) the same where moments are unknown: all that was said counts as related."""
    w = len(sums[0])
    others = [sums_of(streams.place, side, w) for side in (bursts.down, bursts.up)]
    columns = {
        "streams": sums_of(streams.place, streams.weight, w),
        "nats": np.full(w, np.nan),
        "byte_conservation": byte_conservation(*sums, others[0], others[1]),
        "sustained": np.ones(w),
    }
    return highest(columns, limits)
