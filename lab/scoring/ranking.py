"""Threshold-free measures of a ranking: average precision, area under the ROC curve, nearest-rank quantiles.

Pure arithmetic on scores. What cannot be computed is None, never 0 and never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class Point:
    """One threshold of a ranking: what alerts from it on, and what that is worth."""

    threshold: float
    precision: float
    recall: float
    hits: int
    wrong: int


def precision_recall(ranked: Iterable[tuple[float, bool]], relevant: int) -> list[Point]:
    """The points of precision over recall, one for each distinct score, best first; empty if nothing is relevant.

    Arguments as of average_precision, which is the area under these steps. Nothing is interpolated, and the point of no
    alert at all (recall 0) is left out: its precision is nobody's.

    >>> [(one.threshold, one.precision, one.recall) for one in precision_recall([(0.9, True), (0.4, False)], 2)]
    [(0.9, 1.0, 0.5), (0.4, 0.5, 0.5)]
    """
    if relevant == 0:
        return []
    points, hits, seen = [], 0, 0
    for score, ties in groupby(sorted(ranked, key=lambda item: -item[0]), key=lambda item: item[0]):
        step = [is_relevant for _, is_relevant in ties]
        hits, seen = hits + sum(step), seen + len(step)
        points.append(Point(score, hits / seen, hits / relevant, hits, seen - hits))
    if hits > relevant:
        raise ValueError(f"relevant: found {hits} in the ranking, expected at most {relevant}")
    return points


def average_precision(ranked: Iterable[tuple[float, bool]], relevant: int) -> float | None:
    """Step-wise area under precision over recall: sum of (R_k - R_k-1) * P_k over distinct scores, best first.

    ``ranked`` holds (score, is relevant); ``relevant`` counts all relevant ones, the never-ranked included.
    Equal scores are one step, so the order of ties cannot matter. None if nothing is relevant.
    No interpolation (Davis & Goadrich, ICML 2006, on why linear interpolation flatters).
    """
    if relevant == 0:
        return None
    area, before = 0.0, 0
    for point in precision_recall(ranked, relevant):
        area += (point.hits - before) / relevant * point.precision
        before = point.hits
    return area


def recall_within(ranked: Iterable[tuple[float, bool]], relevant: int, allowed: int) -> float | None:
    """The share of the relevant that outranks all but ``allowed`` irrelevant ones; None if nothing is relevant.

    ``ranked`` and ``relevant`` as for average_precision: recall at the lowest threshold that costs no more than that.

    >>> recall_within([(0.9, True), (0.5, False), (0.5, True), (0.4, True)], 3, 0)
    0.3333333333333333
    """
    if relevant == 0:
        return None
    rows = list(ranked)
    wrong = sorted((score for score, is_relevant in rows if not is_relevant), reverse=True)
    bar = wrong[allowed] if allowed < len(wrong) else -math.inf
    return sum(is_relevant and score > bar for score, is_relevant in rows) / relevant


def roc_auc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """Chance that a positive outranks a negative, ties counting half (Mann & Whitney 1947); None if either is empty."""
    if not positives or not negatives:
        return None
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    return wins / (len(positives) * len(negatives))


def quantile(values: Iterable[float], share: float) -> float | None:
    """Nearest-rank quantile: the smallest value with at least that share at or below it; None of nothing.

    >>> quantile([3.0, 1.0, 2.0, 10.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None
