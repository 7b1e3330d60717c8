"""Exact and deterministic tests of "worse than before", for pairs: one-sided, so that better is never significant.

Pure arithmetic. Every chance here is under "nothing changed": then either of a pair may as well have been the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]  # (draws, n) -> (draws,)
DRAWS = 1999  # of a randomisation test: chances are multiples of 1/2000
RESAMPLES = 1000
SEED = 1947  # any other would do; the same scorecards give the same verdict


def mcnemar(lost: int, gained: int) -> float:
    """The chance of at least so many lost among the changed (McNemar, Psychometrika 12, 1947; exact: binomial, 1/2).

    One-sided; 1 where nothing changed.

    >>> mcnemar(5, 0), mcnemar(0, 0)
    (0.03125, 1.0)
    """
    if lost < 0 or gained < 0:
        raise ValueError(f"pairs: found {lost} lost and {gained} gained, expected none below 0")
    changed = lost + gained
    tail: int = sum(math.comb(changed, many) for many in range(lost, changed + 1))
    return float(tail / 2**changed)


def holm(chances: Sequence[float], alpha: float) -> list[bool]:
    """Which of these tests reject, so that the chance that any does so wrongly is at most alpha (Holm, 1979).

    >>> holm([0.01, 0.04, 0.03], 0.05)
    [True, False, False]
    """
    rejected = [False] * len(chances)
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda one: chances[one])):
        if chances[place] > alpha / (len(chances) - rank):
            break
        rejected[place] = True
    return rejected


def swapped(now: Sequence[float], before: Sequence[float], statistic: Statistic) -> float:
    """The chance of a statistic at least so much larger than before, if each pair were swapped at random.

    A randomisation test with DRAWS draws; the observed one is counted among them, which keeps its level (Phipson &
    Smyth, 2010, from memory). 1 where no pair differs.
    """
    one, other = np.asarray(now, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if not len(one) or np.array_equal(one, other):
        return 1.0
    flips = np.random.default_rng(SEED).random((DRAWS, len(one))) < 0.5
    drawn = statistic(np.where(flips, other, one)) - statistic(np.where(flips, one, other))
    seen = float((statistic(one[None]) - statistic(other[None]))[0])
    return (1 + int(np.count_nonzero(drawn >= seen - 1e-12))) / (DRAWS + 1)


def paired_bootstrap(
    now: Sequence[float], before: Sequence[float], statistic: Statistic, confidence: float = 0.95
) -> tuple[float, float] | None:
    """The percentile interval of the difference of a statistic, pairs drawn with replacement; None without pairs."""
    one, other = np.asarray(now, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if not len(one):
        return None
    drawn = np.random.default_rng(SEED).integers(0, len(one), (RESAMPLES, len(one)))
    differences = statistic(one[drawn]) - statistic(other[drawn])
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float(low), float(high)


def total(over: float) -> Statistic:
    """The sum over something: false alarms over device-days."""
    return lambda values: np.asarray(values.sum(axis=1) / over, dtype=np.float64)


def nearest_rank(share: float) -> Statistic:
    """The nearest-rank quantile, as lab/scoring/ranking.py has it."""

    def of(values: Floats) -> Floats:
        place = max(0, math.ceil(share * values.shape[1]) - 1)
        return np.asarray(np.partition(values, place, axis=1)[:, place], dtype=np.float64)

    return of
