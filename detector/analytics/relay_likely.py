"""Which ways could score at all: the most that any window of a pair could, before chance and correlation are measured.

Law: a pair is dropped only if every window of it, of every length, is sure to score less than asked. What is in step,
conservation and how long it lasted are measured as they will be; whatever else a score is made of counts as 1, and
chance as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import SECOND_US
from detector.analytics.relay_matching import REACHES_S, Bursts, Way, at_once
from detector.analytics.relay_pairs import Pairs
from detector.analytics.relay_score import highest
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
class _Step:
    """k bursts in step at one reach, or of streams that are; ``share``: of the stream, ``met``: the burst itself."""

    row: Int64
    share: Float64
    met: Float64


def likely(pairs: Pairs, bursts: Bursts, way: Way, timed: Float64, asked: Asked, limits: RelayThresholds) -> Pairs:
    """The pairs of which some window could score as much as is asked; all of them if nothing is."""
    if asked.least <= 0 or not len(pairs):
        return pairs
    reached = [at_once(bursts, way, reach) for reach in REACHES_S]
    kept = np.zeros(len(pairs), np.bool_)
    for length in asked.lengths_us:
        windows, streams = streams_of(bursts, way, length, asked.begin, limits.fewest_streams)
        sums = way.sums(windows)
        for paired, brought, taken in reached:
            best = _highest(bursts, streams, (paired, brought, taken), sums, limits)
            whole = _untimed(bursts, streams, sums, limits)
            best = np.where(timed[windows.pair] > 0, best, whole)
            kept[windows.pair[best >= asked.least - SPARE]] = True
    return pairs.some(kept)


def _highest(
    bursts: Bursts,
    streams: Streams,
    met: tuple[Float64, Float64, Float64],
    sums: tuple[Float64, Float64],
    limits: RelayThresholds,
) -> Float64:
    """(w,) the most each window could score at one reach."""
    paired, brought, taken = met
    step, w = _in_step(streams, paired), len(sums[0])
    place = streams.place[step.row]
    count = sums_of(streams.place, streams.weight, w)
    share = sums_of(place, streams.weight[step.row] * step.met, w)
    down, up = bursts.down[step.row], bursts.up[step.row]
    near = [
        np.minimum(sums_of(place, side[step.row] * step.met, w), sums[k]) for k, side in enumerate((brought, taken))
    ]
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
    return _Step(row, share[row], paired[row])


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
