"""What the bundled analytics measure in a case, group by group, with what each group is in truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from detector.contract import Telemetry, Unsupported
from detector.measures import Measured, measured
from detector.thresholds import load_thresholds
from lab.scoring.matching import device_name, same_peer
from lab.truth import Truth, TruthIncident

TABLES = {"AN1793": "polling", "AN1702": "relay"}


def measured_tables(shown: Telemetry, truth: Truth, view: str) -> Iterator[tuple[str, pa.Table]]:
    """(name, table) of each analytic that can be measured there: one row a group, every factor a column."""
    try:
        groups = measured(shown, load_thresholds())
    except Unsupported:
        return
    for analytic, name in TABLES.items():
        rows = [_row(one, truth, view) for one in groups if one.analytic == analytic]
        if rows:
            yield name, pa.Table.from_pylist(rows)


def _row(one: Measured, truth: Truth, view: str) -> dict[str, Any]:
    device = device_name(one.device, truth)
    about = {"view": view, "device": device, "package": one.package, "peer": one.peer, "score": one.score}
    about["incident"] = _incident(one, device, truth)
    return {**about, **{f"f_{name}": value for name, value in one.values.items()}}


def _incident(one: Measured, device: str, truth: Truth) -> str | None:
    return next((incident.incident for incident in truth.incidents if _is(one, device, incident)), None)


def _is(one: Measured, device: str, incident: TruthIncident) -> bool:
    if one.analytic != incident.analytic or device != incident.device:
        return False
    if one.package not in {None, incident.package}:
        return False
    return one.analytic == "AN1702" or same_peer(one.peer, incident.peers)
