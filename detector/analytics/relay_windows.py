"""The columns of all windows of one length: what was matched, counted and summed in each.

Every column is a sum, a count of distinct things or a quantile over the bursts of a window; a stream is one flow within
one window, and counts as much as another however much it says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import SECOND_US, Pieces
from detector.analytics.relay_context import Surroundings
from detector.analytics.relay_flows import ACCEPTED, RelayFlows, distinct
from detector.analytics.relay_likely import Likely
from detector.analytics.relay_matching import Bursts, Matched, Way
from detector.analytics.relay_pairs import Pairs
from detector.analytics.relay_series import Windows, both_sides, correlations, farthest
from detector.analytics.relay_streams import Streams, streams_of, sums_of
from detector.columns import NULL, Int64, stable_order
from detector.features.bounded_difference import bounded_difference
from detector.features.bridge_correlation import bridge_correlation, correlation
from detector.features.byte_conservation import byte_conservation
from detector.features.coincidence import coincidence
from detector.features.concurrency import concurrency
from detector.features.fan_out import fan_out
from detector.features.pairing_lift import pairing_lift
from detector.features.setup_evidence import setup_evidence
from detector.features.size_agreement import size_agreement
from detector.features.stack_diversity import stack_diversity
from detector.features.unattended_share import unattended_share
from detector.grouped import Float64, grouped_quantiles
from detector.thresholds import RelayThresholds

Columns = dict[str, Float64]


@dataclass(frozen=True)
class Scene:
    """All that the windows of one telemetry are measured from; (p,) by pair, (b,) by burst."""

    flows: RelayFlows
    pairs: Pairs
    bursts: Bursts
    matches: tuple[Matched, ...]  # by reach
    way: Way
    ways: tuple[Int64, Pieces]
    others: tuple[Int64, Pieces]
    timed: Float64  # (p,)
    begin: int
    end: int
    around: Surroundings
    limits: RelayThresholds
    likely: Likely | None = None  # windows beyond these are left out


def window_columns(scene: Scene, length: int) -> tuple[Windows, Columns]:
    """The windows of that length in which enough streams met a way worth a look, and their columns."""
    windows, streams = streams_of(scene.bursts, scene.way, length, scene.begin, scene.limits.fewest_streams)
    ways, others = scene.ways, scene.others
    if scene.likely is not None:
        kept = scene.likely.among(scene.pairs, windows)
        windows, streams = windows.some(kept), streams.within(kept)
        ways, others = windows.nearby(ways), windows.nearby(others)
    w = len(windows)
    columns = _matching(scene, windows, streams)
    related, near = columns.pop("_related"), columns.pop("_near")
    in_time = both_sides(ways, others)
    totals = _totals(scene, windows, streams, related)
    columns |= totals
    flow = (totals["way_in_bytes"], totals["way_out_bytes"], totals["relayed_in_bytes"], totals["relayed_out_bytes"])
    timed = scene.timed[windows.pair] > 0
    span_s = (scene.end - scene.begin) // SECOND_US + 3
    forth, back = (correlations(side, windows, span_s) for side in in_time)
    columns["bridge_correlation"] = np.where(timed, bridge_correlation(forth, back), np.nan)
    columns["byte_conservation"] = np.fmax(byte_conservation(*flow), near)
    apart = bounded_difference(*(farthest(side, windows) for side in in_time))
    columns["bounded_difference"] = np.where(timed, apart, np.nan)
    columns |= _spread_out(scene, streams, related, w)
    columns |= _surrounding(scene, windows, streams, related)
    return windows, columns


def _matching(scene: Scene, windows: Windows, streams: Streams) -> Columns:
    """Streams, how many of them are in step, and how sizes agree, at the reach at which it is least by chance.

    ``_related``: (b,) share of each burst's stream that was in step; 1 where moments are unknown.
    """
    w, place, asks = len(windows), streams.place, scene.bursts.asks
    count = sums_of(place, streams.weight, w)
    most = scene.way.sums(windows)
    best: Columns = {"nats": np.full(w, -1.0)}
    related = np.zeros(len(place))
    for match in scene.matches:
        paired, chance = (sums_of(place, streams.weight * part, w) for part in (match.paired, match.chance))
        nats = coincidence(paired, chance, count)
        answered = asks & (scene.bursts.down > 0)
        agreed, by_chance = (
            _agreement(place[answered], scene.bursts.down[answered], part[answered], w)
            for part in (match.taken, match.taken_else)
        )
        around = [np.minimum(sums_of(place, side * match.paired, w), most[k]) for k, side in enumerate(match.carried)]
        passed = [sums_of(place, side * match.paired, w) for side in (scene.bursts.down, scene.bursts.up)]
        found = {
            "nats": nats,
            "_near": byte_conservation(around[0], around[1], passed[0], passed[1]),
            "paired": paired,
            "expected_by_chance": chance,
            "pairing_lift": pairing_lift(paired, chance, count),
            "size_agreement": np.where(chance < count / 2, size_agreement(agreed, by_chance), np.nan),
        }
        better = nats > best["nats"]
        best = {name: np.where(better, part, best.get(name, part)) for name, part in found.items()}
        stream = np.bincount(streams.of, streams.weight * match.paired, len(streams.one)) if len(place) else place
        related = np.where(np.append(better, False)[place], stream[streams.of], related) if len(place) else related
    timed = scene.timed[windows.pair] > 0
    columns = {name: np.where(timed, part, np.nan) for name, part in best.items()}
    sure = np.append(timed, True)[place]
    return {"streams": count, **columns, "_related": np.where(sure, related, 1.0)}


def _agreement(place: Int64, size: Int64, taken: Float64, w: int) -> Float64:
    """(w,) correlation of log sizes; NaN below three bursts or where all are of one size."""
    x, y = np.log1p(size), np.log1p(taken)
    count = sums_of(place, np.ones(len(place)), w)
    sums = [sums_of(place, part, w) for part in (x, y, x * x, y * y, x * y)]
    varied = sums[2] - sums[0] ** 2 / np.maximum(count, 1) > 0.01 * count
    found = correlation(count, (sums[0], sums[1]), (sums[2], sums[3]), sums[4])
    return np.where((count >= 3) & varied, found, np.nan)


def _totals(scene: Scene, windows: Windows, streams: Streams, related: Float64) -> Columns:
    """Bytes by the way, and by the streams in step with it, towards and from the device."""
    bursts, w = scene.bursts, len(windows)
    way_in, way_out = scene.way.sums(windows)
    other_in, other_out = (sums_of(streams.place, side * related, w) for side in (bursts.down, bursts.up))
    whole = sums_of(streams.place, bursts.down + bursts.up, w)
    share = (other_in + other_out) / np.maximum(whole, 1.0)
    named = {
        "way_in_bytes": way_in,
        "way_out_bytes": way_out,
        "relayed_in_bytes": other_in,
        "relayed_out_bytes": other_out,
    }
    return {**named, "relayed_share": share}


def _spread_out(scene: Scene, streams: Streams, related: Float64, w: int) -> Columns:
    """Where the streams in step went, with whose TLS, and how many were open at once."""
    flows, one = scene.flows, streams.one
    row, place = scene.bursts.row[one], streams.place[one]
    kept = (related[one] >= 0.5) & (place < w)
    row, place = row[kept], place[kept]
    _, goal = distinct(place, flows.peer.code[row])
    strange = scene.around.unrelated[row[goal]]
    spoke = flows.ja4.code[row] != NULL
    _, stack = distinct(place[spoke], flows.ja4.code[row[spoke]])
    destinations = sums_of(place[goal], np.ones(len(goal)), w)
    stacks = sums_of(place[spoke][stack], np.ones(len(stack)), w)
    alone = sums_of(place, (flows.uid[row] != NULL) | (flows.package.code[row] != NULL), w) > 0
    away = sums_of(place[goal], strange, w)
    return {
        "destinations": destinations,
        "stacks": stacks,
        "fan_out": np.where(alone, fan_out(away), np.nan),
        "stack_diversity": np.where(alone, stack_diversity(stacks), np.nan),
        "novelty": np.where(scene.around.learned & (destinations > 0), away / np.maximum(destinations, 1), np.nan),
        "concurrency": concurrency(_busiest(scene.around.open_at_once[row], place, w)),
    }


def _busiest(values: Float64, place: Int64, w: int) -> Float64:
    order = stable_order(place)
    edges = np.searchsorted(place[order], np.arange(w + 1))
    (found,) = grouped_quantiles(values[order], edges, 0.95)
    return found


def _surrounding(scene: Scene, windows: Windows, streams: Streams, related: Float64) -> Columns:
    """Use of the device, set-up, and from when to when something was relayed."""
    bursts, around, w = scene.bursts, scene.around, len(windows)
    size = (bursts.up + bursts.down) * related
    hidden = sums_of(streams.place, size * (around.unattended == 1), w)
    known = sums_of(streams.place, size * (around.unattended >= 0), w)
    step = related > 0
    first, last = np.full(w + 1, np.iinfo(np.int64).max), np.full(w + 1, np.iinfo(np.int64).min)
    np.minimum.at(first, streams.place[step], bursts.start[step])
    np.maximum.at(last, streams.place[step], bursts.end[step])
    begin = windows.begin + windows.number * windows.length
    some = last[:w] >= first[:w]
    first, last = np.where(some, first[:w], begin), np.where(some, last[:w], begin)
    accepted = (scene.pairs.way[windows.pair] == ACCEPTED).astype(np.float64)
    asked, listened = around.set_up(windows.pair, begin, begin + windows.length)
    lasts = (last - first) / (scene.limits.anchor_s * SECOND_US)
    return {
        "unattended_share": unattended_share(hidden, known),
        "setup_evidence": setup_evidence(asked, accepted, listened),
        "accepted": accepted,
        "nearby": around.nearby[windows.pair],
        "sustained": np.clip(lasts, 0.0, 1.0),
        "way_new": around.way_new[windows.pair],
        "first": first.astype(np.float64),
        "last": np.minimum(last, begin + windows.length).astype(np.float64),
    }
