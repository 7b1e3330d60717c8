"""What came of tuning: for each knob the threshold, how sure it is, and how it does where it was not chosen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from detector.contract import SCHEMA_VERSION, Knob
from lab.scoring.intervals import poisson_rate, wilson
from lab.tuning.nested import Left, left_out
from lab.tuning.sweep import Evidence, Rows, Tally, allowance, chosen, curve, interval, tally

SEED = 1947  # of the bootstrap: the same run gives the same interval


@dataclass(frozen=True)
class Tuned:
    """One knob: what was chosen, or why nothing could be.

    ``inner`` is what the threshold does on all that it was chosen by, ``outer`` what thresholds chosen in the same way
    do on what was left out of the choice, all cells together. ``floor``: the weakest finding of all is affordable, so
    that a lower threshold cannot be judged.
    """

    knob: Knob
    device_days: float
    allowed: int
    threshold: float | None = None
    refused: str = ""
    interval: tuple[float, float] | None = None
    before: Tally | None = None
    inner: Tally | None = None
    outer: Tally | None = None
    cells: tuple[Left, ...] = ()
    curve: tuple[Mapping[str, float], ...] = ()
    floor: bool = False
    excused: int = 0  # findings that no setting makes alerts

    @property
    def gap(self) -> dict[str, float | None] | None:
        """How much better it looks where it was chosen: recall, and false alarms per device-day."""
        if self.inner is None or self.outer is None:
            return None
        pairs = ((self.inner.recall, self.outer.recall), (self.outer.rate, self.inner.rate))
        both = [None if one is None or other is None else one - other for one, other in pairs]
        return dict(zip(("recall", "false_alarms_per_device_day"), both, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = {name: told_of(getattr(self, name)) for name in ("before", "inner", "outer")}
        cells = [
            {
                "seeds": list(one.seeds),
                "package_fold": one.package_fold,
                "threshold": one.threshold,
                "judged": one.judged,
                **(told_of(one.tally) or {}),
            }
            for one in self.cells
        ]
        return {
            "knob": self.knob.name,
            "analytic": self.knob.analytic,
            "value": self.knob.value,
            "threshold": self.threshold,
            "interval": list(self.interval) if self.interval else None,
            "refused": self.refused or None,
            "device_days": self.device_days,
            "affordable_false_alarms": self.allowed,
            **told,
            "gap": self.gap,
            "floor": self.floor,
            "excused": self.excused,
            "cells": cells,
            "curve": [dict(one) for one in self.curve],
        }


@dataclass(frozen=True)
class Tuning:
    """All knobs of a detector, and what was written."""

    detector: str
    suite: str
    view: str
    stage: str
    seeds: tuple[int, ...]
    scenarios: tuple[str, ...]
    left_out: tuple[str, ...]  # held out, and not played
    budget: float
    knobs: tuple[Tuned, ...]
    use: str = ""  # what --detector is given
    written: str | None = None
    confirmed: Mapping[str, Tally] = field(default_factory=dict)  # analytic -> what the tuned detector itself does

    @property
    def values(self) -> dict[str, float]:
        """The knobs that were set."""
        return {one.knob.name: one.threshold for one in self.knobs if one.threshold is not None}

    def differs(self, one: Tuned) -> bool:
        """Whether the tuned detector does something else than the sweep said."""
        real = self.confirmed.get(one.knob.analytic)
        return real is not None and one.inner is not None and real != one.inner

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        head = {name: getattr(self, name) for name in ("detector", "suite", "view", "stage", "budget")}
        lists = {name: list(getattr(self, name)) for name in ("seeds", "scenarios")}
        return {
            "schema_version": SCHEMA_VERSION,
            **head,
            **lists,
            "held_out": list(self.left_out),
            "knobs": [
                {**one.to_json(), "confirmed": told_of(self.confirmed.get(one.knob.analytic))} for one in self.knobs
            ],
            "use": self.use or None,
            "written": self.written,
        }


def told_of(one: Tally | None) -> dict[str, Any] | None:
    """A tally with its rates and intervals: recall by Wilson, false alarms by exact Poisson."""
    if one is None:
        return None
    recall, rate = wilson(one.found, one.of), poisson_rate(one.false_alarms, one.device_days)
    return {
        **asdict(one),
        "recall": one.recall,
        "recall_ci": list(recall) if recall else None,
        "false_alarms_per_device_day": one.rate,
        "fa_ci": list(rate) if rate else None,
    }


def tuned(said: Evidence, knob: Knob, folds: dict[int, int], budget: float) -> Tuned:
    """What the knob should be set to on this evidence, or why that cannot be said."""
    days = said.device_days
    allowed = allowance(budget, days)
    bar = chosen(said.found, said.alarms, allowed)
    excused = int(sum(np.count_nonzero(np.isneginf(rows.score)) for rows in (said.alarms,)))
    about: dict[str, Any] = {"knob": knob, "device_days": days, "allowed": allowed, "excused": excused}
    about["before"] = tally(said.found, said.alarms, days, knob.value)
    if why := _refusal(said, allowed, bar):
        return Tuned(**about, refused=why)
    assert bar is not None
    cells = tuple(left_out(said, folds, budget))
    return Tuned(
        **about,
        threshold=min(max(bar, knob.least), knob.most),
        interval=interval(said, budget, np.random.default_rng(SEED)),
        inner=tally(said.found, said.alarms, days, bar),
        outer=_outer(cells),
        cells=cells,
        curve=tuple(curve(said)),
        floor=int(np.count_nonzero(np.isfinite(said.alarms.score))) <= allowed,
    )


def _outer(cells: Sequence[Left]) -> Tally | None:
    """All cells that could be judged; None where none with an incident could."""
    whole = sum((one.tally for one in cells if one.judged), Tally(0, 0, 0, 0.0))
    return whole if whole.of else None


def _refusal(said: Evidence, allowed: int, bar: float | None) -> str:
    """Why nothing can be chosen; empty if something can."""
    if not len(said.found):
        return "no incident of it was played"
    heard = _distinct(said.found, said.alarms)
    if not np.isfinite(said.found.score).any():
        return f"nothing was found: not one of {len(said.found)} incidents has a finding that could be an alert"
    if len(heard) == 1 and len(said.found) + len(said.alarms) > 1:
        return f"every finding has the same score, {heard[0]:g}: there is nothing to choose between"
    if bar is None:
        loudest = float(said.alarms.score.max())
        return (
            f"no threshold finds anything with at most {allowed} false alarms: they outrank every incident "
            f"(the best incident is at {said.found.score.max():g}, the loudest alarm at {loudest:g})"
        )
    return ""


def _distinct(*parts: Rows) -> Sequence[float]:
    scores = np.concatenate([rows.score for rows in parts])
    return np.unique(scores[np.isfinite(scores)]).tolist()  # type: ignore[no-any-return]  # numpy types tolist loosely
