"""Thresholds swept exactly: alarms that count once, the lowest threshold within a budget, precision over recall.

Pure arithmetic over columns. A unit of alarm is (device, app, destination) or (device, app, day): however often it is
raised it is one. An incident counts once, by its best score; without any finding its score is minus infinity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
NEVER = -math.inf
OUTER = (2.5, 97.5)  # percentiles of a 95 % interval


@dataclass(frozen=True)
class Ranked:
    """What one detector says, one row a unit: m incidents and n units of alarm about the innocent, each with the device it is on.

    ``device`` are numbers of (scenario, seed, device), the unit of the bootstrap.
    """

    found: Float64  # (m,) best score of each incident
    found_device: Int64
    alarms: Float64  # (n,) best score of each unit that is no incident
    alarms_device: Int64
    device_days: float
    guilty: Float64 = field(default_factory=lambda: np.zeros(0))  # alarms about the apps of incidents: counted apart

    def recall(self, threshold: float) -> float | None:
        """The share of incidents at or above the threshold; None of nothing."""
        return float((self.found >= threshold).mean()) if len(self.found) else None

    def false_alarms(self, threshold: float) -> int:
        """Units of alarm about the innocent at or above the threshold."""
        return int((self.alarms >= threshold).sum())


def best_of(unit: Int64, score: Float64) -> tuple[Int64, Float64]:
    """The distinct units, ascending, and the best score of each.

    >>> [part.tolist() for part in best_of(np.array([4, 2, 4]), np.array([0.1, 0.5, 0.3]))]
    [[2, 4], [0.5, 0.3]]
    """
    distinct, place = np.unique(unit, return_inverse=True)
    best = np.full(len(distinct), NEVER)
    np.maximum.at(best, place, score)
    return distinct, best


def threshold_within(ranked: Ranked, budget: float) -> float:
    """The lowest threshold with at most ``budget`` alarms a device-day: between the last one too many and the next.

    Half way to the next higher score of anybody, so that a hair of difference in another cast alarms no more than here;
    where every alarm is affordable, the lowest score there is. Infinity if even the best of all is one alarm too many
    and nothing is above it.

    >>> made = Ranked(np.array([0.9, 0.4]), np.array([0, 1]), np.array([0.5, 0.3]), np.array([2, 3]), 1_000.0)
    >>> threshold_within(made, 0.001), threshold_within(made, 0.0)
    (0.35, 0.7)
    """
    allowed = math.floor(budget * ranked.device_days + 1e-9)
    worst_first = np.sort(ranked.alarms[ranked.alarms > NEVER])[::-1]
    return _beyond(np.concatenate([ranked.found[ranked.found > NEVER], worst_first]), worst_first, allowed)


def average_precision(ranked: Ranked, weight: Float64 | None = None) -> float | None:
    """Area under precision over recall, step-wise, ties one step (lab.scoring.ranking); None without incidents.

    ``weight``: how often each device counts, by its number; once where it is not given.
    """
    ones = np.ones(1 + max([-1, *ranked.found_device.tolist(), *ranked.alarms_device.tolist()]))
    of = ones if weight is None else weight
    relevant = float(of[ranked.found_device].sum())
    if not relevant:
        return None
    said = ranked.found > NEVER
    heard = ranked.alarms > NEVER
    scores = np.concatenate([ranked.found[said], ranked.alarms[heard]])
    mass = np.concatenate([of[ranked.found_device[said]], of[ranked.alarms_device[heard]]])
    hit = np.concatenate([np.ones(int(said.sum())), np.zeros(int(heard.sum()))])
    return _area(scores, mass, hit, relevant)


def _area(scores: Float64, mass: Float64, hit: Float64, relevant: float) -> float:
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    hits, seen = (np.cumsum(part)[last] for part in ((mass * hit)[order], mass[order]))
    return float((np.diff(hits, prepend=0.0) * hits / np.maximum(seen, 1e-12)).sum() / relevant)


def bootstrap(ranked: Ranked, draws: int, rng: np.random.Generator) -> tuple[float, float] | None:
    """The 95 % interval of average precision over draws of devices; None without incidents."""
    devices = np.unique(np.concatenate([ranked.found_device, ranked.alarms_device]))
    if not len(ranked.found):
        return None
    found, alarms = (np.searchsorted(devices, part) for part in (ranked.found_device, ranked.alarms_device))
    dense = Ranked(ranked.found, found, ranked.alarms, alarms, ranked.device_days)
    weights = rng.multinomial(len(devices), np.full(len(devices), 1 / len(devices)), size=draws).astype(np.float64)
    drawn = [average_precision(dense, one) for one in weights]
    known = [one for one in drawn if one is not None]
    low, high = np.percentile(known, OUTER)
    return float(low), float(high)


def joint_thresholds(found: Float64, alarms: Float64, allowed: int) -> tuple[float, float]:
    """The pair of thresholds of two scores, either of which alarms, that finds most with at most ``allowed`` alarms.

    ``found`` (m, 2) the best scores of each incident, ``alarms`` (n, 2) of each unit. Exact: of the alarms that may be
    spent each number is tried on the first score, and what is left on the second among the units not spent on. Of
    equals the pair that leaves more room to the first. Thresholds stand half way to the next higher score.

    >>> joint_thresholds(np.array([[0.9, 0.0], [0.0, 0.8]]), np.array([[0.5, 0.1], [0.2, 0.6]]), 0)
    (0.7, 0.7)
    """
    best, chosen = -1, (math.inf, math.inf)
    first = np.sort(alarms[:, 0])[::-1]
    for spent in range(min(allowed, len(first)) + 1):
        one = _beyond(np.concatenate([found[:, 0], alarms[:, 0]]), first, spent)
        left = alarms[alarms[:, 0] < one]
        second = np.sort(left[:, 1])[::-1]
        over = int((alarms[:, 0] >= one).sum())
        two = _beyond(np.concatenate([found[:, 1], alarms[:, 1]]), second, allowed - over)
        hits = int(((found[:, 0] >= one) | (found[:, 1] >= two)).sum())
        if hits > best:
            best, chosen = hits, (one, two)
    return chosen


def _beyond(every: Float64, worst_first: Float64, allowed: int) -> float:
    """The threshold half way between the first alarm that is one too many and the next higher score of anybody."""
    if allowed >= len(worst_first):
        return float(every.min()) if len(every) else math.inf
    bar = float(worst_first[allowed])
    above = every[every > bar]
    return float((bar + above.min()) / 2) if len(above) else math.inf
