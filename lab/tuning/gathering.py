"""What a detector said in a run, gathered for its tuning: one row an incident, one row a finding about none.

A finding is worth the highest setting of its knob at which it is an alert, as the detector tells (detector/knob.py).
What reaches the present setting and is no alert all the same is excused, and no setting makes it one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detector.contract import Detector, Finding, Knob
from lab.scoring.matching import judge
from lab.scoring.outcomes import TrialResult
from lab.truth import Truth
from lab.tuning.nested import PACKAGE_FOLDS, package_fold
from lab.tuning.sweep import NEVER, Evidence, Rows


def evidence(
    trials: Sequence[TrialResult], detector: Detector, knob: Knob, folds: dict[int, int], *, parted: bool
) -> Evidence:
    """What the knob's analytic is tuned by; ``folds`` of the seeds, ``parted`` where packages are known and are parted.

    Trials that did not judge the analytic are left out, with their device-days.
    """
    found, alarms, days = _Columns(), _Columns(), list[float]()
    packages = PACKAGE_FOLDS if parted else 1
    effort = np.zeros((max(folds.values(), default=0) + 1, packages))
    for trial in trials:
        if trial.status != "scored" or trial.truth is None or knob.analytic not in trial.judged:
            continue
        truth, seed = trial.truth, folds[trial.seed]
        number = {name: len(days) + place for place, name in enumerate(sorted(truth.devices))}
        days += [truth.device_days / len(truth.devices)] * len(truth.devices)
        effort[seed] += truth.device_days * _shares(truth, packages)
        best = {one.incident: NEVER for one in truth.incidents if one.analytic == knob.analytic}
        for verdict in judge(truth, [one for one in trial.findings if one.analytic == knob.analytic], trial.view):
            worth = deciding(detector, knob, verdict.finding)
            if verdict.incident is not None:
                best[verdict.incident.incident] = max(best[verdict.incident.incident], worth)
            else:
                # whoever is not in the inventory counts with the trial's first device
                device = number.get(truth.device_name(verdict.finding.device) or "", min(number.values()))
                alarms.add(worth, device, seed, _fold(_who(verdict.finding), packages))
        for one in truth.incidents:
            if one.incident in best:
                found.add(best[one.incident], number[one.device], seed, _fold(one.package, packages))
    return Evidence(found.rows(), alarms.rows(), np.array(days), effort)


def deciding(detector: Detector, knob: Knob, finding: Finding) -> float:
    """The highest setting of the knob at which the finding is an alert; NEVER where none makes it one."""
    ask = getattr(detector, "deciding", None)
    told = finding.score * knob.scale if ask is None else ask(finding)
    if told is None:
        return NEVER
    if finding.alert:
        return max(float(told), knob.value)  # an alert is one at the present setting, however its score was rounded
    return float(told) if told < knob.value else NEVER


def _who(finding: Finding) -> str:
    return finding.package or finding.peer or finding.device


def _fold(package: str, packages: int) -> int:
    return package_fold(package) if packages > 1 else 0


def _shares(truth: Truth, packages: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(packages,) of the (device, app) pairs there: with a quarter of the apps looked at, a day is a quarter of one."""
    if packages == 1 or not truth.packages:
        return np.full(packages, 1 / packages)
    counts = np.bincount([package_fold(package) for _, package in truth.packages], minlength=packages)
    return np.asarray(counts / counts.sum(), np.float64)


@dataclass
class _Columns:
    """Rows in the making."""

    said: list[tuple[float, int, int, int]] = field(default_factory=list)

    def add(self, score: float, device: int, seed: int, package: int) -> None:
        self.said.append((score, device, seed, package))

    def rows(self) -> Rows:
        score, device, seed, package = zip(*self.said, strict=True) if self.said else ((), (), (), ())
        whole = [np.array(part, np.int64) for part in (device, seed, package)]
        return Rows(np.array(score, np.float64), *whole)
