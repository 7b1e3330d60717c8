"""The outcome of a gate: verdicts, an exit code, what the evidence covers, and what was not counted. Pure.

0: everything that was asked was judged and held. 1: a threshold of level error is broken. 3: one could not be judged,
or none was; that outranks 1, because what is broken there is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from detector.contract import SCHEMA_VERSION
from lab.gate.selection import Card
from lab.gate.settings import Settings
from lab.gate.verdicts import Verdict
from lab.scoring.controls import CONTROLS

HELD, BROKEN, NO_EVIDENCE = 0, 1, 3


@dataclass(frozen=True)
class Outcome:
    """What a gate says. ``sources``: what was judged, by what, against what."""

    verdicts: tuple[Verdict, ...]
    completeness: Mapping[str, Any]
    blind_spots: tuple[Mapping[str, Any], ...]
    sources: Mapping[str, Any]

    @property
    def exit_code(self) -> int:
        """0, 1 or 3."""
        statuses = {one.status for one in self.verdicts}
        if "unjudged" in statuses or not statuses & {"held", "broken"}:
            return NO_EVIDENCE
        return (
            BROKEN if any(one.status == "broken" and one.threshold.level == "error" for one in self.verdicts) else HELD
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        said = {HELD: "held", BROKEN: "broken", NO_EVIDENCE: "no evidence"}[self.exit_code]
        return {
            "schema_version": SCHEMA_VERSION,
            "gate": said,
            "exit_code": self.exit_code,
            **self.sources,
            "thresholds": [_row(one) for one in self.verdicts],
            "blind_spots": list(self.blind_spots),
            "evidence": dict(self.completeness),
        }


def outcome(settings: Settings, card: Card, baseline: Card | None, verdicts: Sequence[Verdict]) -> Outcome:
    """The outcome of these verdicts; blind spots are those of the detectors and views that were judged."""
    cells = {(one.detector, one.view) for one in verdicts}
    spots = [row for row in card.content["blind_spots"] if (row["detector"], row["view"]) in cells]
    sources = {
        "scorecard": card.name,
        "baseline": baseline.name if baseline else None,
        "config": settings.source,
        "alpha": settings.alpha,
        "by": settings.by,
    }
    return Outcome(tuple(verdicts), completeness(card.content), tuple(spots), sources)


def completeness(content: Mapping[str, Any]) -> dict[str, Any]:
    """How much of what was to be judged was: trials, incidents, device-days, for each detector under test and view."""
    rows = []
    for name, whole in content["detectors"].items():
        if name in CONTROLS:
            continue
        for view, cell in whole["views"].items():
            met = [row for row in content["incidents"] if (row["detector"], row["view"]) == (name, view)]
            rows.append(
                {
                    "detector": name,
                    "view": view,
                    "trials": dict(cell["trials"]),
                    "incidents": len(met),
                    "unseen": sum(row["verdict"] == "unseen" for row in met),
                    "device_days": cell["device_days"],
                }
            )
    unscored = [
        f"{row['scenario']} seed {row['seed']}: {row['status']}, {row['reason']}" for row in content["unscored"]
    ]
    recordings = len(content["evidence"]["recordings"])
    return {"trials": dict(content["trials"]), "recordings": recordings, "cells": rows, "unscored": unscored}


def _row(one: Verdict) -> dict[str, Any]:
    """A verdict as JSON."""
    threshold = one.threshold
    return {
        "threshold": threshold.text,
        "level": threshold.level,
        "kind": "patch" if threshold.patch else threshold.kind,
        "detector": one.detector or None,
        "view": one.view or None,
        "status": one.status,
        "reason": one.reason,
        "measured": one.measured.to_json() if one.measured else None,
        "limit": one.limit,
        "baseline": one.baseline.to_json() if one.baseline else None,
        "difference": one.difference,
        "difference_ci": list(one.difference_ci) if one.difference_ci else None,
        "p": one.p,
        "named": [asdict(row) for row in one.named],
        "gained": [asdict(row) for row in one.gained],
        "notes": list(one.notes),
    }
