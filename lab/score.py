"""Truth and findings in, a scorecard out: every number the report prints is made here.

Never to be added here: a file, a clock, a detector, a threshold. What cannot be computed is None with its n
beside it, never 0 and never NaN. A trial that failed or was unsupported has no score, and is counted as such.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from detector.contract import ANALYTICS, SCHEMA_VERSION, Advance
from lab.scoring.blindness import blind_spots
from lab.scoring.controls import CONTROLS, KNOWING
from lab.scoring.curves import rising
from lab.scoring.easiness import too_easy
from lab.scoring.intervals import poisson_rate, wilson
from lab.scoring.ledger import judgements, played
from lab.scoring.outcomes import STATUSES, Outcome, Stray, TrialResult, outcomes, unscorable
from lab.scoring.ranking import average_precision, precision_recall, quantile, recall_within
from lab.scoring.refusal import refusal
from lab.scoring.separability import separability

__all__ = ["CONTROLS", "KNOWING", "LISTED_AT_MOST", "Scorecard", "TrialResult", "refusal", "score"]

#: False alarms written out per detector, view and analytic (the highest scores); the counts are always of all.
LISTED_AT_MOST = 200

#: What is said of the alarms of an analytic that no trial could judge: not that there were none.
NOT_JUDGED = {"false_alarms": None, "false_alarms_per_device_day": None, "fa_ci": None}

Row = Mapping[str, Any]
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Scorecard:
    """The measured result of a suite: plain JSON values, DESIGN section 11."""

    suite: str
    seeds: int
    budget: float  # false alarms per device-day that the reader is willing to pay
    trials: dict[str, int]
    unscored: tuple[Row, ...]
    detectors: Mapping[str, Row]
    incidents: tuple[Row, ...]
    false_alarms: tuple[Row, ...]
    blind_spots: tuple[Row, ...]
    separability: tuple[Row, ...]
    suite_too_easy: tuple[Row, ...] = ()
    held_out: tuple[str, ...] = ()  # scenarios of these trials by which nothing may be tuned
    setting: Mapping[str, float] = field(default_factory=dict)  # lab.running.run.SETTING: as far as a run was asked so
    played: tuple[Row, ...] = ()  # each incident once, with its settings
    judgements: tuple[Row, ...] = ()  # what each scored trial cost, for each analytic
    background: tuple[Row, ...] = ()  # alerts on what merged recordings held before: neither right nor wrong
    boundary: tuple[Row, ...] = ()  # where a setting was turned: how much is found in each cell
    evidence: Mapping[str, Any] = field(default_factory=dict)  # what was scored: software, scenarios, recordings

    @property
    def refusal(self) -> str | None:
        """Why this run is no evidence, in words; None if it is."""
        return refusal(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """The object of scorecard.json."""
        return {
            "schema_version": SCHEMA_VERSION,
            "suite": self.suite,
            "seeds": self.seeds,
            "budget_per_device_day": self.budget,
            **self.setting,
            "trials": dict(self.trials),
            "held_out": list(self.held_out),
            "unscored": list(self.unscored),
            "detectors": dict(self.detectors),
            "incidents": list(self.incidents),
            "false_alarms": list(self.false_alarms),
            "blind_spots": list(self.blind_spots),
            "separability": list(self.separability),
            "suite_too_easy": list(self.suite_too_easy),
            "played": list(self.played),
            "judgements": list(self.judgements),
            **({"background": list(self.background)} if self.background else {}),
            **({"boundary": list(self.boundary)} if self.boundary else {}),
            "evidence": dict(self.evidence),
        }


@dataclass(frozen=True)
class _Cell:
    """All trials of one detector under one view, and what came of the scored ones."""

    trials: Sequence[TrialResult]
    met: Sequence[Outcome]
    strays: Sequence[Stray]
    device_days: float

    def judging(self, analytic: str) -> list[TrialResult]:
        """The scored trials in which the detector could judge that analytic."""
        return [one for one in self.trials if one.status == "scored" and analytic in one.judged]


def score(
    trials: Sequence[TrialResult], *, suite: str, seeds: int, budget: float, advance: Advance = lambda _d, _t: None
) -> Scorecard:
    """The scorecard of these trials, whatever their order; ValueError on a trial given twice or of no known status."""
    ordered = sorted(trials, key=lambda trial: trial.key)
    _check(ordered)
    groups = _grouped(ordered, lambda one: (one.detector, one.view))
    cells, detectors = {}, dict[str, dict[str, Any]]()
    for done, (key, group) in enumerate(groups.items()):
        advance(done, len(groups))
        (name, view), cell = key, _cell(group)
        cells[key] = cell
        detectors.setdefault(name, {"views": {}})["views"][view] = _view_score(cell, budget)
    return Scorecard(
        suite=suite,
        seeds=seeds,
        budget=budget,
        trials=_statuses(ordered),
        unscored=tuple(
            {**one.place(), "status": one.status, "reason": one.reason} for one in ordered if one.status != "scored"
        ),
        detectors=detectors,
        incidents=tuple(outcome.to_json() for cell in cells.values() for outcome in cell.met),
        false_alarms=tuple(row for cell in cells.values() for row in _listed(cell.strays)),
        blind_spots=tuple(
            row
            for key, cell in cells.items()
            if key[0] not in CONTROLS
            for row in blind_spots(*key, cell.met, cell.trials)
        ),
        separability=tuple(row for key, cell in cells.items() for row in separability(*key, cell.met, cell.trials)),
        suite_too_easy=tuple(too_easy(detectors, KNOWING, CONTROLS)),
        held_out=tuple(sorted({one.scenario for one in ordered if one.held_out})),
        played=tuple(played(ordered)),
        background=tuple(row for one in ordered if one.status == "scored" for row in unscorable(one)),
        judgements=tuple(row for cell in cells.values() for row in judgements(cell.trials, cell.strays)),
    )


def _check(ordered: Sequence[TrialResult]) -> None:
    for trial in ordered:
        if trial.status not in STATUSES:
            raise ValueError(f"trial {trial.key}: found status {trial.status!r}, expected one of {', '.join(STATUSES)}")
        if trial.status == "scored" and (beyond := {one.analytic for one in trial.findings} - {*trial.judged}):
            raise ValueError(f"trial {trial.key}: findings of {', '.join(sorted(beyond))}, which it did not judge")
    twice = [key for key, count in Counter(trial.key for trial in ordered).items() if count > 1]
    if twice:
        raise ValueError(f"trials given twice: {twice[:3]}")


def _cell(trials: Sequence[TrialResult]) -> _Cell:
    scored = [trial for trial in trials if trial.status == "scored"]
    results = [outcomes(trial) for trial in scored]
    met = [outcome for some, _ in results for outcome in some]
    strays = [stray for _, some in results for stray in some]
    return _Cell(trials, met, strays, _device_days(scored))


def _device_days(trials: Iterable[TrialResult]) -> float:
    return math.fsum(trial.truth.device_days for trial in trials if trial.truth)


def _statuses(trials: Iterable[TrialResult]) -> dict[str, int]:
    counts = Counter(trial.status for trial in trials)
    return {status: counts[status] for status in STATUSES}


def _view_score(cell: _Cell, budget: float) -> dict[str, Any]:
    """One view of one detector; analytics without a scored trial are absent, because nothing is known of them."""
    statuses = _statuses(cell.trials)
    analytics = {one: _analytic_score(cell, one, budget) for one in ANALYTICS} if statuses["scored"] else {}
    return {"trials": statuses, "device_days": cell.device_days, "analytics": analytics}


def _analytic_score(cell: _Cell, analytic: str, budget: float) -> dict[str, Any]:
    """One analytic; where no trial could judge it every metric is None, with ``trials`` saying how many those were."""
    judging = cell.judging(analytic)
    days = _device_days(judging)
    met = [outcome for outcome in cell.met if outcome.incident.analytic == analytic]
    strays = [stray for stray in cell.strays if stray.finding.analytic == analytic]
    alarms = [stray for stray in strays if stray.finding.alert]
    ranked = [(outcome.best.score, True) for outcome in met if outcome.best]
    ranked += [(stray.finding.score, False) for stray in strays]
    return {
        "trials": _judgements(cell, len(judging)),
        **_recall(met),
        **(_alarm_rate(alarms, days) if judging else NOT_JUDGED),
        "device_days": days,
        "false_alarms_listed": min(len(alarms), LISTED_AT_MOST),
        "duplicates": sum(outcome.duplicates for outcome in met),
        "pr_auc": average_precision(ranked, len(met)),
        "pr_curve": [vars(point) for point in rising(precision_recall(ranked, len(met)))],
        "recall_at_budget": recall_within(ranked, len(met), math.floor(budget * days)),
        **_delays(met),
        "by_behaviour": {
            name: {**_recall(some), **_delays(some)}
            for name, some in sorted(_grouped(met, lambda one: one.incident.behaviour).items())
        },
        "by_category": _by_category(met, alarms, days),
    }


def _judgements(cell: _Cell, judging: int) -> dict[str, int]:
    """The statuses of the trials for one analytic: to be scored a trial must have judged it."""
    counts = _statuses(cell.trials)
    return {**counts, "scored": judging, "unsupported": counts["unsupported"] + counts["scored"] - judging}


def _recall(met: Sequence[Outcome]) -> dict[str, Any]:
    """Recall over all incidents; ``unseen`` are those among the undetected that the view does not show at all."""
    hits = sum(outcome.hit is not None for outcome in met)
    interval = wilson(hits, len(met))
    return {
        "incidents": len(met),
        "detected": hits,
        "unseen": sum(outcome.verdict == "unseen" for outcome in met),
        "recall": hits / len(met) if met else None,
        "recall_ci": list(interval) if interval else None,
    }


def _alarm_rate(alarms: Sequence[Stray], device_days: float) -> dict[str, Any]:
    interval = poisson_rate(len(alarms), device_days)
    return {
        "false_alarms": len(alarms),
        "false_alarms_per_device_day": len(alarms) / device_days if device_days > 0 else None,
        "fa_ci": list(interval) if interval else None,
    }


def _delays(met: Sequence[Outcome]) -> dict[str, Any]:
    """Quantiles over the detected only; n says how many those are, the missed ones are in ``incidents``."""
    times = [time for outcome in met if (time := outcome.time_to_detect_s) is not None]
    contacts = [count for outcome in met if (count := outcome.contacts_to_detect) is not None]
    return {"time_to_detect_s": _quantiles(times), "contacts_to_detect": _quantiles(contacts)}


def _quantiles(values: Sequence[float]) -> dict[str, Any]:
    return {"p50": quantile(values, 0.5), "p90": quantile(values, 0.9), "n": len(values)}


def _by_category(met: Sequence[Outcome], alarms: Sequence[Stray], device_days: float) -> dict[str, Any]:
    hidden = "unknown"  # the sensor does not tell apps apart
    incidents = _grouped(met, lambda one: one.category or hidden)
    blamed = _grouped(alarms, lambda one: one.category or hidden)
    return {
        name: {**_recall(incidents.get(name, [])), **_alarm_rate(blamed.get(name, []), device_days)}
        for name in sorted({*incidents, *blamed})
    }


def _listed(strays: Sequence[Stray]) -> list[dict[str, Any]]:
    rows = []
    alarms = [stray for stray in strays if stray.finding.alert]
    for _, some in sorted(_grouped(alarms, lambda one: one.finding.analytic).items()):
        best = sorted(some, key=lambda one: -one.finding.score)[:LISTED_AT_MOST]
        rows += [stray.to_json() for stray in best]
    return rows


def _grouped(rows: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)
