"""What one look of a detector says, as rows: the best word on each incident, and each unit of alarm once.

Pure: truth and findings in, rows out. An alarm's unit is (device, app, destination by registrable domain) of AN1793 and
(device, app, day) of AN1702. Incidents are joined to findings as the scorecard joins them (lab.scoring.matching).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from detector.contract import Finding
from detector.destinations import registrable
from lab.scoring.matching import Verdict, device_name, judge, same_peer
from lab.truth import Truth

DAY_US = 86_400_000_000
INCIDENT, GUILTY, INNOCENT = "incident", "guilty", "innocent"

SAID = pa.schema(
    [
        ("detector", pa.string()),
        ("view", pa.string()),
        ("analytic", pa.string()),
        ("device", pa.string()),
        ("package", pa.string()),  # null where nobody can know it
        ("unit", pa.string()),  # of alarm; null of an incident
        ("incident", pa.string()),  # null of an alarm
        ("kind", pa.string()),  # "incident"; of an alarm whether its app is GUILTY of an incident at all, or INNOCENT
        ("score", pa.float64()),  # the best
        ("alert", pa.bool_()),  # by the detector's own threshold
        ("severity", pa.string()),
        ("decided_at", pa.int64()),  # of the first alert, else of the best
    ]
)
LOOKS = pa.schema(
    [
        ("detector", pa.string()),
        ("view", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("judged", pa.list_(pa.string())),
        ("seconds", pa.float64()),
    ]
)
INCIDENTS = pa.schema(
    [
        ("incident", pa.string()),
        ("analytic", pa.string()),
        ("behaviour", pa.string()),
        ("device", pa.string()),
        ("package", pa.string()),
        ("category", pa.string()),
        ("contacts", pa.int64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("settings", pa.string()),  # JSON
        ("unseen", pa.list_(pa.string())),  # the views that show no row of it
    ]
)


def said(detector: str, view: str, truth: Truth, findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The rows of SAID of one look, incidents first, in order of their names."""
    apps = {(device, uid): package for (device, package), (uid, _) in truth.packages.items()}
    best: dict[tuple[bool, str, str], list[Verdict]] = {}
    for verdict in judge(truth, findings, view):
        best.setdefault(_key(verdict, truth, apps), []).append(verdict)
    place = {"detector": detector, "view": view}
    return [{**place, **_row(key, best[key], truth, apps)} for key in sorted(best)]


def incident_rows(truth: Truth, unseen: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
    """The rows of INCIDENTS; ``unseen`` are the incidents that each view hides."""
    hidden = {view: {*names} for view, names in unseen.items()}
    return [
        {
            **{name: getattr(one, name) for name in INCIDENTS.names if hasattr(one, name) and name != "settings"},
            "category": truth.packages[one.device, one.package][1],
            "settings": json.dumps(dict(one.settings), sort_keys=True, default=str),
            "unseen": sorted(view for view, names in hidden.items() if one.incident in names),
        }
        for one in truth.incidents
    ]


def _key(verdict: Verdict, truth: Truth, apps: Mapping[tuple[str, int], str]) -> tuple[bool, str, str]:
    """(is an alarm, analytic, incident or unit)."""
    finding = verdict.finding
    if verdict.incident is not None:
        return (False, finding.analytic, verdict.incident.incident)
    return (True, finding.analytic, unit_of(finding, truth, apps))


def unit_of(finding: Finding, truth: Truth, apps: Mapping[tuple[str, int], str]) -> str:
    """The unit of alarm a finding belongs to."""
    device = device_name(finding.device, truth)
    package = _package(finding, device, apps) or ("-" if finding.uid is None else str(finding.uid))
    if finding.analytic == "AN1793":
        about = registrable(finding.peer.lower().rstrip(".")) if finding.peer else "-"
    else:
        about = f"day {(finding.decided_at - truth.start) // DAY_US}"
    return f"{device} {package} {about}"


def _package(finding: Finding, device: str, apps: Mapping[tuple[str, int], str]) -> str | None:
    if finding.package is not None or finding.uid is None:
        return finding.package
    return apps.get((device, finding.uid))


def _kind(finding: Finding, device: str, truth: Truth, apps: Mapping[tuple[str, int], str]) -> str:
    return GUILTY if guilty(truth, device, _package(finding, device, apps), finding.peer) else INNOCENT


def guilty(truth: Truth, device: str, package: str | None, peer: str | None) -> bool:
    """Whether an app, or where it is not known what it speaks to, is that of an incident of either analytic there.

    Such an alarm names the wrong analytic, place or time, but no innocent app.
    """
    mine = (one for one in truth.incidents if one.device == device)
    return any(one.package == package if package else same_peer(peer, one.peers) for one in mine)


def _row(
    key: tuple[bool, str, str], verdicts: list[Verdict], truth: Truth, apps: Mapping[tuple[str, int], str]
) -> dict[str, Any]:
    alarm, analytic, name = key
    alerts = [one for one in verdicts if one.finding.alert]
    best = max(verdicts, key=lambda one: (one.finding.score, one.finding.alert))
    first = min(alerts, key=lambda one: one.finding.decided_at) if alerts else best
    device = device_name(best.finding.device, truth)
    return {
        "analytic": analytic,
        "device": device if alarm or best.incident is None else best.incident.device,
        "package": _package(best.finding, device, apps),
        "unit": name if alarm else None,
        "incident": None if alarm else name,
        "kind": _kind(best.finding, device, truth, apps) if alarm else INCIDENT,
        "score": best.finding.score,
        "alert": bool(alerts),
        "severity": first.finding.severity,
        "decided_at": first.finding.decided_at,
    }
