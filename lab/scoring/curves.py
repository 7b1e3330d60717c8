"""Curves of precision over recall, cut to the points that a reader needs. Pure, like lab/score.py."""

from __future__ import annotations

from collections.abc import Iterable

from lab.scoring.ranking import Point


def rising(points: Iterable[Point]) -> list[Point]:
    """The points of a curve at which recall grows; what lies between costs precision and finds nothing.

    >>> from lab.scoring.ranking import precision_recall
    >>> [one.threshold for one in rising(precision_recall([(0.9, False), (0.8, True), (0.7, False)], 1))]
    [0.8]
    """
    kept: list[Point] = []
    for point in points:
        if point.hits > (kept[-1].hits if kept else 0):
            kept.append(point)
    return kept
