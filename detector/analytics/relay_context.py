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
from detector.features.fan_out import unrelated
from detector.fleet_states import FleetStates
from detector.grouped import Float64
from detector.learned.gathering import categories_of
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
class Sockets:
    """When apps listened, accepted or opened raw sockets beyond their own host."""

    device: Codes
    uid: Int64
    time: Int64

    @classmethod
    def read(cls, table: pa.Table) -> Sockets:
        """Those of a table of schema ``sockets``."""
        event, address, device = (codes(table[name]) for name in ("event", "local_address", "device"))
        wanted = np.array([text in SETUP for text in event.texts] + [False])[event.code]
        beyond = np.array([not is_loopback(text) for text in address.texts] + [True])[address.code]
        rows = np.flatnonzero(wanted & beyond)
        return cls(Codes(device.code[rows], device.texts), whole(table["uid"])[rows], whole(table["time"])[rows])


@dataclass(frozen=True)
class Known:
    """What is known beside flows, read once for all of them; None where the telemetry has no such table."""

    span: tuple[int, int]
    states: FleetStates | None
    sockets: Sockets | None
    baseline: Baseline | None
    categories: dict[str, str]  # of packages; empty without a baseline, which alone asks for them

    @classmethod
    def read(cls, telemetry: Telemetry) -> Known:
        """What a telemetry tells."""
        tables = telemetry.tables
        return cls(
            span=telemetry.span,
            states=FleetStates.read(tables["device_state"]) if "device_state" in tables else None,
            sockets=Sockets.read(tables["sockets"]) if "sockets" in tables else None,
            baseline=telemetry.baseline,
            categories={} if telemetry.baseline is None else categories_of(tables.get("packages")),
        )


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
    known: Known, flows: RelayFlows, pairs: Pairs, bursts: Bursts, limits: RelayThresholds
) -> Surroundings:
    """What surrounds those pairs and bursts."""
    strange = _unrelated(known, flows, pairs)
    pair, row = spread(pairs, flows.app)
    own = flows.way[row] == pairs.way[pair]
    far = np.bincount(pair[own & ~flows.nearby[row]], minlength=len(pairs)) > 0
    news = np.bincount(pair[own], strange[row[own]], len(pairs)) / np.maximum(
        np.bincount(pair[own], minlength=len(pairs)), 1
    )
    learned = known.baseline is not None
    dialled = pairs.way != ACCEPTED
    met = flows.asking[row]
    return Surroundings(
        unattended=_unattended(known.states, flows, bursts, limits),
        unrelated=strange,
        learned=learned,
        open_at_once=_open_at_once(flows, pairs),
        nearby=np.where(dialled, np.nan, (~far).astype(np.float64)),
        way_new=np.where(dialled & learned, news, np.nan),
        sockets=_sockets(known, flows, pairs),
        asked=Happened.of(pair[met], flows.start[row[met]], known.span, np.ones(len(pairs), np.bool_)),
        before_us=int(limits.time_window * 1e6),
    )


def _unattended(states: FleetStates | None, flows: RelayFlows, bursts: Bursts, limits: RelayThresholds) -> Int64:
    """(b,) whether each burst came while the app was in the background and nobody had touched the device for long."""
    if states is None:
        return np.full(len(bursts.row), NULL, np.int64)
    row = states.rows(states.numbers(flows.device)[bursts.row], bursts.start)
    background = states.background_at(row, flows.uid[bursts.row])
    idle = states.idle_at(row, bursts.start, limits.last_user_interaction_delta)
    return np.where(background < 0, NULL, (background == 1) & (idle != 0))


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


def _unrelated(known: Known, flows: RelayFlows, pairs: Pairs) -> Float64:
    """(n,) how little the baseline explains each flow's destination; 1 without a baseline."""
    found = np.ones(len(flows.start))
    if known.baseline is None or not len(pairs):
        return found
    rows = np.flatnonzero(np.isin(flows.app, pairs.app) & ~flows.inbound)
    group, one = distinct(flows.app[rows], flows.peer.code[rows])
    found[rows] = _deviations(known.baseline, known.categories, flows, rows[one])[group]
    return found


def _deviations(baseline: Baseline, categories: dict[str, str], flows: RelayFlows, rows: Int64) -> Float64:
    from detector.baseline import Asked

    texts = sorted(set(categories.values()))
    place = {text: k for k, text in enumerate(texts)}
    category = np.array([place.get(categories.get(text, ""), NULL) for text in flows.package.texts] + [NULL], np.int64)
    device, package, peer = (Codes(part.code[rows], part.texts) for part in (flows.device, flows.package, flows.peer))
    asked = Asked(device, package, Codes(category[package.code], texts), peer)
    return unrelated(baseline.deviation(asked))


def _sockets(known: Known, flows: RelayFlows, pairs: Pairs) -> Happened:
    """When the apps of the pairs listened, accepted or opened raw sockets beyond their own host."""
    nothing = np.zeros(0, np.int64)
    row, sockets = flows.one[pairs.app], known.sockets
    if sockets is None:
        return Happened.of(nothing, nothing, known.span, np.zeros(len(pairs), np.bool_))
    place = {text: k for k, text in enumerate(flows.device.texts)}
    owner = np.array([place.get(text, NULL) for text in sockets.device.texts] + [NULL], np.int64)[sockets.device.code]
    step = int(max(sockets.uid.max(initial=0), flows.uid.max(initial=0))) + 2
    apps = flows.device.code[row] * step + flows.uid[row]
    order = np.argsort(apps, kind="stable")
    usable = (owner != NULL) & (sockets.uid != NULL)
    keys, times = (owner * step + sockets.uid)[usable], sockets.time[usable]
    low, high = (np.searchsorted(apps[order], keys, side=side) for side in ("left", "right"))
    many = high - low
    at = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
    return Happened.of(order[at], np.repeat(times, many), known.span, flows.uid[row] != NULL)
