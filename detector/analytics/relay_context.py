"""What surrounds relaying: use of the device, sockets, requests to relay, and what was learned of the enterprise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detector.analytics.relay_flows import ACCEPTED, Bool, RelayFlows, distinct
from detector.analytics.relay_matching import Bursts
from detector.analytics.relay_pairs import Pairs, spread
from detector.columns import NULL, Codes, Int64, codes, whole
from detector.contract import Telemetry
from detector.destinations import is_loopback
from detector.device_states import states_by_device
from detector.features.fan_out import unrelated
from detector.grouped import Float64
from detector.thresholds import RelayThresholds

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.baseline import Baseline

SETUP = ("listen", "accept", "raw")


@dataclass(frozen=True)
class Happened:
    """Moments of pairs, sorted; ``known``: (p,) whether such moments would have been seen."""

    key: Int64
    begin: int
    step: int
    known: Bool

    @classmethod
    def of(cls, pair: Int64, time: Int64, span: tuple[int, int], known: Bool) -> Happened:
        """The moments of each pair."""
        step = max(span[1] - span[0], 1) + 2
        return cls(np.sort(pair * step + np.clip(time - span[0], 0, step - 1)), span[0], step, known)

    def within(self, pair: Int64, start: Int64, end: Int64) -> Float64:
        """(w,) 1 if something happened from start to before end, 0 if not, NaN if it would not have been seen."""
        low, high = (
            np.searchsorted(self.key, pair * self.step + np.clip(time - self.begin, 0, self.step - 1))
            for time in (start, end)
        )
        return np.where(self.known[pair], (high > low).astype(np.float64), np.nan)


@dataclass(frozen=True)
class Surroundings:
    """By flow (n,), by pair (p,), by burst (b,)."""

    unattended: Int64  # (b,) 1 nobody used the app, 0 somebody did, NULL unknown
    unrelated: Float64  # (n,) how little a flow's destination is explained by the baseline
    learned: bool
    open_at_once: Float64  # (n,) counted flows of the app that are open as it opens
    nearby: Float64  # (p,) 1 all who came by accepted sessions are of a local network; NaN: the way is no such
    way_new: Float64  # (p,) how little the dialled peer is explained by the baseline; NaN without one
    sockets: Happened
    asked: Happened
    before_us: int

    def set_up(self, pair: Int64, begin: Int64, end: Int64) -> tuple[Float64, Float64]:
        """(w,) whether the app was asked to relay within the window, and listened or so shortly before or within."""
        asked = np.nan_to_num(self.asked.within(pair, begin, end), nan=0.0)
        return asked, self.sockets.within(pair, begin - self.before_us, end)


def surroundings(
    telemetry: Telemetry, flows: RelayFlows, pairs: Pairs, bursts: Bursts, limits: RelayThresholds
) -> Surroundings:
    """What surrounds those pairs and bursts."""
    table, span = telemetry["flows"], telemetry.span
    strange = _unrelated(telemetry, flows, pairs)
    pair, row = spread(pairs, flows.app)
    own = flows.way[row] == pairs.way[pair]
    far = np.bincount(pair[own & ~flows.nearby[row]], minlength=len(pairs)) > 0
    news = np.bincount(pair[own], strange[row[own]], len(pairs)) / np.maximum(
        np.bincount(pair[own], minlength=len(pairs)), 1
    )
    learned = telemetry.baseline is not None
    dialled = pairs.way != ACCEPTED
    requests = codes(table["proxy"])
    end = codes(table["proxy_server"])
    at_server = np.array([text == "server" for text in end.texts] + [False])[end.code]
    asking = (requests.code != NULL) & (end.code != NULL) & (at_server == flows.inbound)
    met = asking[row]
    return Surroundings(
        unattended=_unattended(telemetry, flows, bursts, limits),
        unrelated=strange,
        learned=learned,
        open_at_once=_open_at_once(flows, pairs),
        nearby=np.where(dialled, np.nan, (~far).astype(np.float64)),
        way_new=np.where(dialled & learned, news, np.nan),
        sockets=_sockets(telemetry.tables.get("sockets"), flows, pairs, span),
        asked=Happened.of(pair[met], flows.start[row[met]], span, np.ones(len(pairs), np.bool_)),
        before_us=int(limits.time_window * 1e6),
    )


def _unattended(telemetry: Telemetry, flows: RelayFlows, bursts: Bursts, limits: RelayThresholds) -> Int64:
    """(b,) whether each burst came while the app was in the background and nobody had touched the device for long."""
    found = np.full(len(bursts.row), NULL, np.int64)
    if "device_state" not in telemetry or not len(bursts.row):
        return found
    states = states_by_device(telemetry["device_state"])
    group, _ = distinct(flows.app[bursts.row])
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(group))[:-1]):  # an app at a time
        row = int(bursts.row[rows[0]])
        state = states.get(flows.device.text(row) or "")
        if state is not None:
            uid = None if flows.uid[row] == NULL else int(flows.uid[row])
            times = bursts.start[rows]
            background = state.background_at(times, uid)
            idle = state.idle_at(times, limits.last_user_interaction_delta)
            found[rows] = np.where(background < 0, NULL, (background == 1) & (idle != 0))
    return found


def _open_at_once(flows: RelayFlows, pairs: Pairs) -> Float64:
    """(n,) counted flows of the same app that are open when each opens; 0 for flows that do not count."""
    found = np.zeros(len(flows.start))
    chosen = np.zeros(len(flows.one) + 1, np.bool_)
    chosen[pairs.app] = True
    rows = np.flatnonzero(flows.counted & chosen[flows.app]) if len(flows.app) else np.zeros(0, np.int64)
    if len(rows):
        begin = int(flows.start[rows].min())
        step = int(flows.end[rows].max()) - begin + 2
        app = flows.app[rows] * step
        opened, closed = (np.sort(app + time[rows] - begin) for time in (flows.start, flows.end))
        now = app + flows.start[rows] - begin
        found[rows] = np.searchsorted(opened, now, side="right") - np.searchsorted(closed, now, side="left")
    return found


def _unrelated(telemetry: Telemetry, flows: RelayFlows, pairs: Pairs) -> Float64:
    """(n,) how little the baseline explains each flow's destination; 1 without a baseline."""
    found = np.ones(len(flows.start))
    if telemetry.baseline is None or not len(pairs):
        return found
    rows = np.flatnonzero(np.isin(flows.app, pairs.app) & ~flows.inbound)
    group, one = distinct(flows.app[rows], flows.peer.code[rows])
    found[rows] = _deviations(telemetry.baseline, telemetry.tables.get("packages"), flows, rows[one])[group]
    return found


def _deviations(baseline: Baseline, packages: pa.Table | None, flows: RelayFlows, rows: Int64) -> Float64:
    from detector.baseline import Asked
    from detector.learned.gathering import categories_of

    known = categories_of(packages)
    texts = sorted(set(known.values()))
    place = {text: k for k, text in enumerate(texts)}
    category = np.array([place.get(known.get(text, ""), NULL) for text in flows.package.texts] + [NULL], np.int64)
    device, package, peer = (Codes(part.code[rows], part.texts) for part in (flows.device, flows.package, flows.peer))
    asked = Asked(device, package, Codes(category[package.code], texts), peer)
    deviation = baseline.deviation(asked)
    return unrelated(deviation.own_days, deviation.app_share, deviation.category_share)


def _sockets(sockets: pa.Table | None, flows: RelayFlows, pairs: Pairs, span: tuple[int, int]) -> Happened:
    """When the apps of the pairs listened, accepted or opened raw sockets beyond their own host."""
    nothing = np.zeros(0, np.int64)
    row = flows.one[pairs.app]
    if sockets is None:
        return Happened.of(nothing, nothing, span, np.zeros(len(pairs), np.bool_))
    event, address = codes(sockets["event"]), codes(sockets["local_address"])
    device, uid, time = codes(sockets["device"]), whole(sockets["uid"]), whole(sockets["time"])
    wanted = np.array([text in SETUP for text in event.texts] + [False])[event.code]
    beyond = np.array([not is_loopback(text) for text in address.texts] + [True])[address.code]
    events = np.flatnonzero(wanted & beyond)
    place = {text: k for k, text in enumerate(flows.device.texts)}
    owner = np.array([place.get(text, NULL) for text in device.texts] + [NULL], np.int64)[device.code[events]]
    step = int(max(uid.max(initial=0), flows.uid.max(initial=0))) + 2
    apps = flows.device.code[row] * step + flows.uid[row]
    order = np.argsort(apps, kind="stable")
    keys = owner * step + uid[events]
    usable = (owner != NULL) & (uid[events] != NULL)
    keys, events = keys[usable], events[usable]
    low, high = (np.searchsorted(apps[order], keys, side=side) for side in ("left", "right"))
    many = high - low
    at = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
    return Happened.of(order[at], np.repeat(time[events], many), span, flows.uid[row] != NULL)
