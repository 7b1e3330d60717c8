"""Thresholds swept exactly: of all that keep a budget of false alarms the one that finds most, and how sure that is.

Pure arithmetic over columns. Nothing is tried on a grid: between two neighbouring scores no threshold differs from
another, so that the distinct scores are all there is to try.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
NEVER = -math.inf
DRAWS = 1000
AT_ONCE = 50  # draws of the bootstrap that are held in memory
PERCENTILES = (2.5, 97.5)
BELOW = 1 - 2e-6  # scores are told with six decimals: a threshold stands below the one that was rounded up
DIGITS = 6  # significant ones of a threshold, where so few tell its neighbours apart


@dataclass(frozen=True)
class Rows:
    """n things that are said: the highest setting at which each is an alert (NEVER: at none), and whose they are.

    ``device`` numbers devices of casts; ``seed`` and ``package`` are the folds they belong to.
    """

    score: Float64
    device: Int64
    seed: Int64
    package: Int64

    def __len__(self) -> int:
        return len(self.score)

    def taken(self, which: npt.NDArray[np.bool_]) -> Rows:
        """Some of them."""
        return Rows(self.score[which], self.device[which], self.seed[which], self.package[which])


@dataclass(frozen=True)
class Evidence:
    """What an analytic is tuned by: its incidents, the findings that speak of none, and how long was watched.

    ``days`` (d,) of each device; ``effort`` (seed folds, package folds) the same device-days, by who was watched.
    """

    found: Rows
    alarms: Rows
    days: Float64
    effort: Float64 = field(default_factory=lambda: np.zeros((1, 1)))

    @property
    def device_days(self) -> float:
        """All of them."""
        return math.fsum(self.days.tolist())


@dataclass(frozen=True)
class Tally:
    """What a threshold does: incidents found of how many, false alarms in so many device-days."""

    found: int
    of: int
    false_alarms: int
    device_days: float

    def __add__(self, other: Tally) -> Tally:
        sums = (self.found + other.found, self.of + other.of, self.false_alarms + other.false_alarms)
        return Tally(*sums, self.device_days + other.device_days)

    @property
    def recall(self) -> float | None:
        """None of nothing."""
        return self.found / self.of if self.of else None

    @property
    def rate(self) -> float | None:
        """False alarms per device-day; None of none."""
        return self.false_alarms / self.device_days if self.device_days > 0 else None


def tally(found: Rows, alarms: Rows, device_days: float, threshold: float | None) -> Tally:
    """What a threshold does there; with None nothing alerts."""
    bar = math.inf if threshold is None else threshold
    hits, wrong = (int(np.count_nonzero(rows.score >= bar)) for rows in (found, alarms))
    return Tally(hits, len(found), wrong, device_days)


def allowance(budget: float, device_days: float) -> int:
    """How many false alarms the budget pays for in so many device-days.

    >>> allowance(0.001, 2999.0), allowance(0.1, 30.0)
    (2, 3)
    """
    return math.floor(budget * device_days + 1e-9)


def chosen(found: Rows, alarms: Rows, allowed: int) -> float | None:
    """The threshold that finds most with at most so many false alarms; of equals the one with fewest.

    None where none that is affordable finds any. It stands half way down to the next lower score of anybody, so that a
    hair of difference changes nothing.
    """
    steps = _steps(found, alarms)
    if steps is None:
        return None
    hits, wrong = (np.cumsum(part) for part in steps.counted(np.ones(steps.devices)))
    place = _best(hits[None, steps.last], wrong[None, steps.last], np.array([allowed]))[0]
    return None if place < 0 else float(steps.bars[place])


def interval(evidence: Evidence, budget: float, rng: np.random.Generator) -> tuple[float, float] | None:
    """The 95 % interval of the chosen threshold, devices drawn with replacement; None unless most draws have one."""
    steps, devices = _steps(evidence.found, evidence.alarms), len(evidence.days)
    if steps is None or not devices:
        return None
    drawn: list[float] = []
    for begin in range(0, DRAWS, AT_ONCE):
        many = min(AT_ONCE, DRAWS - begin)
        weights = rng.multinomial(devices, np.full(devices, 1 / devices), size=many).astype(np.float64)
        allowed = np.floor(budget * (weights @ evidence.days) + 1e-9)
        hits, wrong = (np.cumsum(part, axis=1)[:, steps.last] for part in steps.counted(weights))
        drawn += [float(steps.bars[place]) for place in _best(hits, wrong, allowed).tolist() if place >= 0]
    if 2 * len(drawn) < DRAWS:
        return None
    low, high = np.percentile(drawn, PERCENTILES, method="nearest")
    return float(low), float(high)


def curve(evidence: Evidence) -> list[dict[str, float]]:
    """Every threshold at which one incident more is found, highest first, with its false alarms."""
    rows = []
    for score in np.unique(evidence.found.score[evidence.found.score > NEVER])[::-1].tolist():
        one = tally(evidence.found, evidence.alarms, evidence.device_days, score)
        rows.append({"threshold": score, "found": one.found, "false_alarms": one.false_alarms})
    return rows


@dataclass(frozen=True)
class _Steps:
    """All that is ever said, best first: whether it is an incident's, whose, and where each distinct score ends."""

    good: npt.NDArray[np.bool_]
    device: Int64
    last: Int64  # (k,) the place of the last row of each distinct score
    bars: Float64  # (k,) the threshold that takes in just these

    @property
    def devices(self) -> int:
        return int(self.device.max()) + 1

    def counted(self, weight: Float64) -> tuple[Float64, Float64]:
        """(..., n) what each row counts among the found and among the alarms; ``weight`` (..., d) of the devices."""
        each = weight[..., self.device]
        return np.where(self.good, each, 0.0), np.where(self.good, 0.0, each)


def _steps(found: Rows, alarms: Rows) -> _Steps | None:
    scores = np.concatenate([found.score, alarms.score])
    heard = np.flatnonzero(scores > NEVER)
    if not len(heard):
        return None
    rows = heard[np.argsort(-scores[heard], kind="stable")]
    ordered = scores[rows]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    distinct = ordered[last].tolist()
    bars = [_between(low, high) for high, low in zip(distinct, [*distinct[1:], None], strict=True)]
    device = np.concatenate([found.device, alarms.device])[rows]
    return _Steps(rows < len(found), device, last, np.array(bars))


def _best(hits: Float64, wrong: Float64, allowed: Float64 | Int64) -> Int64:
    """(b,) the first step at which as much is found as at the last one affordable; -1 where that is nothing."""
    steps = np.count_nonzero(wrong <= allowed[:, None], axis=1)
    most = np.where(steps > 0, hits[np.arange(len(hits)), np.maximum(steps - 1, 0)], 0.0)
    return np.where(most > 0, np.argmax(hits >= most[:, None], axis=1), -1)


def _between(low: float | None, high: float) -> float:
    """A number above ``low`` and not above ``high``, with few digits where that is possible.

    >>> _between(0.3, 0.4), _between(None, 0.5), _between(0.12345678, 0.12345679)
    (0.35, 0.499999, 0.123456785)
    """
    middle = high * BELOW if low is None else (low + high) / 2
    short = float(f"{middle:.{DIGITS}g}")
    return short if (low is None or low < short) and short <= high else middle
