"""Thresholds and scorecards in, a verdict for each threshold, detector and view out. Pure.

``held``, ``broken``, or ``unjudged``: what cannot be measured is neither, and no gate passes on it. ``idle`` is what
was switched off, and a patch-only threshold where nothing is new; a gate of nothing else has judged nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab.gate.compare import Compared, no_loss, no_regression
from lab.gate.grammar import Threshold
from lab.gate.measures import Measured, measured, summary
from lab.gate.named import Named, missed, new_alarms, slow
from lab.gate.pairs import comparable
from lab.gate.selection import Card
from lab.gate.settings import Settings
from lab.gate.significance import holm
from lab.scoring.controls import CONTROLS

Cell = tuple[str, str]
_MEETS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Verdict:
    """What became of one threshold for one detector under one view; ``reason`` where it is unjudged or idle."""

    threshold: Threshold
    detector: str
    view: str
    status: str  # held, broken, unjudged, idle
    reason: str = ""
    measured: Measured | None = None
    limit: float | None = None
    baseline: Measured | None = None
    difference: float | None = None
    difference_ci: tuple[float, float] | None = None
    p: float | None = None
    named: tuple[Named, ...] = ()  # what broke it, or would count against it
    gained: tuple[Named, ...] = ()
    notes: tuple[str, ...] = ()


def judged(settings: Settings, card: Card, baseline: Card | None) -> list[Verdict]:
    """A verdict for each threshold and each detector and view that it speaks of, in the order of the thresholds."""
    bars = comparable(card, baseline) if baseline else []
    found = [one for threshold in settings.thresholds for one in _judged(settings, card, baseline, threshold, bars)]
    tests = [place for place, one in enumerate(found) if one.p is not None and one.threshold.kind == "no-regression"]
    rejected = holm([found[place].p or 0.0 for place in tests], settings.alpha)
    for place, broken in zip(tests, rejected, strict=True):
        found[place] = replace(found[place], status="broken" if broken else "held")
    return found


def _judged(
    settings: Settings, card: Card, baseline: Card | None, threshold: Threshold, bars: Sequence[str]
) -> list[Verdict]:
    if early := _beforehand(card, baseline, threshold, bars):
        return [Verdict(threshold, "", "", *early)]
    if threshold.patch and baseline is not None:
        card = replace(card, skip=baseline.scenarios)
    cells = card.cells(threshold, settings.detectors, settings.views)
    if baseline and threshold.kind != "absolute":
        cells += [one for one in baseline.cells(threshold, settings.detectors, settings.views) if one not in cells]
    if lacking := _absent(settings, threshold, cells):
        return [Verdict(threshold, "", "", "unjudged", lacking)]
    if threshold.kind == "absolute" or baseline is None:
        return [_absolute(settings, card, threshold, cell) for cell in cells]
    compare = no_loss if threshold.kind == "no-loss" else no_regression
    return [_compared(threshold, cell, compare(card, baseline, threshold, cell)) for cell in cells]


def _beforehand(card: Card, baseline: Card | None, threshold: Threshold, bars: Sequence[str]) -> tuple[str, str] | None:
    """The status and reason of a threshold for which nothing need be measured; None if there is something to."""
    unknown = sorted({one.key for one in threshold.filters} - card.keys)
    found: tuple[str, str] | None = None
    if threshold.level == "off":
        found = "idle", "switched off"
    elif (threshold.patch or threshold.kind != "absolute") and (baseline is None or bars):
        found = "unjudged", "; ".join(bars) or "it compares with a baseline; give --baseline"
    elif unknown:
        found = "unjudged", f"no incident here has a {', '.join(unknown)}"
    elif threshold.patch and baseline is not None and card.scenarios <= baseline.scenarios:
        found = "idle", "no scenario is new since the baseline"
    return found


def _absent(settings: Settings, threshold: Threshold, cells: Sequence[Cell]) -> str:
    """Which detector or view that was asked for by name is in no cell, in words; empty if none."""
    for place, (key, usual) in enumerate((("detector", settings.detectors), ("view", settings.views))):
        named = [str(value) for one in threshold.filters if (one.key, one.op) == (key, "=") for value in one.values]
        absent = [name for name in named or usual if name not in {cell[place] for cell in cells}]
        if absent:
            return f"no {key} {', '.join(absent)} in this scorecard"
    return "" if cells else "no such detector and view in this scorecard"


def _absolute(settings: Settings, card: Card, threshold: Threshold, cell: Cell) -> Verdict:
    found = measured(card, threshold, cell)
    limit = _limit(card, threshold, cell)
    shown = Verdict(threshold, *cell, "unjudged", "", found, limit, notes=_notes(found))
    if found.value is None:
        return replace(shown, reason=nothing(card, threshold, cell))
    if limit is None:
        return replace(shown, reason=f"no control was measured by {threshold.metric.name} here")
    held, end = _MEETS[threshold.op](found.value, limit), _bound(threshold, found)
    surely = end is not None and _MEETS[threshold.op](end, limit)
    if settings.by == "bound" and found.interval:
        held = surely
    elif held and found.interval and not surely:
        shown = replace(shown, notes=(*shown.notes, "held by its value; its interval reaches beyond the limit"))
    named = () if held else tuple(against(card, threshold, cell, limit))
    return replace(shown, status="held" if held else "broken", named=named)


def _bound(threshold: Threshold, found: Measured) -> float | None:
    """The end of the interval that is the worse for the threshold."""
    return found.interval[0 if threshold.metric.rises else 1] if found.interval else found.value


def _limit(card: Card, threshold: Threshold, cell: Cell) -> float | None:
    if threshold.limit == "budget":
        budget: float = card.content["budget_per_device_day"]
        return budget
    if threshold.limit != "controls":
        return threshold.limit if isinstance(threshold.limit, float) else None
    values = []
    anybody = replace(threshold, filters=tuple(one for one in threshold.filters if one.key != "detector"))
    for name in CONTROLS:
        found = measured(card, anybody, (name, cell[1])).value
        if found is not None:
            values.append(found)
    return (max if threshold.metric.rises else min)(values) if values else None


def against(card: Card, threshold: Threshold, cell: Cell, limit: float) -> list[Named]:
    """What counts against an absolute threshold, by name."""
    source = threshold.metric.source
    if source == "alarms":
        return new_alarms(card, None, threshold, cell)
    rows = card.met(replace(threshold, filters=()) if source == "cell" else threshold, cell)
    if source == "delays":
        return slow(card, rows, threshold.metric, limit)
    return missed(card, rows, unseen=threshold.metric.name != "recall")


def nothing(card: Card, threshold: Threshold, cell: Cell) -> str:
    """Why there is nothing to measure, in words."""
    if threshold.metric.source == "cell":
        found = summary(card.content, cell, threshold.analytic)
        return "no incident of it was judged here" if found else "this analytic was not judged here"
    if threshold.metric.source == "alarms":
        return "its filters leave no trial that was judged" if threshold.filters else "no device-day was judged"
    rows = card.met(threshold, cell)
    if not rows:
        return "its filters match no incident" if threshold.filters else "no incident of it was judged here"
    if all(row["verdict"] == "unseen" for row in rows):
        return f"this view shows none of its {len(rows)} incidents"
    return f"none of its {len(rows)} incidents was detected, so none has a delay"


def _notes(found: Measured) -> tuple[str, ...]:
    return (found.note,) if found.note else ()


def _compared(threshold: Threshold, cell: Cell, found: Compared) -> Verdict:
    values: dict[str, Any] = {name: value for name, value in vars(found).items() if name not in {"broken", "fault"}}
    status = "unjudged" if found.fault else "broken" if found.broken else "held"
    return Verdict(threshold, *cell, status, found.fault, **values)
