"""What one trial says of each incident and of each finding that names none: the rows every metric is counted from.

Pure, like lab/score.py: no file, no clock, no detector. A trial that was not scored has no outcome at all.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from detector.contract import ANALYTICS, Finding, rfc3339
from lab.scoring.matching import Verdict, device_name, judge
from lab.truth import BACKGROUND, Truth, TruthIncident

STATUSES = ("scored", "unsupported", "failed")


@dataclass(frozen=True)
class TrialResult:
    """Scenario x seed x stage x view x detector: how it ended and, where it was scored, what was found.

    ``judged`` are the analytics that the detector could judge there; of the others the trial says nothing. ``unseen``
    are the incidents that no row of the view shows (lab/scoring/visibility.py): undetected all the same. One that is
    ``held_out`` is scored like any other, and nothing may be chosen by its score (scenarios/held-out.toml).
    """

    scenario: str
    seed: int
    stage: str
    view: str
    detector: str
    status: str
    reason: str = ""
    truth: Truth | None = None
    findings: tuple[Finding, ...] = ()
    judged: tuple[str, ...] = ANALYTICS
    held_out: bool = False
    unseen: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, int, str]:
        """What no other trial of the run shares, in the order of every list."""
        return (self.detector, self.view, self.scenario, self.seed, self.stage)

    def place(self) -> dict[str, Any]:
        """The trial's coordinates, as they stand in every row of a scorecard."""
        return {name: getattr(self, name) for name in ("scenario", "seed", "stage", "view", "detector", "held_out")}


@dataclass(frozen=True)
class Outcome:
    """One incident in one scored trial: the alert that hit it, or None, and the best finding about it, or None."""

    trial: TrialResult
    incident: TruthIncident
    category: str | None
    hit: Finding | None
    best: Finding | None
    duplicates: int

    @property
    def verdict(self) -> str:
        """``detected``; else ``unseen`` where no row of the view shows the incident, and ``missed`` where one does."""
        if self.hit:
            return "detected"
        return "unseen" if self.incident.incident in self.trial.unseen else "missed"

    @property
    def time_to_detect_s(self) -> float | None:
        """Seconds from the incident's start to the decision; an alert decided before the start took none."""
        return max(0, self.hit.decided_at - self.incident.start) / 1e6 if self.hit else None

    @property
    def contacts_to_detect(self) -> int | None:
        """Contacts made up to the decision; None if undetected, or if truth does not give the time of every contact."""
        times = self.trial.truth.contacts.get(self.incident.incident, ()) if self.trial.truth else ()
        if self.hit is None or len(times) != self.incident.contacts:
            return None
        return bisect_right(times, self.hit.decided_at)

    def to_json(self) -> dict[str, Any]:
        """The row of the scorecard's ``incidents``."""
        incident, best = self.incident, self.best
        names = ("incident", "analytic", "behaviour", "twin_of", "device", "package")
        return {
            **self.trial.place(),
            **{name: getattr(incident, name) for name in names},
            "category": self.category,
            "start": rfc3339(incident.start),
            "end": rfc3339(incident.end),
            "contacts": incident.contacts,
            "verdict": self.verdict,
            "score": best.score if best else None,
            "severity": best.severity if best else None,
            "peer": best.peer if best else None,
            "decided_at": rfc3339(self.hit.decided_at) if self.hit else None,
            "time_to_detect_s": self.time_to_detect_s,
            "contacts_to_detect": self.contacts_to_detect,
            "duplicates": self.duplicates,
            "reasons": [vars(reason) for reason in best.reasons] if best else [],
        }


@dataclass(frozen=True)
class Stray:
    """A finding about no incident, alert or not: what it blames, and what that is in truth."""

    trial: TrialResult
    finding: Finding
    kind: str  # benign, cross, extra (lab.scoring.matching.Verdict); quiet below the threshold
    device: str  # inventory name where truth knows one
    category: str | None

    def to_json(self) -> dict[str, Any]:
        """The row of the scorecard's ``false_alarms``."""
        finding = self.finding
        names = ("analytic", "package", "peer", "severity", "score")
        return {
            **self.trial.place(),
            **{name: getattr(finding, name) for name in names},
            "device": self.device,
            "category": self.category,
            "kind": self.kind,
            "decided_at": rfc3339(finding.decided_at),
            "reasons": [vars(reason) for reason in finding.reasons],
        }


def outcomes(trial: TrialResult) -> tuple[list[Outcome], list[Stray]]:
    """The outcome of every incident judged, in truth's order, and the findings left over, by time of decision.

    What may speak of a merged recording's background is not among them: see ``unscorable``.
    """
    truth, verdicts = _judged(trial)
    about: dict[str, list[Verdict]] = {incident.incident: [] for incident in truth.incidents}
    for verdict in verdicts:
        if verdict.incident is not None:
            about[verdict.incident.incident].append(verdict)
    judged = [incident for incident in truth.incidents if incident.analytic in trial.judged]
    met = [_outcome(trial, incident, about[incident.incident]) for incident in judged]
    left = [verdict for verdict in verdicts if verdict.incident is None and verdict.kind != BACKGROUND]
    return met, [_stray(trial, truth, verdict) for verdict in left]


def unscorable(trial: TrialResult) -> list[dict[str, Any]]:
    """A row for each analytic with alerts that may speak of a merged recording's background: how many, on how many.

    Nobody knows whether they are right. They are no false alarms, and rank nowhere.
    """
    if trial.truth is None or trial.truth.background is None:
        return []
    truth, verdicts = _judged(trial)
    alerts = [verdict.finding for verdict in verdicts if verdict.kind == BACKGROUND and verdict.finding.alert]
    return [
        {
            **trial.place(),
            "analytic": analytic,
            "alerts": sum(one.analytic == analytic for one in alerts),
            "devices": len({device_name(one.device, truth) for one in alerts if one.analytic == analytic}),
        }
        for analytic in sorted({one.analytic for one in alerts})
    ]


def _judged(trial: TrialResult) -> tuple[Truth, list[Verdict]]:
    if trial.truth is None:
        raise ValueError(f"trial {trial.key}: scored without truth")
    return trial.truth, judge(trial.truth, trial.findings, trial.view)


def category_of(truth: Truth, device: str, package: str | None) -> str | None:
    """The category of an app in truth; None if the sensor did not know the app or truth does not."""
    return truth.packages[device, package][1] if package and (device, package) in truth.packages else None


def _outcome(trial: TrialResult, incident: TruthIncident, verdicts: list[Verdict]) -> Outcome:
    hit = next((verdict.finding for verdict in verdicts if verdict.kind == "hit"), None)
    best = max((verdict.finding for verdict in verdicts), key=lambda one: (one.score, one.alert), default=None)
    repeats = sum(verdict.kind == "duplicate" for verdict in verdicts)
    assert trial.truth is not None
    return Outcome(trial, incident, category_of(trial.truth, incident.device, incident.package), hit, best, repeats)


def _stray(trial: TrialResult, truth: Truth, verdict: Verdict) -> Stray:
    device = device_name(verdict.finding.device, truth)
    category = category_of(truth, device, verdict.finding.package)
    return Stray(trial, verdict.finding, verdict.kind, device, category)
