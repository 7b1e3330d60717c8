"""Weights and thresholds of AN1793 from the groups of the calibration side, and how well they do on other apps.

The points' weights are fitted, then both scores' thresholds are swept at the budget; the product's weights, made by
hand, stay. Everything is done again on four fifths of the packages and judged on the last, so that the gap is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detector.analytics.polling_score import scored, weighted_mean
from detector.thresholds import PollingThresholds
from tests.bench.detection.fit import Fitted, fitted
from tests.bench.detection.groups import FOLDS, Float64, Groups, Int64
from tests.bench.detection.sweep import Ranked, average_precision, joint_thresholds

KEPT = math.inf  # the penalty so large that the weights stay as they were
PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, KEPT)
CLOSE = 0.01  # of the best average precision: there the larger penalty is taken
ROUNDS = 3  # what is unknown stands for half of what is known, by the weights: fitted anew with these
CERTAIN = 0.999999  # no threshold of a share is higher


@dataclass(frozen=True)
class Told:
    """How a setting does: incidents found of how many, units of alarm, device-days."""

    found: int
    of: int
    alarms: int
    device_days: float

    def __str__(self) -> str:
        share = f"{self.found / self.of:.2f}" if self.of else "-"
        rate = f"{1_000 * self.alarms / self.device_days:.2f}" if self.device_days else "-"
        return f"{share} ({self.found} of {self.of}), {self.alarms} false alarms, {rate} per 1,000 device-days"


@dataclass(frozen=True)
class Fold:
    """How limits made elsewhere do on the packages of one fold."""

    told: Told
    precision: float


def factors(groups: Groups, limits: PollingThresholds) -> Float64:
    """(g, k) what the points weigh: gate x evidence x factor, in the order of the weights' names; see polling_score."""
    made = scored(groups.columns, limits)
    gated = made.gate * made.evidence * (1 - made.relief)
    shape = {name: weight for name, weight in limits.points_weights.items() if name not in limits.anomaly_lift}
    mean = weighted_mean(groups.columns, {name: np.full(len(groups), weight) for name, weight in shape.items()})
    found = []
    for name in limits.points_weights:
        column = groups.columns[name]
        missing = np.zeros(len(groups)) if name in limits.anomaly_lift else mean / 2
        found.append(gated * np.where(np.isnan(column), missing, column))
    return np.column_stack(found)


def weighed(groups: Groups, limits: PollingThresholds, penalty: float) -> PollingThresholds:
    """The limits with the points' weights and resistance fitted to the groups, rounded as they will be written."""
    if penalty == KEPT:
        return limits
    for _ in range(ROUNDS):
        found = fitted(factors(groups, limits), groups.incident, penalty=penalty)
        weights = dict(zip(limits.points_weights, _rounded(found), strict=True))
        if not any(weights.values()):
            raise ValueError("weights: found none above 0, expected some: no factor tells incidents from the innocent")
        limits = replace(limits, points_weights=weights, points_resistance=max(0.0, round(-found.bias, 4)))
    return limits


def _rounded(found: Fitted) -> list[float]:
    return [round(float(weight), 4) for weight in found.weights]


def thresholds(
    groups: Groups, incidents: Sequence[int], limits: PollingThresholds, allowed: int, where: str
) -> PollingThresholds:
    """The limits with both scores' thresholds of ``where`` (baseline or no_baseline) swept."""
    made = scored(groups.columns, limits)
    pairs = [groups.best(score, incidents) for score in (made.product, made.points)]
    found, alarms = (np.column_stack([pair[k] for pair in pairs]) for k in (0, 1))
    both = [min(CERTAIN, max(1e-6, _six(one))) for one in joint_thresholds(found, alarms, allowed)]
    return replace(
        limits,
        product_threshold={**limits.product_threshold, where: both[0]},
        points_threshold={**limits.points_threshold, where: both[1]},
    )


def _six(value: float) -> float:
    return CERTAIN if math.isinf(value) else float(f"{value:.6g}")


def told(groups: Groups, incidents: Sequence[int], limits: PollingThresholds, device_days: float) -> Told:
    """How the limits do on some groups."""
    score = scored(groups.columns, limits).score
    found, alarms = groups.best(score, incidents)
    over = int((alarms >= limits.threshold).sum())
    return Told(int((found >= limits.threshold).sum()), len(incidents), over, device_days)


def folds(
    groups: Groups, incident_fold: Int64, limits: PollingThresholds, penalty: float, device_days: float, budget: float
) -> Iterator[Fold]:
    """How limits made on the other folds do on each; ``incident_fold`` (m,) the fold of every incident."""
    for fold in range(FOLDS):
        others = groups.taken(groups.fold != fold)
        if not (others.incident >= 0).any() or not (incident_fold == fold).any():
            continue
        theirs, mine = (np.flatnonzero(which).tolist() for which in (incident_fold != fold, incident_fold == fold))
        share = len(others) / max(1, len(groups))
        made = weighed(others, limits, penalty)
        made = thresholds(others, theirs, made, math.floor(budget * device_days * share + 1e-9), "baseline")
        left_out = groups.taken(groups.fold == fold)
        yield Fold(told(left_out, mine, made, device_days * (1 - share)), precision(left_out, mine, made))


def precision(groups: Groups, incidents: Sequence[int], limits: PollingThresholds) -> float:
    """Average precision of the points: incidents against units of alarm, whatever the thresholds."""
    found, alarms = groups.best(scored(groups.columns, limits).points, incidents)
    nobody = (np.zeros(len(found), np.int64), np.zeros(len(alarms), np.int64))
    return average_precision(Ranked(found, nobody[0], alarms, nobody[1], 1.0)) or 0.0


def chosen(tried: Mapping[float, Sequence[Fold]]) -> float:
    """The largest penalty whose average precision on packages left out is close to the best."""
    means = {penalty: float(np.mean([one.precision for one in folds])) for penalty, folds in tried.items() if folds}
    best = max(means.values(), default=0.0)
    return max((penalty for penalty, mean in means.items() if mean >= best - CLOSE), default=PENALTIES[-1])


@dataclass(frozen=True)
class Loud:
    """A group that a person should look at: an innocent that scores high, or a guilty one that does not."""

    score: float
    who: str
    columns: Mapping[str, float]

    def __str__(self) -> str:
        shown = (f"{name} {value:.2f}" for name, value in self.columns.items() if not math.isnan(value) and value)
        return f"{self.score:.3f} {self.who}: {', '.join(shown)}"


def loudest(groups: Groups, limits: PollingThresholds, count: int) -> list[Loud]:
    """The innocent units that score most, one group each, loudest first."""
    score = np.where(groups.incident < 0, scored(groups.columns, limits).score, -1.0)
    order = np.argsort(-score, kind="stable")
    _, first = np.unique(groups.unit[order], return_index=True)
    return [_loud(groups, limits, score, k) for k in order[np.sort(first)[:count]].tolist()]


def missed(groups: Groups, limits: PollingThresholds) -> list[Loud]:
    """The best group of each incident below the threshold, lowest first; those without any group are not here."""
    score = np.where(groups.incident >= 0, scored(groups.columns, limits).score, -1.0)
    order = np.argsort(-score, kind="stable")
    _, first = np.unique(groups.incident[order], return_index=True)
    best = [k for k in order[first].tolist() if groups.incident[k] >= 0 and score[k] < limits.threshold]
    return [_loud(groups, limits, score, k) for k in sorted(best, key=lambda k: float(score[k]))]


def _loud(groups: Groups, limits: PollingThresholds, score: Float64, group: int) -> Loud:
    names = dict.fromkeys(("contacts", "gate", *limits.points_weights, *limits.product_weights, *limits.anomaly_lift))
    return Loud(float(score[group]), groups.who[group], {name: float(groups.columns[name][group]) for name in names})


def summed(parts: Sequence[Told]) -> Told:
    """Several parts as one."""
    return Told(
        sum(one.found for one in parts),
        sum(one.of for one in parts),
        sum(one.alarms for one in parts),
        math.fsum(one.device_days for one in parts),
    )


def removed(limits: PollingThresholds, name: str) -> PollingThresholds:
    """The limits without one factor, in both scores and among the anomalies."""
    return replace(
        limits,
        points_weights=_without(limits.points_weights, name),
        product_weights=_without(limits.product_weights, name),
        anomaly_lift=_without(limits.anomaly_lift, name),
    )


def _without(weights: Mapping[str, float], name: str) -> dict[str, float]:
    return {one: 0.0 if one == name else weight for one, weight in weights.items()}
