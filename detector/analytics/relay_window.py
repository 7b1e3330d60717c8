"""One window of one app, judged as a relay: each anchor against the app's other flows, the worst anchor counts.

An anchor is what customers come in by: all accepted sessions together, or an outbound peer kept for minutes (a
tunnel to a gateway). Bridging needs correlation *and* conservation: push has pairing without conservation, calls have
symmetry without correlation, torrents have fan-out without either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detector.analytics.relay_bytes import AppTraffic, Pieces
from detector.columns import NULL, Codes, Int64
from detector.contacts import Flows
from detector.device_states import DeviceStates
from detector.features.background_share import background_share
from detector.features.bridge_correlation import bridge_correlation
from detector.features.byte_conservation import byte_conservation
from detector.features.concurrency import concurrency
from detector.features.fan_out import fan_out
from detector.features.pairing_lift import pairing_lift
from detector.features.stack_diversity import stack_diversity
from detector.thresholds import RelayThresholds

INBOUND = -2  # the key of all accepted sessions together
SECOND_US = 1_000_000
WORTH_A_LOOK = 0.1  # conservation below that is no bridge, whatever the timing
STREAMS_PER_GATEWAY = 5  # flows to one peer that make it an anchor without any being long


@dataclass(frozen=True)
class RelayJudgement:
    """One anchor in one window, factor by factor; None is unknown."""

    score: float
    anchor: str  # accepted sessions, or the peer
    correlation: float | None
    conservation: float
    pairing: float | None
    destinations: int
    fan_out: float | None  # None: no app known, and a whole device goes everywhere anyway
    diversity: float | None
    stacks: int
    background: float | None
    setup: bool | None  # listening or accepting seen; None: no socket events
    streams: int
    concurrent: int
    sustained: float  # share of anchor_s over which anchor and streams both moved
    into: int  # bytes towards the device on the anchor
    out: int
    start: int
    end: int


@dataclass(frozen=True)
class RelayView:
    """What windows are judged with: columns shared by all apps of one telemetry."""

    flows: Flows
    peers: Codes
    ja4: Codes
    timed: bool  # exchanges are known, so seconds mean something
    limits: RelayThresholds


def judge_window(
    traffic: AppTraffic, view: RelayView, window_us: tuple[int, int], states: DeviceStates | None, *, setup: bool | None
) -> RelayJudgement | None:
    """The anchor with the highest score in one window; None if none has enough relayed flows and bytes."""
    pieces = traffic.pieces.between(window_us[0] // SECOND_US, window_us[1] // SECOND_US)
    if not len(pieces.row):
        return None
    inbound = view.flows.inbound[pieces.row] == 1
    key = np.where(inbound, INBOUND, view.peers.code[pieces.row])
    found = [_judge(key, anchor, pieces, view, window_us, states, setup) for anchor in _anchors(key, pieces, view)]
    return max((one for one in found if one is not None), key=lambda one: one.score, default=None)


def _anchors(key: Int64, pieces: Pieces, view: RelayView) -> list[int]:
    anchors = []
    for one in np.unique(key):
        rows = np.unique(pieces.row[key == one])
        flows = view.flows
        long = (flows.end[rows] - flows.start[rows]).max() >= view.limits.anchor_s * SECOND_US
        if one == INBOUND or long or len(rows) >= STREAMS_PER_GATEWAY:
            anchors.append(int(one))
    return anchors


def _judge(  # noqa: PLR0917 - the parts of one window
    key: Int64,
    anchor: int,
    pieces: Pieces,
    view: RelayView,
    window_us: tuple[int, int],
    states: DeviceStates | None,
    setup: bool | None,  # noqa: FBT001 - a fact of three values, not a switch
) -> RelayJudgement | None:
    mine, limits = key == anchor, view.limits
    allowed = [k for k, text in enumerate(view.peers.texts) if text in limits.allowed_destination_list]
    other = ~mine & (key != INBOUND) & ~np.isin(key, allowed)
    streams = np.unique(pieces.row[other])
    if len(streams) < limits.fewest_streams:
        return None
    totals = [int(side[part].sum()) for part in (mine, other) for side in (pieces.into, pieces.out)]
    kept = byte_conservation(*totals)
    if kept < WORTH_A_LOOK:
        return None
    bridge = _correlation(mine, other, pieces, window_us) if view.timed else None
    targets = len(np.unique(key[other]))
    stacks = view.ja4.code[streams]
    opened = np.sort(view.flows.start[streams])
    kinds = len(np.unique(stacks[stacks != NULL]))
    background = _background(other, pieces, view, states)
    alone = view.flows.uid[streams[0]] != NULL or view.flows.package.code[streams[0]] != NULL
    spread = (fan_out(targets), stack_diversity(kinds)) if alone else (None, None)
    sustained = _sustained(pieces.second[mine], pieces.second[other], limits.anchor_s)
    score = (
        _score(limits, bridge, kept, spread, background)
        * sustained
        * (1 - math.exp(-len(streams) / limits.streams_scale))
    )
    return RelayJudgement(
        score=score if targets >= limits.fewest_destinations or setup else 0.0,
        sustained=sustained,
        anchor="accepted sessions" if anchor == INBOUND else view.peers.texts[anchor],
        correlation=bridge,
        conservation=kept,
        pairing=pairing_lift(opened, np.unique(pieces.second[mine & (pieces.into > 0)]) * SECOND_US, window_us),
        destinations=targets,
        fan_out=spread[0],
        diversity=spread[1],
        stacks=kinds,
        background=background,
        setup=setup,
        streams=len(streams),
        concurrent=concurrency(view.flows.start[streams], view.flows.end[streams]),
        into=totals[0],
        out=totals[1],
        start=int(pieces.second[mine].min()) * SECOND_US,
        end=min(window_us[1], int(view.flows.end[streams].max())),
    )


def _score(
    limits: RelayThresholds,
    bridge: float | None,
    kept: float,
    spread: tuple[float | None, float | None],
    background: float | None,
) -> float:
    """sqrt(R1 R2) (.4 + .3 R4 + .3 R5) (.5 + .5 R6) of the measurements, 6.2; an unknown R4 or R5 counts as half.

    An unknown R6 takes its factor away. Without R1 (no exchanges) conservation stands in for it.
    """
    fan, stacks = (0.5 if value is None else value for value in spread)
    hidden = 1.0 if background is None or not limits.foreground_state_required else 0.5 + 0.5 * background
    return math.sqrt((kept if bridge is None else bridge) * kept) * (0.4 + 0.3 * fan + 0.3 * stacks) * hidden


def _sustained(anchor_s: Int64, other_s: Int64, least_s: float) -> float:
    """How much of ``least_s`` anchor and other flows were both in motion, at most 1."""
    both = min(anchor_s.max(), other_s.max()) - max(anchor_s.min(), other_s.min())
    return float(np.clip(both / least_s, 0, 1))


def _correlation(mine: np.ndarray, other: np.ndarray, pieces: Pieces, window_us: tuple[int, int]) -> float:
    first, last = window_us[0] // SECOND_US, window_us[1] // SECOND_US

    def bins(part: np.ndarray, amount: Int64) -> np.ndarray:
        return np.bincount(pieces.second[part] - first, weights=amount[part], minlength=last - first).astype(np.float64)

    return bridge_correlation(
        bins(mine, pieces.into), bins(mine, pieces.out), bins(other, pieces.into), bins(other, pieces.out)
    )


def _background(other: np.ndarray, pieces: Pieces, view: RelayView, states: DeviceStates | None) -> float | None:
    """Share of relayed bytes while the app was in the background and nobody had touched the device for long."""
    if states is None:
        return None
    times = pieces.second[other] * SECOND_US
    row = int(pieces.row[other][0])
    uid = None if view.flows.uid[row] == NULL else int(view.flows.uid[row])
    background = states.background_at(times, uid)
    idle = states.idle_at(times, view.limits.last_user_interaction_delta)
    hidden = (background == 1) & (idle != 0)
    return background_share(hidden, background >= 0, (pieces.into[other] + pieces.out[other]).astype(np.float64))
