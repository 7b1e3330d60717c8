"""AN1702 asked about one app: its windows and the requests made to it, with the very scores that decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from detector.analytics.proxy_handshake import Asked
from detector.analytics.relay_anew import how_new, request_score
from detector.analytics.relay_decided import Who
from detector.analytics.relay_measured import Measured, measured
from detector.analytics.relay_reasons import EXPECTED, weights_of
from detector.analytics.relay_score import scores
from detector.analytics.traffic_relay import Bridged, Case, requests
from detector.columns import NULL, Codes, Int64
from detector.contract import Telemetry
from detector.counterfactual import Columns, Limits
from detector.explanation import Bools
from detector.grouped import Float64
from detector.inventory import read_inventory
from detector.scored_groups import ScoredGroups
from detector.thresholds import RelayThresholds

if TYPE_CHECKING:
    from detector.baseline import Baseline

REQUEST = "request"  # what the requests made to an app score by themselves; 0 without any
SHARE = Limits(0.0, 1.0)
COUNT = Limits(1.0, 100_000.0, log=True, whole=True)
NATS = Limits(0.0, 100.0)


def relay_groups(telemetry: Telemetry, limits: RelayThresholds) -> ScoredGroups:
    """All windows of a telemetry that are judged, one more per app that was asked to relay, and what may change."""
    found, asked = measured(telemetry, limits), list(requests(telemetry))
    told = {(one.device, one.uid, one.package): one for one in asked}
    columns = _columns(found, asked, telemetry.baseline, limits)
    first, last = ([getattr(one, name) for one in asked] for name in ("first", "last"))
    inventory = read_inventory(telemetry.tables.get("packages"))

    def reached(some: Columns) -> Float64:
        return np.fmax(scores(some, limits), some[REQUEST])

    def excuse(row: int) -> str | None:
        who = _who(found, asked, row)
        at = np.array([row])
        bridged = Bridged(found, at, scores(_rows(found.columns, at), limits)) if row < len(found) else None
        return Case(telemetry, limits, who, told.get(who), bridged, inventory.find(*who)).excuse()

    return ScoredGroups(
        device=_with(found.device, [one.device for one in asked]),
        uid=np.concatenate([found.uid, np.array([NULL if one.uid is None else one.uid for one in asked], np.int64)]),
        package=_with(found.package, [one.package for one in asked]),
        peer=None,
        first=np.concatenate([found.first, np.array(first, np.int64)]),
        last=np.concatenate([found.last, np.array(last, np.int64)]),
        columns=columns,
        scores=reached,
        threshold=limits.threshold,
        limits=changeable(limits),
        fewest=limits.fewest_streams,
        expected={**EXPECTED, REQUEST: "0: nobody asks a phone to relay"},
        weights=weights_of(limits),
        excuse=excuse,
    )


def changeable(limits: RelayThresholds) -> Mapping[str, Limits]:
    """Between what each factor of the score may change; what only describes (bytes, times, chance) is in others."""
    bridge = [name for name in limits.bridge_weights if name != "timing"]
    weighed = ["bridge_correlation", "pairing_lift", *bridge, *limits.suspicion_weights]
    shares = [name for name in [*weighed, "unattended_share", "anew", "novelty", "sustained"] if name != "base"]
    return {"nats": NATS, "streams": COUNT, "destinations": COUNT, **dict.fromkeys(shares, SHARE)}


def _columns(
    found: Measured, asked: Sequence[Asked], baseline: Baseline | None, limits: RelayThresholds
) -> dict[str, Float64]:
    """The columns of all windows, then those of the requests: no bridge, and what the request itself scores."""
    empty = {"streams": 0.0, "destinations": 0.0, "sustained": 0.0}
    more = {name: np.full(len(asked), empty.get(name, np.nan)) for name in found.columns}
    requested = [request_score(one, how_new(one, baseline, _row(found, one, limits)), limits) for one in asked]
    said = np.concatenate([np.zeros(len(found)), np.array(requested, np.float64)])
    return {name: np.concatenate([column, more[name]]) for name, column in found.columns.items()} | {REQUEST: said}


def _row(found: Measured, one: Asked, limits: RelayThresholds) -> dict[str, float]:
    """The columns of the app's worst window, if that is a near miss: as its finding has it; empty without."""
    uid = NULL if one.uid is None else one.uid
    mine = _held(found.device, one.device) & _held(found.package, one.package) & (found.uid == uid)
    rows = np.flatnonzero(mine)
    scored = scores(_rows(found.columns, rows), limits) if len(rows) else np.zeros(0)
    near = scored.max(initial=0.0) >= limits.threshold * limits.near_miss
    return {name: float(column[rows[np.argmax(scored)]]) for name, column in found.columns.items()} if near else {}


def _held(column: Codes, text: str | None) -> Bools:
    """(n,) which rows hold that text, or none."""
    return np.asarray(column.code == (column.texts.index(text) if text in column.texts else NULL), np.bool_)


def _who(found: Measured, asked: Sequence[Asked], row: int) -> Who:
    if row >= len(found):
        one = asked[row - len(found)]
        return one.device, one.uid, one.package
    uid = int(found.uid[row])
    return found.device.text(row) or "", None if uid == NULL else uid, found.package.text(row)


def _rows(columns: Columns, rows: Int64) -> dict[str, Float64]:
    return {name: column[rows] for name, column in columns.items()}


def _with(column: Codes, texts: Sequence[str | None]) -> Codes:
    """The rows of a column, then those texts."""
    known = [*column.texts, *sorted({text for text in texts if text is not None} - set(column.texts))]
    place = {text: k for k, text in enumerate(known)}
    more = [NULL if text is None else place[text] for text in texts]
    return Codes(np.concatenate([column.code, np.array(more, np.int64)]), known)
