"""How well scores part a malicious scenario from the benign twin that imitates it, whatever the threshold.

Pure. The unit is a device: an incident's best score against the loudest finding on each device of the twin, so that
every other app there competes too. 0.5 is chance, 1 is perfect. A row says what the inventory alone tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lab.scoring.matching import APPLESS
from lab.scoring.outcomes import Outcome, TrialResult
from lab.scoring.ranking import roc_auc


def separability(
    detector: str, view: str, met: Sequence[Outcome], trials: Iterable[TrialResult]
) -> list[dict[str, Any]]:
    """One row per scenario, its twin and analytic, of one detector under one view: the AUC and both its n.

    ``inventory`` holds the good words the inventory has for apps that only the twin has, where the view shows apps:
    with any, the AUC is not owed to behaviour alone. A unit about which nothing was said has score 0. There is no row
    where the analytic was judged in one of the two only.
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
            words = (
                [] if view in APPLESS else _vouched_for(scenario, met, [one for one in calm if one.scenario == twin])
            )
            rows.append({**where, "auc": roc_auc(scores, benign), "n": n, "inventory": words})
    return rows


def _vouched_for(scenario: str, met: Iterable[Outcome], calm: Iterable[TrialResult]) -> list[str]:
    """What the inventory says for the apps that only the twin has, and not for those of the incidents."""
    mine = [outcome for outcome in met if outcome.trial.scenario == scenario]
    truths = [outcome.trial.truth for outcome in mine if outcome.trial.truth]
    common = {package for truth in truths for _, package in truth.packages}
    guilty = {(outcome.incident.device, outcome.incident.package) for outcome in mine}
    shared = {word for truth in truths for app in guilty for word in truth.vouched.get(app, ())}
    others = [trial.truth.vouched.items() for trial in calm if trial.truth]
    told = {word for apps in others for (_, package), words in apps if package not in common for word in words}
    return sorted(told - shared)


def _loudest(trial: TrialResult, analytic: str) -> list[float]:
    """The highest score of the analytic on each device of a trial, 0 where there is no finding."""
    assert trial.truth is not None
    whose = {one.device: trial.truth.device_name(one.device) for one in trial.findings}
    return [
        max(
            (one.score for one in trial.findings if one.analytic == analytic and whose[one.device] == name),
            default=0.0,
        )
        for name in sorted(trial.truth.devices)
    ]
