"""How well scores part a malicious scenario from the benign twin that imitates it, whatever the threshold.

Pure. The unit is a device: an incident's best score against the loudest finding on each device of the twin, so that
every other app there competes too. 0.5 is chance, 1 is perfect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lab.outcomes import Outcome, TrialResult
from lab.ranking import roc_auc


def separability(
    detector: str, view: str, met: Sequence[Outcome], trials: Iterable[TrialResult]
) -> list[dict[str, Any]]:
    """One row per scenario, its twin and analytic, of one detector under one view: the AUC and both its n.

    A unit about which nothing was said has score 0. No row where the analytic was judged in one of the two only.
    """
    by_twin: dict[str, list[TrialResult]] = {}
    for trial in trials:
        if trial.status == "scored" and trial.truth and trial.truth.twin_of:
            by_twin.setdefault(trial.truth.twin_of, []).append(trial)
    rows = []
    for scenario, analytic in sorted({(one.trial.scenario, one.incident.analytic) for one in met}):
        scores = [
            outcome.best.score if outcome.best else 0.0
            for outcome in met
            if (outcome.trial.scenario, outcome.incident.analytic) == (scenario, analytic)
        ]
        calm = [trial for trial in by_twin.get(scenario, []) if analytic in trial.judged]
        for twin in sorted({trial.scenario for trial in calm}):
            benign = [unit for trial in calm if trial.scenario == twin for unit in _loudest(trial, analytic)]
            where = {"detector": detector, "view": view, "scenario": scenario, "twin": twin, "analytic": analytic}
            n = {"incidents": len(scores), "twin_devices": len(benign)}
            rows.append({**where, "auc": roc_auc(scores, benign), "n": n})
    return rows


def _loudest(trial: TrialResult, analytic: str) -> list[float]:
    """The highest score of the analytic on each device of a trial, 0 where there is no finding."""
    assert trial.truth is not None
    return [
        max(
            (one.score for one in trial.findings if one.analytic == analytic and one.device in {name, address}),
            default=0.0,
        )
        for name, address in sorted(trial.truth.devices.items())
    ]
