"""Groups that an analytic measured and scored, asked what became of one of them.

Whatever an analytic is: it hands over its groups, every factor as a named column, and the pure function from columns to
scores that its verdicts come from. Nothing here knows a factor's meaning, so no explanation can differ from the score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from detector.columns import NULL, Codes, Int64
from detector.counterfactual import Change, Columns, Limits, Scores, changes, together
from detector.explanation import About, Counterfactual, Explanation, Factor, Witnessed

Excuse = Callable[[int], str | None]
ROUNDING = 1e-9
FEWEST = "contacts"  # what the counterfactual of too few to be judged is called


@dataclass(frozen=True)
class ScoredGroups:
    """g groups as one analytic sees them. Times in microseconds; ``peer`` None where it does not group by it.

    ``columns``: every factor, (g,) float64, NaN unknown. ``scores``: from such columns, of any length, to the scores
    that are held against ``threshold``. ``limits``: of the factors that may be changed. ``fewest``: contacts below
    which there is no group. ``excuse``: why a group (by row) may not alert, None if it may. ``texts``: a sentence of a
    row's factor, where there is one. ``merged``: the peer that stands for several, if there is such a key.
    """

    device: Codes
    uid: Int64
    package: Codes
    peer: Codes | None
    first: Int64
    last: Int64
    columns: Columns
    scores: Scores
    threshold: float
    limits: Mapping[str, Limits]
    fewest: int
    merged: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    excuse: Excuse = field(default=lambda _row: None)
    texts: Callable[[int], Mapping[str, str]] = field(default=lambda _row: {})

    def explain(self, about: About, seen: Witnessed) -> Explanation:
        """What became of the group that is meant, of several the one that scored most; ``seen``: what there was."""
        rows = self._meant(about)
        if not len(rows):
            return self._absent(about, seen)
        scores = self.scores({name: column[rows] for name, column in self.columns.items()})
        row, score = int(rows[np.argmax(scores)]), float(scores.max())
        factors = {name: float(column[row]) for name, column in self.columns.items()}
        reach = (factors, self.scores, self.threshold, self.limits)
        best = next(iter(changes(*reach)), None)
        outcome, why = self._verdict(score, self.excuse(row), best)
        return Explanation(
            about=about,
            outcome=outcome,
            text=f"{self._named(row, len(rows))} {why}",
            score=score,
            threshold=self.threshold,
            factors=self._factors(row, factors, score),
            counterfactual=_alone(best) if best else None,
            together=() if best else tuple(_among(change) for change in together(*reach)),
        )

    def _meant(self, about: About) -> Int64:
        """The groups that are meant; where there is none, those of the app that stand for several peers."""
        who = self.device, self.uid, self.package
        seen = self.first, self.last
        rows = np.flatnonzero(about.mask(*who, self.peer, seen))
        if len(rows) or self.peer is None or self.merged not in self.peer.texts:
            return rows
        several = self.peer.code == self.peer.texts.index(self.merged)
        return np.flatnonzero(about.mask(*who, None, seen) & several)

    def _absent(self, about: About, seen: Witnessed) -> Explanation:
        """Why there is no group: nothing was seen, too little, or nothing that is grouped."""
        most = max(seen.flows, seen.exchanges, seen.lookups)
        what = None
        if not most:
            outcome, text = "unseen", f"this telemetry holds no flow and no look-up of {about.told()}"
        elif most < self.fewest:
            outcome = "too-few"
            text = f"{seen.told()} of {about.told()}: fewer contacts than the {self.fewest} from which it is judged"
            least = f"{self.fewest} contacts instead of {most} would have been judged at all; whether they had fired is"
            what = Counterfactual(FEWEST, most, self.fewest, None, f"{least} not to be told from so few")
        else:
            outcome = "not-grouped"
            text = f"{seen.told()} of {about.told()}, but no group of {self.fewest} contacts or more that is judged"
        return Explanation(about, outcome, text, threshold=self.threshold, counterfactual=what)

    def _named(self, row: int, many: int) -> str:
        """The group, as a phrase."""
        peer = self.peer.text(row) if self.peer is not None else None
        who = f"{self.package.text(row) or 'an unknown app'} on {self.device.text(row)}"
        who += f" to {peer}" if peer else ""
        return who + (f", of {many} groups meant the one that scored most," if many > 1 else "")

    def _verdict(self, score: float, excuse: str | None, best: Change | None) -> tuple[str, str]:
        """The outcome of a score, and a predicate that says why."""
        if score < self.threshold:
            alone = "" if best else "; no change of one factor alone would have been enough"
            return "below", f"scored {score:.3f}, below {self.threshold:g}{alone}"
        if excuse:
            return "excused", f"scored {score:.3f}, reached {self.threshold:g} and is excused: {excuse}"
        return "alert", f"scored {score:.3f} and reached {self.threshold:g}"

    def _factors(self, row: int, values: Mapping[str, float], score: float) -> tuple[Factor, ...]:
        """Every column as a factor, those that carry most first."""
        texts = self.texts(row)
        made = [
            Factor(
                name=name,
                value=None if math.isnan(value) else value,
                expected=self.expected.get(name, ""),
                weight=self.weights.get(name),
                contribution=self._contribution(name, values, score),
                text=texts.get(name, ""),
            )
            for name, value in values.items()
        ]
        return tuple(sorted(made, key=lambda factor: -(factor.contribution or 0.0)))

    def _contribution(self, name: str, values: Mapping[str, float], score: float) -> float | None:
        """How far the score falls with this factor at whichever of its limits is more innocent; None if unknown."""
        if name not in self.limits or math.isnan(values[name]):
            return None
        ends = np.array([self.limits[name].low, self.limits[name].high])
        columns = {other: np.full(2, value) for other, value in values.items()} | {name: ends}
        fall = score - float(self.scores(columns).min())
        return fall if fall > ROUNDING else 0.0


def _alone(change: Change) -> Counterfactual:
    """A change that is enough by itself."""
    text = f"{_step(change)} would have fired, at {change.score:.3f}"
    return Counterfactual(change.factor, change.before, change.after, change.score, text)


def _among(change: Change) -> Counterfactual:
    """One of several that are enough together."""
    return Counterfactual(change.factor, change.before, change.after, change.score, _step(change))


def _step(change: Change) -> str:
    before = "unknown to this sensor" if change.before is None else f"{change.before:.4g}"
    return f"{change.factor} {change.after:.4g} instead of {before}"


def nobody(count: int) -> Codes:
    """(count,) texts that are all unknown.

    >>> nobody(2).text(1) is None
    True
    """
    return Codes(np.full(count, NULL, np.int64), [])
