"""AN1702: an app through which others reach the network: proxy requests it granted, or traffic bridged through it.

What it says wrongly: VPN, tethering, casting and volunteer relays are relays; only the inventory's roles tell them
apart, and without it they are reported. A request granted decides alone; traffic shape never speaks of one connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from detector.analytics.proxy_handshake import Asked, asked_to_relay
from detector.analytics.relay_bytes import AppTraffic, app_traffic, peers_of
from detector.analytics.relay_reasons import asked_reasons, bridge_reasons
from detector.analytics.relay_window import SECOND_US, RelayJudgement, RelayView, could_anchor, judge_window
from detector.columns import Int64, codes, whole
from detector.contacts import Flows
from detector.contract import Finding, Telemetry
from detector.destinations import is_loopback
from detector.device_states import DeviceStates, states_by_device
from detector.inventory import Inventory, allowance, read_inventory
from detector.signature import Signature
from detector.thresholds import RelayThresholds

ANALYTIC = "AN1702"
STEP_US = 300_000_000  # how finely the moment of decision is looked for within a window

Who = tuple[str, int | None, str | None]


@dataclass(frozen=True)
class Bridged:
    """What the windows of one app said: the worst, how many alerted, and when the first was sure.

    ``judged`` are the judgements of all windows by their begin (microseconds), ``at`` is the begin of the worst.
    """

    worst: RelayJudgement
    at: int
    judged: Mapping[int, RelayJudgement]
    windows: int
    first: int
    last: int
    decided: int


def traffic_relay(telemetry: Telemetry, limits: RelayThresholds, by: Signature) -> Iterator[Finding]:
    """Findings of AN1702, one per (device, app), alerts and near misses."""
    table = telemetry["flows"]
    flows = Flows.read(table)
    exchanges = telemetry.tables.get("exchanges")
    asked = {(one.device, one.uid, one.package): one for one in asked_to_relay(table, flows, exchanges)}
    near = limits.threshold * limits.near_miss
    bridged = {who: one for who, one in _bridged(telemetry, flows, limits) if one.worst.score >= near}
    inventory = read_inventory(telemetry.tables.get("packages"))
    for who in sorted({*asked, *bridged}, key=str):
        yield _finding(who, asked.get(who), bridged.get(who), inventory, limits, by)


def every_bridge(telemetry: Telemetry, limits: RelayThresholds) -> Iterator[tuple[Who, Asked | None, Bridged | None]]:
    """Every app that was asked to relay or has a window that can be judged, innocent or not: for measuring."""
    table = telemetry["flows"]
    flows = Flows.read(table)
    asking = asked_to_relay(table, flows, telemetry.tables.get("exchanges"))
    asked = {(one.device, one.uid, one.package): one for one in asking}
    bridged = dict(_bridged(telemetry, flows, limits))
    yield from ((who, asked.get(who), bridged.get(who)) for who in sorted({*asked, *bridged}, key=str))


def _bridged(telemetry: Telemetry, flows: Flows, limits: RelayThresholds) -> Iterator[tuple[Who, Bridged]]:
    exchanges = telemetry.tables.get("exchanges")
    peers = peers_of(flows)
    allowed = [k for k, text in enumerate(peers.texts) if text in limits.allowed_destination_list]
    view = RelayView(
        flows=flows,
        peers=peers,
        ja4=codes(telemetry["flows"]["ja4"]),
        allowed=np.array(allowed, np.int64),
        timed=exchanges is not None,
        limits=limits,
    )
    states = states_by_device(telemetry["device_state"]) if "device_state" in telemetry else {}
    setups = _setups(telemetry.tables.get("sockets"))
    for traffic in app_traffic(flows, peers, exchanges, limits.fewest_streams, could_anchor(view)):
        listening = None if setups is None else setups.get((traffic.device, traffic.uid), np.array([], np.int64))
        one = _windows(traffic, view, telemetry.span, states.get(traffic.device), listening)
        if one is not None:
            yield (traffic.device, traffic.uid, traffic.package), one


def _windows(
    traffic: AppTraffic, view: RelayView, span: tuple[int, int], states: DeviceStates | None, setups: Int64 | None
) -> Bridged | None:
    """All windows of one app; None if none could be judged."""
    length = int(view.limits.time_window * 1e6)
    judged = []
    for k in _full_windows(traffic.pieces.second, span[0], length, view.limits.fewest_streams):
        window = (int(span[0] + k * length), int(span[0] + (k + 1) * length))
        setup = None if setups is None else bool(((setups >= window[0] - length) & (setups < window[1])).any())
        one = judge_window(traffic, view, window, states, setup=setup)
        if one is not None and one.score > 0:
            judged.append((one, window, setup))
    if not judged:
        return None
    over = [part for part in judged if part[0].score >= view.limits.threshold]
    shown = over or judged
    decided = shown[0][0].end
    if over:
        one, window, setup = over[0]
        decided = _decided(traffic, view, window, states, setup) or one.end
    worst, (at, _), _ = max(judged, key=lambda part: part[0].score)
    ends = max(part[0].end for part in shown)
    every = {begin: one for one, (begin, _), _ in judged}
    return Bridged(worst, at, every, len(over), shown[0][0].start, ends, min(decided, ends))


def _full_windows(second: Int64, begin: int, length: int, least: int) -> list[int]:
    """Numbers of the windows of ``length`` us from ``begin`` on that hold more than ``least`` of the sorted seconds."""
    numbers = np.unique((second * SECOND_US - begin) // length)
    edges = ((begin + (numbers + step) * length) // SECOND_US for step in (0, 1))
    low, high = (np.searchsorted(second, edge) for edge in edges)
    return [int(k) for k in numbers[high - low > least]]


def _decided(
    traffic: AppTraffic,
    view: RelayView,
    window: tuple[int, int],
    states: DeviceStates | None,
    setup: bool | None,  # noqa: FBT001 - a fact of three values
) -> int | None:
    """End of the first part of the window, in steps of five minutes, that reaches the threshold by itself."""
    for end in range(window[0] + STEP_US, window[1], STEP_US):
        one = judge_window(traffic, view, (window[0], end), states, setup=setup)
        if one is not None and one.score >= view.limits.threshold:
            return end
    return None


def _setups(sockets: pa.Table | None) -> dict[tuple[str, int | None], Int64] | None:
    """Times at which each (device, uid) listened or accepted beyond its own host; None without socket events."""
    if sockets is None:
        return None
    event, address = codes(sockets["event"]), codes(sockets["local_address"])
    device, uid, time = codes(sockets["device"]), whole(sockets["uid"]), whole(sockets["time"])
    found: dict[tuple[str, int | None], list[int]] = {}
    for row in range(len(time)) if len(time) else ():
        outside = not is_loopback(address.text(row) or "")
        if event.text(row) in ("listen", "accept", "raw") and outside:
            found.setdefault((device.text(row) or "", int(uid[row])), []).append(int(time[row]))
    return {who: np.array(sorted(times), np.int64) for who, times in found.items()}


def _finding(  # noqa: PLR0917 - both kinds of evidence, and what they are judged by
    who: Who, asked: Asked | None, bridged: Bridged | None, inventory: Inventory, limits: RelayThresholds, by: Signature
) -> Finding:
    device, uid, package = who
    app = inventory.find(device, uid, package)
    excuse = app.allowed(limits.allowed_app_list, limits.allowed_roles) if app else None
    excuse = excuse or (asked.elsewhere if asked else None)
    reasons = (
        *(asked_reasons(asked, limits) if asked else ()),
        *(bridge_reasons(bridged.worst, limits) if bridged else ()),
    )
    scores = [limits.handshake_score if asked.granted else limits.unanswered_score] if asked else []
    score = max(scores + ([bridged.worst.score] if bridged else []))
    if excuse:
        reasons += (allowance(excuse, limits.allowed_relief),)
        score *= 1 - limits.allowed_relief
    parts = [part for part in (asked, bridged) if part is not None]
    alert = bool(score >= limits.threshold) and not excuse
    sure = [asked.decided] if asked and asked.granted else []
    sure += [bridged.decided] if bridged and bridged.worst.score >= limits.threshold else []
    return Finding(
        analytic=ANALYTIC,
        device=device,
        uid=uid,
        package=package or (app.package if app else None),
        peer=None,
        first_seen=min(part.first for part in parts),
        last_seen=max(part.last for part in parts),
        decided_at=min(sure) if sure else max(part.decided for part in parts),
        score=round(score, 6),
        alert=alert,
        severity=_severity(asked, bridged) if alert else "informational",
        detector=by.name,
        detector_version=by.version,
        reasons=reasons,
        partial=by.partial,
    )


def _severity(asked: Asked | None, bridged: Bridged | None) -> str:
    """High: dialled out to be asked, or request and onward leg both seen, or bridged in the background; else medium."""
    if asked and asked.granted and (asked.reverse or asked.onward):
        return "high"
    if bridged and asked:
        return "high"
    hidden = bridged is not None and (bridged.worst.background or 0.0) >= 0.5
    return "high" if hidden else "medium"
