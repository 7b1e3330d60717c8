"""Tuning from end to end: a suite is played, the detector looks, its knobs are chosen, written and tried out.

Families held out are not played. What cannot be supported by the device-days at hand is refused: before anything is
played where that is already plain, and never answered with a number that looks like one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from detector.contract import Configuration, Detector, Origin, Tunable, detector_names
from detector.contract import detector as detector_named
from lab.authoring.held_out import held_out
from lab.authoring.plans import Scenario
from lab.errors import EvidenceError, ScenarioError, Unsupported
from lab.recording import droidrange_version, write_atomic
from lab.running.extent import DAY
from lab.running.phase import Phase, in_silence
from lab.running.run import load_run
from lab.running.trial import Plan, run_suite
from lab.scenario import enlarged
from lab.scoring.matching import APPLESS
from lab.scoring.outcomes import TrialResult, outcomes
from lab.tuning.gathering import evidence
from lab.tuning.nested import seed_folds
from lab.tuning.result import Tuned, Tuning, tuned
from lab.tuning.sweep import Tally

SEEDS = 4  # where none are asked for
NONE_SEEN = 3.689  # the upper end of the exact 95 % interval of a count of 0 (Garwood, 1936)
LEAST_SEEDS = 2  # a threshold is judged on casts that it was not chosen by


@dataclass(frozen=True)
class Alone(Plan):
    """A plan of one detector without the controls, asked for no reasons: nothing of these is tuned or shown."""

    explained: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The detectors asked for."""
        return tuple(dict.fromkeys(self.detectors))


@dataclass(frozen=True)
class Wish:
    """What is asked for: a plan of the whole suite, of which families held out are taken, and where it goes."""

    plan: Plan
    folder: Path
    out: Path | None
    today: str  # of the note in the configuration
    held: tuple[str, ...] = ()  # of the suite, and not played
    phase: Phase = in_silence


def planned(
    scenarios: Sequence[Scenario], budget: float, seeds: int | None, devices: int | None
) -> tuple[tuple[Scenario, ...], int, int]:
    """The scenarios that may be tuned on, as large as asked for; how many seeds; how many phones each, 0: as written.

    Where neither seeds nor devices are asked for, as many phones as the budget needs. ScenarioError for a budget of
    nothing, too few seeds or a suite that is held out whole; EvidenceError where what was asked for cannot support it.
    """
    if not budget > 0:
        raise ScenarioError(
            [f"--budget: found {budget:g}, expected above 0: no number of device-days shows none at all"]
        )
    fit = [one for one in scenarios if one.name not in held_out()]
    if not fit:
        raise ScenarioError([f"nothing to tune on: {', '.join(one.name for one in scenarios)}: all of it is held out"])
    many = seeds or SEEDS
    if many < LEAST_SEEDS:
        raise ScenarioError(
            [f"--seeds: found {many}, expected {LEAST_SEEDS} or more: a threshold is judged on other casts"]
        )
    if seeds is None and devices is None and _days(fit, many) < 1 / budget:
        devices = _phones(fit, many, budget)
    large = enlarged(fit, devices)
    if (days := _days(large, many)) < 1 / budget:
        raise EvidenceError(_too_few(fit, days, budget, many))
    return large, many, devices or 0


def _days(scenarios: Sequence[Scenario], seeds: int) -> float:
    return seeds * sum(one.devices * one.span for one in scenarios) / DAY


def _phones(scenarios: Sequence[Scenario], seeds: int, budget: float) -> int:
    return math.ceil(1 / budget / (seeds * sum(one.span for one in scenarios) / DAY) - 1e-9)


def _too_few(scenarios: Sequence[Scenario], days: float, budget: float, seeds: int) -> str:
    """What device-days there would be, what they can say, and what would do."""
    more = max(math.ceil(1 / budget / _days(scenarios, 1) - 1e-9), LEAST_SEEDS)
    return (
        f"{days:,.0f} device-days cannot support a budget of {budget:g} false alarms per device-day: a single one "
        f"in them is {1 / days:.3g}, and seeing none leaves up to {NONE_SEEN / days:.2g} possible. At least "
        f"{1 / budget:,.0f} are needed: ask for --seeds {more:,}, or for --seeds {seeds} --devices "
        f"{_phones(scenarios, seeds, budget):,}, or for a larger suite"
    )


def tune(wish: Wish) -> Tuning:
    """Plays, looks, chooses, writes and tries out what was written.

    Raises LookupError for a detector without a knob; EvidenceError where a trial failed, or no knob could be set.
    """
    plan = wish.plan
    (name,) = plan.detectors
    detector = knobbed(name)
    trials = _looked(wish, plan, f"tune {name}")
    folds, parted = seed_folds(plan.seeds), plan.views[0] not in APPLESS
    with wish.phase("sweep"):
        done = tuple(
            tuned(evidence(trials, detector, knob, folds, parted=parted), knob, folds, plan.budget)
            for knob in detector.knobs
        )
    found = Tuning(
        detector=name,
        suite=plan.suite,
        view=plan.views[0],
        stage=plan.stage,
        seeds=plan.seeds,
        scenarios=tuple(one.name for one in plan.scenarios),
        left_out=wish.held,
        budget=plan.budget,
        knobs=done,
    )
    if not found.values:
        raise EvidenceError(f"{name} cannot be tuned on this: " + "; ".join(_why(one) for one in done))
    origin = Origin(
        _split(found, plan), wish.today, plan.seeds, plan.budget, round(max(one.device_days for one in done), 3)
    )
    found = _written(found, detector.tuned(found.values, origin), wish)
    return replace(found, confirmed=_confirmed(wish, found))


class Knobbed(Detector, Tunable, Protocol):
    """A detector that can be tuned."""


def knobbed(name: str) -> Knobbed:
    """The detector of that name; LookupError, with those that have one, where it has no knob."""
    one = detector_named(name)
    if not isinstance(one, Tunable) or not one.knobs:
        able = ", ".join(known for known in detector_names() if _has_knobs(known))
        raise LookupError(f"detector {name}: found no knob, nothing of it can be tuned; those with one are {able}")
    return one


def _has_knobs(name: str) -> bool:
    try:
        one = detector_named(name)
    except (Unsupported, LookupError):
        return False
    return isinstance(one, Tunable) and bool(one.knobs)


def _looked(wish: Wish, plan: Plan, title: str) -> list[TrialResult]:
    """The trials of a plan; EvidenceError if one failed or none was scored."""
    with wish.phase(title) as advance:
        run_suite(plan, wish.folder, progress=advance)
    with wish.phase("read findings") as advance:
        trials = load_run(wish.folder, advance)
    failed = [one for one in trials if one.status == "failed"]
    if failed:
        first = f"{failed[0].scenario}, seed {failed[0].seed}: {failed[0].reason}"
        raise EvidenceError(f"no evidence to tune by: {len(failed)} of {len(trials)} trials failed ({first})")
    if not any(one.status == "scored" for one in trials):
        raise EvidenceError(f"no evidence to tune by: no trial was scored ({trials[0].reason})")
    return trials


def _why(one: Tuned) -> str:
    return f"{one.knob.name}: {one.refused}"


def _split(found: Tuning, plan: Plan) -> str:
    learned = f", {plan.past.learn / DAY:g} days learned before" if plan.past else ""
    phones = f", {plan.devices} phones each" if plan.devices else ""
    made = f"droidrange {droidrange_version()} tune: {len(plan.scenarios)} scenarios of suite {plan.suite}"
    return f"{made}, view {found.view}, stage {plan.stage}{phones}{learned}; families held out were not played"


def _written(found: Tuning, made: Configuration, wish: Wish) -> Tuning:
    """The configuration in a file of its own form; an argument in one that holds what --detector is given."""
    path = wish.out or wish.folder / f"tuned-{made.detector}{made.suffix}"
    content = made.spelled() + "\n" if made.content is None else made.content
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content.encode())
    return replace(found, use=made.spelled(path), written=str(path))


def _confirmed(wish: Wish, found: Tuning) -> dict[str, Tally]:
    """What the tuned detector really does on the same recordings, by its own alerts."""
    trials = _looked(wish, replace(wish.plan, detectors=(found.use,)), f"try {found.use}")
    told = {}
    for analytic in (one.knob.analytic for one in found.knobs):
        mine = [one for one in trials if one.status == "scored" and analytic in one.judged]
        both = [outcomes(one) for one in mine]
        met = [one for some, _ in both for one in some if one.incident.analytic == analytic]
        wrong = sum(one.finding.alert and one.finding.analytic == analytic for _, some in both for one in some)
        days = math.fsum(one.truth.device_days for one in mine if one.truth)
        told[analytic] = Tally(sum(one.hit is not None for one in met), len(met), wrong, days)
    return told
