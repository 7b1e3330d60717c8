"""Verdicts: from the raw scores that a formula gives windows of time to one finding per group.

Rule: raw scores come in ready made and are only compared and scaled here. Whatever weighs a rival's scores (a baseline)
stands between the formula and ``decide``, in ``Rated.weighed``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detector.columns import NULL, Int64
from detector.contract import Finding, Reason
from detector.grouped import Float64
from detector.rivals.pairs import Who
from detector.signature import Signature

Bools = npt.NDArray[np.bool_]
NEAR = 0.5  # of the threshold: nearer misses are reported


@dataclass(frozen=True)
class Rated:
    """What a formula says of w windows: raw scores, any scale, the more the worse; times in microseconds."""

    owner: Int64  # (w,) group
    score: Float64
    first: Int64  # first and last connection in it
    last: Int64
    decided: Int64  # when the tool would have looked at that window: at its end, never before ``last``

    def weighed(self, weight: Float64) -> Rated:
        """The same windows with every score multiplied: ``weight`` (g,) of each group, 0..1."""
        return replace(self, score=self.score * weight[self.owner])


@dataclass(frozen=True)
class Bar:
    """Where a formula alerts: at a raw score of ``alert``; ``most`` is what the largest one is, and becomes 1."""

    alert: float
    most: float

    def scaled(self, score: float) -> float:
        """A raw score as a finding's."""
        return min(max(score / self.most, 0.0), 1.0)


@dataclass(frozen=True)
class Verdict:
    """What is said of one group: its best window, when it was first and last noticed, and when that was decided."""

    owner: int
    window: int
    score: float
    alert: bool
    first: int
    last: int
    decided: int


def decide(rated: Rated, bar: Bar) -> list[Verdict]:
    """One verdict per group with a window from half the bar on, by group; its best window counts, of ties the first.

    An alert is decided where the first window that alerts is, and is about the windows that alert. A near miss is about
    the best window alone.
    """
    order = np.lexsort((rated.decided, rated.owner))
    order = order[rated.score[order] >= bar.alert * NEAR]
    if not len(order):
        return []
    heads = np.flatnonzero(np.diff(rated.owner[order], prepend=NULL))
    return [_verdict(rated, rows, bar) for rows in np.split(order, heads[1:])]


def _verdict(rated: Rated, rows: Int64, bar: Bar) -> Verdict:
    best = int(rows[np.argmax(rated.score[rows])])
    over = rows[rated.score[rows] >= bar.alert]
    shown = over if len(over) else np.array([best])
    return Verdict(
        owner=int(rated.owner[best]),
        window=best,
        score=float(rated.score[best]),
        alert=bool(len(over)),
        first=int(rated.first[shown].min()),
        last=int(rated.last[shown].max()),
        decided=int(rated.decided[shown].min()),
    )


@dataclass(frozen=True)
class Report:
    """How the verdicts of one tool become findings: of which analytic, about whom, and who says so."""

    analytic: str
    who: Who
    by: Signature
    bar: Bar

    def finding(self, verdict: Verdict, reasons: tuple[Reason, ...], peer: str | None) -> Finding:
        """The finding of one verdict; AN1702 has no peer."""
        row = verdict.owner
        return Finding(
            analytic=self.analytic,
            device=self.who.device.text(row) or "",
            uid=None if self.who.uid[row] == NULL else int(self.who.uid[row]),
            package=self.who.package.text(row),
            peer=peer if self.analytic == "AN1793" else None,
            first_seen=verdict.first,
            last_seen=verdict.last,
            decided_at=max(verdict.decided, verdict.first),
            score=self.bar.scaled(verdict.score),
            alert=verdict.alert,
            severity="low" if verdict.alert else "informational",
            detector=self.by.name,
            detector_version=self.by.version,
            reasons=reasons,
            partial=self.by.partial,
        )


def spans(edges: Int64, start: Int64) -> tuple[Int64, Int64]:
    """(w,) first and last of the times of each window, which are in order in it."""
    if len(edges) == 1:
        return start[:0], start[:0]
    return start[edges[:-1]], start[edges[1:] - 1]


def closing(number: Int64, origin: int, length: int, span: tuple[int, int]) -> Int64:
    """(w,) the end of each window of ``length`` from ``origin`` on, or that of the telemetry if it ends before."""
    return np.minimum(origin + (number + 1) * length, np.maximum(span[1], origin + number * length + 1))
