"""One window of one app, judged as a relay: each anchor against the app's other flows, the worst anchor counts.

An anchor is what customers come in by: all accepted sessions together, or an outbound peer kept for minutes (a
tunnel to a gateway). Bridging needs correlation *and* conservation: push has pairing without conservation, calls have
symmetry without correlation, torrents have fan-out without either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detector.analytics.relay_bytes import AppTraffic, Pieces
from detector.columns import NULL, Codes, Int64, numbered
from detector.contacts import Flows
from detector.device_states import DeviceStates
from detector.features.background_share import background_share
from detector.features.bridge_correlation import Series, bridge_correlation
from detector.features.byte_conservation import byte_conservation
from detector.features.concurrency import concurrency
from detector.features.fan_out import fan_out
from detector.features.pairing_lift import pairing_lift
from detector.features.stack_diversity import stack_diversity
from detector.thresholds import RelayThresholds

Bool = npt.NDArray[np.bool_]
INBOUND = -2  # the key of all accepted sessions together
SECOND_US = 1_000_000
WORTH_A_LOOK = 0.1  # conservation below that is no bridge, whatever the timing
MOST_ANCHORS = 32  # judged in one window
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
    allowed: Int64  # codes of peers in AllowedDestinationList
    timed: bool  # exchanges are known, so seconds mean something
    limits: RelayThresholds


@dataclass(frozen=True)
class _Window:
    """One window of one app: its bytes, and the key (peer code or INBOUND) of every piece."""

    pieces: Pieces
    key: Int64
    limits_us: tuple[int, int]
    states: DeviceStates | None
    setup: bool | None


def could_anchor(view: RelayView) -> Bool:
    """(n,) which flows could be of an anchor in some window: accepted, long, or to a peer the app has many flows to."""
    flows = view.flows
    group, _ = numbered(flows.device.code, flows.uid, flows.package.code, view.peers.code)
    many = np.bincount(group)[group] >= STREAMS_PER_GATEWAY
    long = flows.end - flows.start >= view.limits.anchor_s * SECOND_US
    return np.asarray(many | long | (flows.inbound == 1), np.bool_)


def judge_window(
    traffic: AppTraffic, view: RelayView, window_us: tuple[int, int], states: DeviceStates | None, *, setup: bool | None
) -> RelayJudgement | None:
    """The anchor with the highest score in one window; None if none has enough relayed flows and bytes."""
    pieces = traffic.pieces.between(window_us[0] // SECOND_US, window_us[1] // SECOND_US)
    if len(pieces.row) <= view.limits.fewest_streams:
        return None
    inbound = view.flows.inbound[pieces.row] == 1
    window = _Window(pieces, np.where(inbound, INBOUND, view.peers.code[pieces.row]), window_us, states, setup)
    found = [_judge(anchor, window, view) for anchor in _anchors(window, view)]
    return max((one for one in found if one is not None), key=lambda one: one.score, default=None)


def _anchors(window: _Window, view: RelayView) -> list[int]:
    """Keys by which customers could come in: accepted sessions, peers with a long flow, peers with many flows.

    Only those are left whose bytes could be the app's other bytes (WORTH_A_LOOK): of peers that are not allowed none
    with less than a twentieth of all bytes, so at most twenty. Of what is still more, MOST_ANCHORS with most bytes.
    """
    rows, first = np.unique(window.pieces.row, return_index=True)
    if len(rows) <= view.limits.fewest_streams:
        return []
    key = window.key[first]
    keys, group, counts = np.unique(key, return_inverse=True, return_counts=True)
    lasts = view.flows.end[rows] - view.flows.start[rows]
    long = np.bincount(group, weights=lasts >= view.limits.anchor_s * SECOND_US) > 0
    keys = keys[long | (counts >= STREAMS_PER_GATEWAY) | (keys == INBOUND)]
    return sorted(_bridging(keys, window, view)[:MOST_ANCHORS]) if len(keys) else []


def _bridging(anchors: Int64, window: _Window, view: RelayView) -> list[int]:
    """The anchors whose bytes could be conserved in the app's other flows, most bytes first."""
    pieces = window.pieces
    keys, group = np.unique(window.key, return_inverse=True)
    into, out = (np.bincount(group, weights=side) for side in (pieces.into, pieces.out))
    counted = (keys != INBOUND) & ~np.isin(keys, view.allowed)
    kept = np.ones(len(keys))
    for came, left in ((into, out), (out, into)):
        other = left[counted].sum() - np.where(counted, left, 0)
        shared = 2 * np.minimum(came, other) / np.maximum(came + other, 1)  # byte_conservation, column by column
        kept = np.minimum(kept, shared)
    worth = np.isin(keys, anchors) & (kept > WORTH_A_LOOK * (1 - 1e-9))
    order = np.argsort(-(into + out), kind="stable")
    return [int(keys[k]) for k in order if worth[k]]


def _judge(anchor: int, window: _Window, view: RelayView) -> RelayJudgement | None:
    pieces, key, limits = window.pieces, window.key, view.limits
    mine, other = key == anchor, (key != anchor) & (key != INBOUND) & ~np.isin(key, view.allowed)
    streams = np.unique(pieces.row[other])
    if len(streams) < limits.fewest_streams:
        return None
    totals = [int(side[part].sum()) for part in (mine, other) for side in (pieces.into, pieces.out)]
    kept = byte_conservation(*totals)
    if kept < WORTH_A_LOOK:
        return None
    heard = np.unique(pieces.second[mine & (pieces.into > 0)]) * SECOND_US
    start, end = view.flows.start[streams], view.flows.end[streams]
    targets = len(np.unique(key[other]))
    kinds = len(np.unique(view.ja4.code[streams][view.ja4.code[streams] != NULL]))
    alone = view.flows.uid[streams[0]] != NULL or view.flows.package.code[streams[0]] != NULL
    found = RelayJudgement(
        score=0.0,
        anchor="accepted sessions" if anchor == INBOUND else view.peers.texts[anchor],
        correlation=_correlation(mine, other, window) if view.timed else None,
        conservation=kept,
        pairing=pairing_lift(np.sort(start), heard, window.limits_us),
        destinations=targets,
        fan_out=fan_out(targets) if alone else None,
        diversity=stack_diversity(kinds) if alone else None,
        stacks=kinds,
        background=_background(other, window, view),
        setup=window.setup,
        streams=len(streams),
        concurrent=concurrency(start, end),
        sustained=_sustained(pieces.second[mine], pieces.second[other], limits.anchor_s),
        into=totals[0],
        out=totals[1],
        start=int(pieces.second[mine].min()) * SECOND_US,
        end=min(window.limits_us[1], int(end.max())),
    )
    return replace(found, score=_score(found, limits))


def _score(found: RelayJudgement, limits: RelayThresholds) -> float:
    """sqrt(R1 R2) (.4 + .3 R4 + .3 R5) (.5 + .5 R6) (1 - e^(-n / 5)) of the measurements, 6.2, times how sustained.

    An unknown R4 or R5 counts as half, an unknown R6 takes its factor away; without R1 (no exchanges) conservation
    stands in for it. Nought where fewer unrelated destinations than required were reached and no set-up was seen.
    """
    if found.destinations < limits.fewest_destinations and not found.setup:
        return 0.0
    fan, stacks = (0.5 if value is None else value for value in (found.fan_out, found.diversity))
    hidden = 1.0
    if found.background is not None and limits.foreground_state_required:
        hidden = 0.5 + 0.5 * found.background
    bridge = found.conservation if found.correlation is None else found.correlation
    seen = found.sustained * (1 - math.exp(-found.streams / limits.streams_scale))
    return math.sqrt(bridge * found.conservation) * (0.4 + 0.3 * fan + 0.3 * stacks) * hidden * seen


def _sustained(anchor_s: Int64, other_s: Int64, least_s: float) -> float:
    """How much of ``least_s`` anchor and other flows were both in motion, at most 1."""
    both = min(anchor_s.max(), other_s.max()) - max(anchor_s.min(), other_s.min())
    return float(np.clip(both / least_s, 0, 1))


def _correlation(mine: Bool, other: Bool, window: _Window) -> float:
    pieces = window.pieces
    first, last = (moment // SECOND_US for moment in window.limits_us)

    def bins(part: Bool, amount: Int64) -> Series:
        return np.bincount(pieces.second[part] - first, weights=amount[part], minlength=last - first).astype(np.float64)

    return bridge_correlation(
        bins(mine, pieces.into), bins(mine, pieces.out), bins(other, pieces.into), bins(other, pieces.out)
    )


def _background(other: Bool, window: _Window, view: RelayView) -> float | None:
    """Share of relayed bytes while the app was in the background and nobody had touched the device for long."""
    pieces, states = window.pieces, window.states
    if states is None:
        return None
    times = pieces.second[other] * SECOND_US
    row = int(pieces.row[other][0])
    uid = None if view.flows.uid[row] == NULL else int(view.flows.uid[row])
    background = states.background_at(times, uid)
    idle = states.idle_at(times, view.limits.last_user_interaction_delta)
    hidden = (background == 1) & (idle != 0)
    return background_share(hidden, background >= 0, (pieces.into[other] + pieces.out[other]).astype(np.float64))
