"""Blind spots: behaviours of which a detector found nothing under a view, and why. Pure, like lab/score.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lab.scoring.outcomes import Outcome, TrialResult


def blind_spots(
    detector: str, view: str, met: Sequence[Outcome], trials: Iterable[TrialResult]
) -> list[dict[str, Any]]:
    """Behaviours of which nothing was detected: missed, all unseen, or the detector could not run where they were."""
    refused = [
        (
            incident.analytic,
            incident.behaviour,
            trial.reason or f"{trial.detector} judges no {incident.analytic} on what this view shows",
        )
        for trial in trials
        if trial.status in {"unsupported", "scored"} and trial.truth
        for incident in trial.truth.incidents
        if trial.status == "unsupported" or incident.analytic not in trial.judged
    ]
    scored: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in met:
        scored.setdefault((outcome.incident.analytic, outcome.incident.behaviour), []).append(outcome)
    rows = []
    for key in sorted({*scored, *(one[:2] for one in refused)}):
        mine, reasons = scored.get(key, []), [reason for *kind, reason in refused if tuple(kind) == key]
        if any(outcome.hit for outcome in mine):
            continue
        why, reason = _why(mine), "" if mine else reasons[0]
        where = {"detector": detector, "view": view, "analytic": key[0], "behaviour": key[1]}
        counts = {"incidents": len(mine), "unseen": sum(one.verdict == "unseen" for one in mine)}
        rows.append({**where, "why": why, "reason": reason, **counts, "unsupported_incidents": len(reasons)})
    return rows


def _why(met: Sequence[Outcome]) -> str:
    if not met:
        return "unsupported"
    return "unseen" if all(outcome.verdict == "unseen" for outcome in met) else "missed"
