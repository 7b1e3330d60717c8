"""The smallest change of one factor that would have made a score cross its threshold.

Pure: named numbers, a function from columns of them to scores, and the limits between which each may be changed. Scores
need not be monotone: every factor is walked from its value to both limits on a grid, and the first step over the
threshold is then halved until it is as small as numbers go. What lies between two points of the grid may be missed.
Changes of different factors are compared by their share of the whole range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Columns = Mapping[str, Float64]
Scores = Callable[[Columns], Float64]

STEPS = 128  # of the grid, per factor and direction
HALVINGS = 60


@dataclass(frozen=True)
class Limits:
    """Between what a factor may be changed. ``log`` compares by ratios (both ends above 0); ``whole`` has no halves.

    ``start`` is where an unknown factor (NaN) is changed from: what the score takes it for, or what says nothing.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    start: float | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            kind = "two numbers above 0" if self.log else "two numbers"
            raise ValueError(f"limits: found {self.low!r} and {self.high!r}, expected {kind}, the lower one first")

    def between(self, origin: float, end: float, share: Float64) -> Float64:
        """(k,) the values that lie ``share`` (0..1) of the way from ``origin`` to ``end``.

        >>> Limits(1, 100, log=True).between(1, 100, np.array([0.5])).round(6).tolist()
        [10.0]
        """
        if self.log and origin > 0:
            values = np.exp(math.log(origin) + share * (math.log(end) - math.log(origin)))
        else:
            values = origin + share * (end - origin)
        if self.whole:
            values = np.ceil(values) if end > origin else np.floor(values)
        return np.where(share >= 1, end, values)

    def size(self, origin: float, end: float) -> float:
        """How large a change is, as a share of the whole range.

        >>> Limits(0, 4).size(1, 2), Limits(1, 100, log=True).size(1, 10)
        (0.25, 0.5)
        """
        if self.log and origin > 0:
            return abs(math.log(end / origin)) / math.log(self.high / self.low)
        return abs(end - origin) / (self.high - self.low)


@dataclass(frozen=True)
class Change:
    """One factor changed: from what (None: unknown) to what, what the score becomes, and how large the change is."""

    factor: str
    before: float | None
    after: float
    score: float
    size: float  # share of the factor's range; 1 or more where the factor was unknown


def changes(
    factors: Mapping[str, float], scores: Scores, threshold: float, limits: Mapping[str, Limits]
) -> list[Change]:
    """Of each factor that can do it alone, the smallest change that reaches the threshold; smallest first.

    ``factors`` are one group's, NaN for unknown; only those in ``limits`` are changed. Ties keep the order of
    ``limits``. To learn what was unknown counts as more than any change of what was known. Empty where the threshold is
    reached already, or out of reach. ``scores`` must not depend on other rows.
    """
    if _score(scores, factors) >= threshold:
        return []
    found = []
    for name, limit in limits.items():
        one = _Search(factors, scores, threshold, name, limit)
        found += [change for end in (limit.high, limit.low) if (change := one.towards(end)) is not None]
    best: dict[str, Change] = {}
    for change in sorted(found, key=lambda change: change.size):
        best.setdefault(change.factor, change)
    return list(best.values())


def together(
    factors: Mapping[str, float], scores: Scores, threshold: float, limits: Mapping[str, Limits]
) -> list[Change]:
    """Several factors that must change at once, none of which can be spared, each as little as the others allow.

    Not the cheapest set there is, but found in few steps: all are moved as far as helps, then moved back one by one as
    long as the threshold is still reached: once the largest changes first, once those that help least; the set of fewer
    counts. Each change's score is that of all of them.
    Empty where the threshold is reached already, or is out of reach whatever is changed.
    """
    if _score(scores, factors) >= threshold:
        return []
    moved = _furthest(factors, scores, limits)
    if _score(scores, moved) < threshold:
        return []
    sizes = {name: _size(factors[name], moved[name], limits[name]) for name in limits}
    alone = {name: _score(scores, {**moved, name: factors[name]}) for name in limits}
    orders = (sorted(limits, key=lambda name: -sizes[name]), sorted(limits, key=lambda name: -alone[name]))
    spared = [_spared(factors, moved, order, scores, threshold) for order in orders]
    moved, needed = min(spared, key=lambda one: (len(one[1]), sum(sizes[name] for name in one[1])))
    for name in needed:
        one = _Search({**moved, name: factors[name]}, scores, threshold, name, limits[name])
        found = [change for end in (limits[name].high, limits[name].low) if (change := one.towards(end)) is not None]
        if found:  # what only rounding keeps from firing again stays as far as it was moved
            moved[name] = min(found, key=lambda change: change.size).after
    score = _score(scores, moved)
    made = [
        Change(name, _known(factors[name]), moved[name], score, _size(factors[name], moved[name], limits[name]))
        for name in needed
    ]
    return sorted(made, key=lambda change: change.size)


def _spared(
    factors: Mapping[str, float], moved: Mapping[str, float], order: Sequence[str], scores: Scores, threshold: float
) -> tuple[dict[str, float], list[str]]:
    """What is left of the moved factors, and which, after each in that order went back unless it is needed."""
    left, needed = dict(moved), []
    for name in order:
        back = {**left, name: factors[name]}
        if _score(scores, back) >= threshold:
            left = back
        else:
            needed.append(name)
    return left, needed


def _furthest(factors: Mapping[str, float], scores: Scores, limits: Mapping[str, Limits]) -> dict[str, float]:
    """Every factor where it helps most among its value and both limits, the others being moved, too."""
    moved = {**factors, **{name: limit.high for name, limit in limits.items()}}
    for name, limit in limits.items():
        ends = np.array([limit.high, limit.low, factors[name]])
        found = scores({**_columns(moved, 3), name: ends})
        moved[name] = float(ends[int(np.argmax(np.where(np.isnan(found), -np.inf, found)))])
    return moved


def _size(before: float, after: float, limits: Limits) -> float:
    """How large a change is; of the unknown 1 more."""
    if math.isnan(after):
        return 0.0
    unknown = math.isnan(before)
    origin = (limits.low if limits.start is None else limits.start) if unknown else before
    return limits.size(origin, after) + unknown


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True)
class _Search:
    """The search along one factor."""

    factors: Mapping[str, float]
    scores: Scores
    threshold: float
    name: str
    limits: Limits

    def towards(self, end: float) -> Change | None:
        """The first change on the way to that end which reaches the threshold; None if none does."""
        value = self.factors[self.name]
        unknown = math.isnan(value)
        origin = self._start() if unknown else value
        if (end == self.limits.high and origin >= end) or (end == self.limits.low and origin <= end):
            return None  # nowhere to go
        shares = np.linspace(0, 1, STEPS + 1)
        reached = np.flatnonzero(self._scored(self.limits.between(origin, end, shares)) >= self.threshold)
        reached = reached[(reached > 0) | unknown]
        if not len(reached):
            return None
        after = self._halved(origin, end, shares[max(reached[0] - 1, 0)], shares[reached[0]])
        score = float(self._scored(np.array([after]))[0])
        return Change(self.name, _known(value), after, score, _size(value, after, self.limits))

    def _halved(self, origin: float, end: float, below: float, above: float) -> float:
        """The value nearest to the origin that reaches it, between a share that does not and one that does."""
        for _ in range(HALVINGS):
            middle = (below + above) / 2
            if not below < middle < above:
                break
            if self._scored(self.limits.between(origin, end, np.array([middle])))[0] >= self.threshold:
                above = middle
            else:
                below = middle
        return float(self.limits.between(origin, end, np.array([above]))[0])

    def _start(self) -> float:
        return self.limits.low if self.limits.start is None else self.limits.start

    def _scored(self, values: Float64) -> Float64:
        several = np.append(values, values[-1:])  # never one row: numpy sums that in another order
        return self.scores({**_columns(self.factors, len(several)), self.name: several})[: len(values)]


def _score(scores: Scores, factors: Mapping[str, float]) -> float:
    return float(scores(_columns(factors, 2))[0])


def _columns(factors: Mapping[str, float], count: int) -> dict[str, Float64]:
    return {name: np.full(count, value, np.float64) for name, value in factors.items()}
