"""Verdicts: from the raw scores that a formula gives windows of time to one finding per group.

Rule: raw scores come in ready made and are only compared and scaled here. Whatever weighs a rival's scores (a baseline)
stands between the formula and ``decide``, in ``Rated.weighed``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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


def decide(rated: Rated, bar: Bar, near: float = NEAR) -> list[Verdict]:
    """One verdict per group with a window from ``near`` of the bar on, by group; of its best ones the first counts.

    An alert is decided where the first window that alerts is, and is about the windows that alert. A near miss is about
    the best window alone.
    """
    order = np.lexsort((rated.decided, rated.owner))
    order = order[rated.score[order] >= bar.alert * near]
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
class Weights:
    """(g,) the gate of every group of a report; ``value`` None where it was not asked for, and all stays as it is."""

    value: Float64 | None = None
    since: int | None = None  # microseconds: when a surveyed baseline is known; None: it was learned before

    def weighed(self, rated: Rated, bar: Bar) -> Rated:
        """The windows with their scores multiplied, those that were no near miss before at 0."""
        if self.value is None:
            return rated
        heard = replace(rated, score=np.where(rated.score >= bar.alert * NEAR, rated.score, 0.0))
        decided = rated.decided if self.since is None else np.maximum(rated.decided, self.since)
        return replace(heard.weighed(self.value), decided=decided)

    @property
    def near(self) -> float:
        """From which share of the bar a group is reported: with the gate, whatever it leaves of a near miss."""
        return NEAR if self.value is None else NEAR / 100

    def reasons(self, owner: int) -> tuple[Reason, ...]:
        """What the gate of a group was; nothing where it was not asked for."""
        if self.value is None:
            return ()
        by = "what was learned before" if self.since is None else "a survey of this telemetry, nothing was learned"
        text = f"mean over its connections, 1 where nobody goes there, by {by}; multiplies the score"
        return (Reason("baseline_gate", float(self.value[owner]), "near 0", 1.0, text),)


@dataclass(frozen=True)
class Report:
    """How the verdicts of one tool become findings: of which analytic, about whom, who says so, and what weighs."""

    analytic: str
    who: Who
    by: Signature
    bar: Bar
    weights: Weights = field(default_factory=Weights)

    def decided(self, rated: Rated) -> list[Verdict]:
        """The verdicts on raw scores, weighed."""
        return decide(self.weights.weighed(rated, self.bar), self.bar, self.weights.near)

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
            reasons=(*reasons, *self.weights.reasons(row)),
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
