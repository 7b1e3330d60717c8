"""Every factor of AN1702 for every window of every way into an app, as named columns.

Windows of several lengths, so that rare streams add up; all at once, no loop over windows. Unknown is NaN. Nothing here
judges: detector/analytics/relay_score.py makes scores of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from detector.analytics.relay_blocks import Blocks
from detector.analytics.relay_bytes import Pieces, pieces, spoken
from detector.analytics.relay_context import Known, Surroundings, surroundings
from detector.analytics.relay_flows import RelayFlows
from detector.analytics.relay_likely import Asked, Likely, Met
from detector.analytics.relay_likely import likely as likely_windows
from detector.analytics.relay_matching import REACHES_S, Way, bursts_of, matched
from detector.analytics.relay_pairs import Pairs, bridging, could_bridge, own_pair, spread
from detector.analytics.relay_promise import Talk, promising
from detector.analytics.relay_score import bridging as bridging_alone
from detector.analytics.relay_windows import Scene, window_columns
from detector.columns import NULL, Codes, Int64, ordered, whole
from detector.contract import Telemetry
from detector.features.bridged_anew import bridged_anew, vouched_anew
from detector.grouped import Float64
from detector.learned.relayed import unheard
from detector.thresholds import RelayThresholds

if TYPE_CHECKING:
    from detector.baseline import Baseline

THREADS = 2  # blocks of devices at once


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


@dataclass(frozen=True)
class Frame:
    """Within what windows are sought: how long these are, from when on, all that was seen, and what scores count."""

    lengths: list[int]  # microseconds, as all times
    begin: int
    span: tuple[int, int]
    least: float


def measured(telemetry: Telemetry, limits: RelayThresholds, least: float = 0.0) -> Measured:
    """The windows of a telemetry that could be judged; Unsupported without flows.

    Those that score less than ``least`` (detector/analytics/relay_score.py) may be left out, which is much faster.
    """
    table = telemetry["flows"]
    times = [telemetry.span, *((int(part.min()), int(part.max())) for part in _times(table) if len(part))]
    span = min(low for low, _ in times), max(high for _, high in times)
    lengths = [int(limits.time_window * 1e6) * round(many) for many in limits.windows]
    frame, known = Frame(lengths, telemetry.span[0], span, least), Known.read(telemetry)
    apart = Blocks.of(table, telemetry.tables.get("exchanges"))

    def one(k: int) -> Measured:
        part, said = apart.part(k)
        flows = RelayFlows.read(part, limits.allowed_destination_list, apart.hosts)
        return _of_devices(flows, said, frame, known, limits)

    if len(apart) == 1:
        found = one(0)
    else:
        with ThreadPoolExecutor(THREADS) as several:
            found = _together(list(several.map(one, range(len(apart)))))
    return _held_against_past(found, telemetry.baseline, limits)


def _held_against_past(found: Measured, baseline: Baseline | None, limits: RelayThresholds) -> Measured:
    """The same windows with how clearly the app relayed in the learning period, and how new it is that it does now.

    ``anew`` is how little that past explains, ``turned`` how far what was heard of the app contradicts it: a role may
    excuse the former, not the latter.
    """
    past = unheard(len(found)) if baseline is None else baseline.relayed(found.device, found.package)
    now = bridging_alone(found.columns, limits)
    anew = vouched_anew(past.here, past.others, past.devices, now)
    told = {"past_bridge": past.known, "anew": anew, "turned": bridged_anew(past.known, now)}
    return replace(found, columns={**found.columns, **told})


def _times(flows: pa.Table) -> tuple[Int64, Int64]:
    return whole(flows["start"]), whole(flows["end"])


def _of_devices(
    flows: RelayFlows, exchanges: pa.Table | None, frame: Frame, known: Known, limits: RelayThresholds
) -> Measured:
    """The windows of some devices, all of whose flows are given."""
    pairs = could_bridge(flows, limits.anchor_s, limits.fewest_streams)
    said = spoken(flows, _rows_of(flows, pairs), exchanges)
    bits = pieces(flows, said)
    said = said.taken(ordered(flows.app[said.row], said.start))
    told = exchanges is not None
    if told:
        pairs = promising(pairs, Talk(flows, said, bits, frame.span), limits.fewest_streams)
    likely = None
    if frame.least > 0:
        likely = _likely(pairs, Talk(flows, said, bits, frame.span), frame, limits, told=told)
        pairs = likely.ways()
    pairs = bridging(pairs, flows, bits.taken(_of_pairs(pairs, flows, bits.row)), frame.lengths, frame.begin)
    bits = bits.taken(_of_pairs(pairs, flows, bits.row))
    bursts = bursts_of(pairs, flows, said)
    bursts = bursts if likely is None else likely.meant(pairs, bursts)
    ways, others = _beside(pairs, flows, bits)
    way = Way(*ways, frame.span)
    scene = Scene(
        flows=flows,
        pairs=pairs,
        bursts=bursts,
        matches=tuple(matched(bursts, way, reach) for reach in REACHES_S),
        way=way,
        ways=ways,
        others=others,
        timed=_timed(pairs, own_pair(pairs, flows.app, flows.way), flows, told=told),
        begin=frame.begin,
        end=frame.span[1],
        around=surroundings(known, flows, pairs, bursts, limits),
        limits=limits,
        likely=likely,
    )
    return _joined(scene, frame.lengths)


def _likely(pairs: Pairs, talk: Talk, frame: Frame, limits: RelayThresholds, *, told: bool) -> Likely:
    """The windows that could score as much as the frame asks."""
    own = own_pair(pairs, talk.flows.app, talk.flows.way)
    bursts, way = bursts_of(pairs, talk.flows, talk.said), Way(*_own(own, talk.bits), talk.span)
    met = Met(pairs, _timed(pairs, own, talk.flows, told=told), bursts, way)
    return likely_windows(met, Asked(frame.lengths, frame.begin, frame.least), limits)


def _of_pairs(pairs: Pairs, flows: RelayFlows, row: Int64) -> Int64:
    """Which of those rows are of apps that have a pair."""
    chosen = np.zeros(len(flows.one) + 1, np.bool_)
    chosen[pairs.app] = True
    return np.flatnonzero(chosen[flows.app][row])


def _own(own: Int64, bits: Pieces) -> tuple[Int64, Pieces]:
    """The bytes of each pair's way; ``own``: (n,) the pair whose way each flow took."""
    own = own[bits.row]
    mine = np.flatnonzero(own != NULL)
    return own[mine], bits.taken(mine)


def _together(parts: list[Measured]) -> Measured:
    """The windows of devices that were measured apart; all have the texts of the same flows."""
    return Measured(
        device=_codes([part.device for part in parts]),
        uid=np.concatenate([part.uid for part in parts]),
        package=_codes([part.package for part in parts]),
        way=_codes([part.way for part in parts]),
        begin=np.concatenate([part.begin for part in parts]),
        length=np.concatenate([part.length for part in parts]),
        first=np.concatenate([part.first for part in parts]),
        last=np.concatenate([part.last for part in parts]),
        columns={name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
    )


def _codes(parts: list[Codes]) -> Codes:
    return Codes(np.concatenate([part.code for part in parts]), parts[0].texts)


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


def _timed(pairs: Pairs, own: Int64, flows: RelayFlows, *, told: bool) -> Float64:
    """(p,) 1 where the moments of a way's bytes are known: by exchanges, or because its flows are all brief."""
    if told:
        return np.ones(len(pairs))
    brief = flows.end - flows.start <= REACHES_S[1] * 1e6
    long = np.bincount(own[(own != NULL) & ~brief], minlength=len(pairs))
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
