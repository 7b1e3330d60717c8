"""The visibility ladder: recall per behaviour and view, the matrix that says which sensor is needed to see what.

Made from a scorecard's JSON alone. A cell that was not measured says why instead of showing a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.report.words import ladder_order, rate, rate_interval, share_interval

Json = Mapping[str, Any]
APART = 0.6  # AUC; 0.5 is chance, and as in the shortcut report 0.1 beside it is none either


@dataclass(frozen=True)
class Rung:
    """One cell: what stands in it, how warm it is (0 to 10, None: not measured), and the small print."""

    text: str
    heat: int | None
    note: str


@dataclass(frozen=True)
class Ladder:
    """The matrix of one detector: views across, (analytic, behaviour) down, and below what each view costs.

    ``costs`` holds false alarms per device-day, analytic by analytic: recall that is bought by noise must look it.
    """

    detector: str
    views: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Rung, ...]], ...]
    costs: tuple[tuple[str, tuple[Rung, ...]], ...]


def ladder(card: Json, detector: str) -> Ladder:
    """The ladder of that detector; behaviours are those of its incidents, scored or not."""
    views = tuple(sorted(card["detectors"][detector]["views"], key=ladder_order))
    kinds = {(row["analytic"], row["behaviour"]) for row in card["incidents"] if row["detector"] == detector}
    kinds |= {(row["analytic"], row["behaviour"]) for row in card["blind_spots"] if row["detector"] == detector}
    rows = tuple((*kind, tuple(_rung(card, detector, view, *kind) for view in views)) for kind in sorted(kinds))
    analytics = sorted({analytic for analytic, _ in kinds})
    costs = tuple((one, tuple(_cost(card, detector, view, one) for view in views)) for one in analytics)
    return Ladder(detector, views, rows, costs)


@dataclass(frozen=True)
class Twins:
    """How far each malicious scenario of one detector stands from its benign twin: views across, pairs down.

    ``inventory`` maps a pair (scenario, twin) to what the inventory says for the twin's app, where a view has them
    told apart at all (APART); the cells it helps are marked with an asterisk.
    """

    detector: str
    views: tuple[str, ...]
    rows: tuple[tuple[str, str, str, tuple[Rung, ...]], ...]  # scenario, twin, analytic
    inventory: Mapping[tuple[str, str], str]


def twins(card: Json, detector: str) -> Twins:
    """The AUC of every pair that was scored; empty where no suite member has a twin."""
    found = {
        (row["scenario"], row["twin"], row["analytic"], row["view"]): row
        for row in card["separability"]
        if row["detector"] == detector
    }
    views = tuple(sorted({key[3] for key in found}, key=ladder_order))
    pairs = sorted({key[:3] for key in found})
    rows = tuple((*pair, tuple(_auc(found.get((*pair, v))) for v in views)) for pair in pairs)
    words = {(row["scenario"], row["twin"]): ", ".join(row["inventory"]) for row in found.values() if _helped(row)}
    return Twins(detector, views, rows, words)


def _auc(row: Json | None) -> Rung:
    if row is None or row["auc"] is None:
        return Rung("-", None, "not scored")
    note = f"{row['n']['incidents']} incidents against {row['n']['twin_devices']} devices of the twin"
    mark = "*" if _helped(row) else ""
    return Rung(f"{row['auc']:.2f}{mark}", round(10 * row["auc"]), note)


def _helped(row: Json) -> bool:
    """Whether a pair that is told apart may be so by the inventory; one that is not told apart owes it nothing."""
    return bool(row["inventory"]) and row["auc"] is not None and row["auc"] >= APART


def subjects(card: Json, controls: Sequence[str]) -> list[str]:
    """The detectors under test: all but the controls, unless there are no others."""
    named = [name for name in sorted(card["detectors"]) if name not in controls]
    return named or sorted(card["detectors"])


def _cost(card: Json, detector: str, view: str, analytic: str) -> Rung:
    found = card["detectors"][detector]["views"][view]["analytics"].get(analytic)
    if found is None or found["false_alarms_per_device_day"] is None:
        return Rung("-", None, "not measured")
    note = f"{found['false_alarms']} in {rate(found['device_days'])} device-days, 95 % {rate_interval(found['fa_ci'])}"
    return Rung(rate(found["false_alarms_per_device_day"]), None, note)


def _rung(card: Json, detector: str, view: str, analytic: str, behaviour: str) -> Rung:
    cell = card["detectors"][detector]["views"][view]
    measured = cell["analytics"].get(analytic, {}).get("by_behaviour", {}).get(behaviour)
    if measured:
        hits, of, hidden = measured["detected"], measured["incidents"], measured["unseen"]
        note = f"{hits} of {of} incidents, 95 % interval {share_interval(measured['recall_ci'])}"
        if not hidden:
            return Rung(f"{hits}/{of}", round(10 * measured["recall"]), note)
        note += f"; {hidden} not visible in this telemetry"
        return Rung(f"{hits}/{of} unseen:{hidden}", round(10 * measured["recall"]), note)
    trials = cell["analytics"].get(analytic, cell)["trials"]
    if trials["unsupported"]:
        return Rung("cannot run", None, "the detector cannot judge this analytic on what the view shows")
    return Rung("failed", None, "the trial failed: nothing is known") if trials["failed"] else Rung("-", None, "")
