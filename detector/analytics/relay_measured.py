"""Every factor of AN1702 for every window of every way into an app, as named columns.

Windows of several lengths, so that rare streams add up; all at once, no loop over windows. Unknown is NaN. Nothing here
judges: detector/analytics/relay_score.py makes scores of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from detector.analytics.relay_bytes import Pieces, pieces, spoken
from detector.analytics.relay_context import Surroundings, surroundings
from detector.analytics.relay_flows import RelayFlows
from detector.analytics.relay_matching import REACHES_S, Way, bursts_of, matched
from detector.analytics.relay_pairs import Pairs, bridging, could_bridge, spread
from detector.analytics.relay_promise import Talk, promising
from detector.analytics.relay_score import bridging as bridging_alone
from detector.analytics.relay_windows import Scene, window_columns
from detector.columns import NULL, Codes, Int64
from detector.contract import Telemetry
from detector.features.bridged_anew import bridged_anew
from detector.grouped import Float64
from detector.thresholds import RelayThresholds

if TYPE_CHECKING:
    from detector.baseline import Baseline


@dataclass(frozen=True)
class Measured:
    """w windows of ways into apps; times in microseconds. ``columns``: every factor, (w,) float64, NaN unknown."""

    device: Codes
    uid: Int64
    package: Codes
    way: Codes  # peer, or "accepted sessions"
    begin: Int64
    length: Int64
    first: Int64  # what was relayed first and last within the window
    last: Int64
    columns: Mapping[str, Float64]

    def __len__(self) -> int:
        return len(self.uid)


def measured(telemetry: Telemetry, limits: RelayThresholds) -> Measured:
    """The windows of a telemetry that could be judged; Unsupported without flows."""
    flows = RelayFlows.read(telemetry["flows"], limits.allowed_destination_list)
    exchanges = telemetry.tables.get("exchanges")
    begin = telemetry.span[0]
    lengths = [int(limits.time_window * 1e6) * round(many) for many in limits.windows]
    pairs = could_bridge(flows, limits.anchor_s, limits.fewest_streams)
    said = spoken(flows, _rows_of(flows, pairs), exchanges)
    bits = pieces(flows, said)
    pairs = bridging(pairs, flows, bits, lengths, begin)
    times = [telemetry.span, *((part.min(), part.max()) for part in (flows.start, flows.end) if len(part))]
    span = (int(min(low for low, _ in times)), int(max(high for _, high in times)))
    said = said.taken(np.lexsort((said.start, flows.app[said.row])))
    if exchanges is not None:
        pairs = promising(pairs, Talk(flows, said, bits, span), limits.fewest_streams)
    bits = bits.taken(np.isin(flows.app[bits.row], pairs.app))
    bursts = bursts_of(pairs, flows, said)
    ways, others = _beside(pairs, flows, bits)
    way = Way(*ways, span)
    scene = Scene(
        flows=flows,
        pairs=pairs,
        bursts=bursts,
        matches=tuple(matched(bursts, way, reach) for reach in REACHES_S),
        ways=ways,
        others=others,
        timed=_timed(pairs, flows, told=exchanges is not None),
        begin=begin,
        end=span[1],
        around=surroundings(telemetry, flows, pairs, bursts, limits),
        limits=limits,
    )
    return _held_against_past(_joined(scene, lengths), telemetry.baseline, limits)


def _held_against_past(found: Measured, baseline: Baseline | None, limits: RelayThresholds) -> Measured:
    """The same windows with how clearly the app relayed in the learning period, and how much more so now."""
    past = np.full(len(found), np.nan)
    if baseline is not None:
        past = baseline.relayed(found.device, found.package).known
    anew = bridged_anew(past, bridging_alone(found.columns, limits))
    return replace(found, columns={**found.columns, "past_bridge": past, "anew": anew})


def _rows_of(flows: RelayFlows, pairs: Pairs) -> Int64:
    chosen = np.zeros(len(flows.one) + 1, np.bool_)
    chosen[pairs.app] = True
    return np.flatnonzero(chosen[flows.app] & (flows.way != NULL)) if len(flows.app) else np.zeros(0, np.int64)


def _beside(pairs: Pairs, flows: RelayFlows, bits: Pieces) -> tuple[tuple[Int64, Pieces], tuple[Int64, Pieces]]:
    """The bytes of each pair's way, and those of the app's counted flows that took another."""
    pair, at = spread(pairs, flows.app[bits.row])
    mine = flows.way[bits.row[at]] == pairs.way[pair]
    theirs = ~mine & flows.counted[bits.row[at]]
    return (pair[mine], bits.taken(at[mine])), (pair[theirs], bits.taken(at[theirs]))


def _timed(pairs: Pairs, flows: RelayFlows, *, told: bool) -> Float64:
    """(p,) 1 where the moments of a way's bytes are known: by exchanges, or because its flows are all brief."""
    if told:
        return np.ones(len(pairs))
    pair, row = spread(pairs, flows.app)
    own = flows.way[row] == pairs.way[pair]
    brief = flows.end[row] - flows.start[row] <= REACHES_S[1] * 1e6
    long = np.bincount(pair[own & ~brief], minlength=len(pairs))
    return np.where(long == 0, 1.0, 0.0)


def _joined(scene: Scene, lengths: list[int]) -> Measured:
    found = [window_columns(scene, length) for length in lengths]
    flows, pairs = scene.flows, scene.pairs
    pair = np.concatenate([windows.pair for windows, _ in found])
    begin = np.concatenate([scene.begin + windows.number * windows.length for windows, _ in found])
    length = np.concatenate([np.full(len(windows), windows.length) for windows, _ in found])
    names = list(found[0][1])
    columns = {name: np.concatenate([part[name] for _, part in found]) for name in names}
    one = flows.one[pairs.app[pair]]
    return Measured(
        device=Codes(flows.device.code[one], flows.device.texts),
        uid=flows.uid[one],
        package=Codes(flows.package.code[one], flows.package.texts),
        way=Codes(pairs.way[pair], ["accepted sessions", *flows.peer.texts]),
        begin=begin,
        length=length,
        first=columns.pop("first").astype(np.int64),
        last=columns.pop("last").astype(np.int64),
        columns=columns,
    )


__all__ = ["Measured", "Surroundings", "measured"]
