"""What the bundled analytics measure in a case, every factor a column, with what each group is in truth.

AN1793: one row a group of contacts, measured with the baseline and again without. AN1702: one row a window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.analytics import command_polling, traffic_relay
from detector.analytics.polling_score import covered
from detector.columns import NULL, Codes
from detector.contract import Telemetry
from detector.inventory import Inventory, read_inventory
from detector.thresholds import PollingThresholds, load_thresholds
from lab.scoring.matching import same_peer
from lab.truth import Truth, TruthIncident
from tests.bench.detection.rows import guilty

FACTOR = "f_"  # before the name of a factor's column
Words = Sequence[str | None]
Float64 = npt.NDArray[np.float64]


def measured_tables(shown: Telemetry, truth: Truth, view: str) -> Iterator[tuple[str, pa.Table]]:
    """(name, table) of each analytic that can be measured there."""
    if "flows" not in shown:
        return
    limits = load_thresholds()
    for telemetry in (shown, replace(shown, baseline=None)) if shown.baseline is not None else (shown,):
        yield "polling", _polling(telemetry, truth, view, limits.polling)
    yield "relay", _relay(shown, truth, view)


def _polling(telemetry: Telemetry, truth: Truth, view: str, limits: PollingThresholds) -> pa.Table:
    found = command_polling.measured(telemetry, limits)
    device, package = _devices(found.device, truth), _texts(found.package)
    peer = _texts(found.destination)
    ends = (found.first, found.last)
    incident = _incidents("AN1793", truth, zip(device, package, peer, *ends, strict=True))
    about = {"device": device, "package": package, "peer": peer, "incident": incident}
    about |= {"excused": _excused(telemetry, found, limits, peer), "guilty": _guilty(truth, device, package, peer)}
    return _table(view, about, {**found.columns, "learned": np.full(len(found), telemetry.baseline is not None)})


def _relay(telemetry: Telemetry, truth: Truth, view: str) -> pa.Table:
    found = traffic_relay.measured(telemetry, load_thresholds().relay)
    device, package = _devices(found.device, truth), _texts(found.package)
    nobody: Words = [None] * len(found)
    ends = (found.first, found.last)
    incident = _incidents("AN1702", truth, zip(device, package, nobody, *ends, strict=True))
    about = {"device": device, "package": package, "incident": incident, "begin": found.begin, "length": found.length}
    about |= {"guilty": _guilty(truth, device, package, nobody)}
    return _table(view, about, found.columns)


def _table(view: str, about: Mapping[str, Any], factors: Mapping[str, Float64]) -> pa.Table:
    count = len(about["device"])
    texts = ("device", "package", "peer", "incident")
    columns = {
        name: pa.array(value, pa.string()) if name in texts else pa.array(value) for name, value in about.items()
    }
    numbers = {f"{FACTOR}{name}": pa.array(np.asarray(value, np.float64)) for name, value in factors.items()}
    return pa.table({"view": pa.array([view] * count, pa.string()), **columns, **numbers})


def _guilty(truth: Truth, device: Words, package: Words, peer: Words) -> npt.NDArray[np.bool_]:
    """(g,) whether the app of a group is that of an incident, of either analytic."""
    infected = {one.device for one in truth.incidents}
    who = zip(device, package, peer, strict=True)
    return np.array([one[0] in infected and guilty(truth, one[0] or "", *one[1:]) for one in who], np.bool_)


def _texts(codes: Codes) -> list[str | None]:
    words = np.array([*codes.texts, None], object)
    found: list[str | None] = words[codes.code].tolist()
    return found


def _devices(codes: Codes, truth: Truth) -> list[str]:
    words = np.array([*(truth.device_name(text) or text for text in codes.texts), ""], object)
    found: list[str] = words[codes.code].tolist()
    return found


def _incidents(analytic: str, truth: Truth, groups: Iterable[tuple[str, str | None, str | None, int, int]]) -> Words:
    """The incident of each group (device, package, peer, first, last), as lab.scoring.matching has it of findings.

    A free choice, as where two channels go to one domain, falls on the incident with fewest groups, then the first.
    """
    many: Counter[str] = Counter()
    found: list[str | None] = []
    for device, package, peer, first, last in groups:
        mine = [
            one.incident
            for one in truth.incidents
            if (one.analytic, one.device) == (analytic, device)
            and (first <= one.end and last >= one.start and package in {None, one.package})
            and (analytic == "AN1702" or _meant(peer, one, package))
        ]
        chosen = min(mine, key=lambda name: many[name], default=None)
        many.update([chosen] if chosen else [])
        found.append(chosen)
    return found


def _meant(peer: str | None, incident: TruthIncident, package: str | None) -> bool:
    """Whether a destination is the incident's; a merged one of the app is, if the incident has several."""
    if same_peer(peer, incident.peers):
        return True
    return peer == "*rare*" and package == incident.package and len(incident.peers) > 2


def _excused(
    telemetry: Telemetry, found: command_polling.Measured, limits: PollingThresholds, peer: Words
) -> npt.NDArray[np.bool_]:
    """(g,) whether a finding about the group may not alert: by role, list, or good word of the inventory."""
    inventory = read_inventory(telemetry.tables.get("packages"))
    listed = np.array([name in limits.allowed_destination_list for name in peer], np.bool_)
    who = [*zip(_texts(found.device), found.uid.tolist(), _texts(found.package), strict=True)]
    known = {one: _allowed(inventory, one, limits) for one in dict.fromkeys(who)}
    approved, allowed = (np.array([known[one][k] for one in who], np.bool_) for k in (0, 1))
    return listed | allowed | (approved & covered(found.columns, limits)) if len(found) else listed


def _allowed(
    inventory: Inventory, who: tuple[str | None, int, str | None], limits: PollingThresholds
) -> tuple[bool, bool]:
    """Whether the inventory approves of the app, by word or role, and whether a list allows it."""
    device, uid, package = who
    app = inventory.find(device or "", None if uid == NULL else uid, package)
    if app is None:
        return False, False
    role = not app.roles.isdisjoint(limits.allowed_roles)
    return app.sanctioned or role, app.package in limits.allowed_app_list
