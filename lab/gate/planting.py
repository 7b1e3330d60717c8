"""Regressions of a detector, planted in what it said: each changes findings as a real fault would. Pure.

A planting knows which incident it spoils, or which scenario it makes noisy: the gate has to break and to name it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from detector.contract import Finding
from lab.scoring.controls import CONTROLS
from lab.scoring.matching import matches
from lab.scoring.outcomes import Outcome, TrialResult, outcomes

Change = Callable[[Finding], tuple[Finding, ...]]
NOBODY = "com.example.nobody"
NOWHERE = "nowhere.example"


@dataclass(frozen=True)
class Planted:
    """A spoiled run: what was done to it, the incident or app that must be named, and where it was played."""

    kind: str
    trials: tuple[TrialResult, ...]
    name: str
    scenario: str
    seed: int


@dataclass(frozen=True)
class Target:
    """A detected incident: what is spoiled."""

    trial: TrialResult
    outcome: Outcome

    def about(self, finding: Finding) -> bool:
        """Whether a finding speaks of it."""
        truth = self.trial.truth
        assert truth is not None
        return matches(finding, self.outcome.incident, truth, self.trial.view)


def targets(trials: Sequence[TrialResult]) -> list[Target]:
    """Every incident that a detector under test detected."""
    tested = [one for one in trials if one.status == "scored" and one.detector not in CONTROLS]
    return [Target(trial, one) for trial in tested for one in outcomes(trial)[0] if one.hit]


def plant(kind: str, trials: Sequence[TrialResult], target: Target) -> Planted:
    """The trials with a regression of that kind; LookupError names the known kinds."""
    if kind not in KINDS:
        raise LookupError(f"unknown regression '{kind}': known are {', '.join(KINDS)}")
    spoiled, name = KINDS[kind](trials, target)
    return Planted(kind, tuple(spoiled), name, target.trial.scenario, target.trial.seed)


Spoiler = Callable[[Sequence[TrialResult], Target], tuple[list[TrialResult], str]]


def _one(change: Change) -> Spoiler:
    """What happens to the findings about the target alone."""

    def spoil(trials: Sequence[TrialResult], target: Target) -> tuple[list[TrialResult], str]:
        return _changed(trials, target, target.about, change, lambda one: one.key == target.trial.key)

    return spoil


def _all(same: Callable[[Target, Finding], bool]) -> Spoiler:
    """No finding like the target's is made any more, in any trial of that detector and view."""

    def spoil(trials: Sequence[TrialResult], target: Target) -> tuple[list[TrialResult], str]:
        return _changed(trials, target, lambda one: same(target, one), _silent, lambda one: _alike(one, target))

    return spoil


def _alike(trial: TrialResult, target: Target) -> bool:
    return (trial.detector, trial.view) == (target.trial.detector, target.trial.view)


def _changed(
    trials: Sequence[TrialResult],
    target: Target,
    which: Callable[[Finding], bool],
    change: Change,
    where: Callable[[TrialResult], bool],
) -> tuple[list[TrialResult], str]:
    spoiled = [
        replace(one, findings=tuple(new for old in one.findings for new in (change(old) if which(old) else (old,))))
        if where(one)
        else one
        for one in trials
    ]
    return spoiled, target.outcome.incident.incident


def _silent(_: Finding) -> tuple[Finding, ...]:
    return ()


def _behaviour_lost(trials: Sequence[TrialResult], target: Target) -> tuple[list[TrialResult], str]:
    kind = target.outcome.incident.behaviour
    spoiled = []
    for one in trials:
        mine = (
            [each for each in targets([one]) if each.outcome.incident.behaviour == kind] if _alike(one, target) else []
        )
        kept = tuple(found for found in one.findings if not any(each.about(found) for each in mine))
        spoiled.append(replace(one, findings=kept))
    return spoiled, target.outcome.incident.incident


def _late(trials: Sequence[TrialResult], target: Target) -> tuple[list[TrialResult], str]:
    """Every finding of the analytic comes at the end of what was watched."""
    analytic = target.outcome.incident.analytic
    spoiled = []
    for one in trials:
        if not _alike(one, target) or one.truth is None:
            spoiled.append(one)
            continue
        end = one.truth.start + one.truth.span
        moved = [
            replace(found, decided_at=max(found.decided_at, end)) if found.analytic == analytic else found
            for found in one.findings
        ]
        spoiled.append(replace(one, findings=tuple(moved)))
    return spoiled, target.outcome.incident.incident


def _noisy(trials: Sequence[TrialResult], target: Target) -> tuple[list[TrialResult], str]:
    """One alert more, about an app that does nothing."""
    return _with_more(trials, target, 1)


def _swarm(trials: Sequence[TrialResult], target: Target) -> tuple[list[TrialResult], str]:
    """Many alerts more, about as many peers of an app that does nothing."""
    return _with_more(trials, target, 25)


def _with_more(trials: Sequence[TrialResult], target: Target, many: int) -> tuple[list[TrialResult], str]:
    hit = target.outcome.hit
    assert hit is not None
    more = tuple(
        replace(hit, package=NOBODY, uid=19_999, peer=f"{number}.{NOWHERE}", score=1.0, alert=True)
        for number in range(many)
    )
    key = target.trial.key
    return [replace(one, findings=(*one.findings, *more)) if one.key == key else one for one in trials], NOBODY


def _misnamed(finding: Finding) -> tuple[Finding, ...]:
    return (replace(finding, package=NOBODY, uid=19_999, peer=NOWHERE),)


def _unsure(finding: Finding) -> tuple[Finding, ...]:
    return (replace(finding, alert=False, score=finding.score / 2),)


def _stale(finding: Finding) -> tuple[Finding, ...]:
    """About a time before anything happened."""
    before = finding.first_seen - 30 * 86_400_000_000
    return (replace(finding, first_seen=before, last_seen=before + 1),)


def _same_device(target: Target, finding: Finding) -> bool:
    truth = target.trial.truth
    assert truth is not None
    return truth.device_name(finding.device) == target.outcome.incident.device


KINDS: Mapping[str, Spoiler] = {
    "one incident is no longer found": _one(_silent),
    "one finding falls below its threshold": _one(_unsure),
    "one finding blames another app": _one(_misnamed),
    "one finding speaks of another time": _one(_stale),
    "a behaviour is no longer found": _behaviour_lost,
    "an analytic is silent": _all(lambda target, found: found.analytic == target.outcome.incident.analytic),
    "a device is overlooked": _all(_same_device),
    "everything is found at the very end": _late,
    "one false alarm more": _noisy,
    "a swarm of false alarms": _swarm,
}
