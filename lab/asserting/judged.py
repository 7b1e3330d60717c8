"""A scorecard as what pytest collects: the evidence, what must hold of it, and every incident, each with its end. Pure.

``held`` passes, ``broken`` fails, ``no-evidence`` is an error, ``skipped`` says why it was not judged. ``told`` is bad
and does not decide: a warning, or a missed incident where thresholds were written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab.exporting import narrowed
from lab.gate.again import command
from lab.gate.grammar import Filter, parse
from lab.gate.selection import Card
from lab.gate.settings import Settings
from lab.gate.verdicts import Verdict
from lab.gate.verdicts import judged as gate_judged
from lab.gate.words import verdict
from lab.report.cases import Case, cases
from lab.report.words import plain

Row = Mapping[str, Any]
ENDS = {"detected": "held", "missed": "broken", "unseen": "skipped", "unsupported": "skipped", "failed": "no-evidence"}
BUDGET = parse("false_alarms_per_device_day <= budget")


@dataclass(frozen=True)
class Judged:
    """One item: its name, its end, and what to say of it."""

    name: str
    end: str
    lines: tuple[str, ...]


def budget_settings(detectors: Sequence[str], views: Sequence[str]) -> Settings:
    """The settings that stand in where no thresholds are given: each of these detectors stays within the budget."""
    lines = [replace(BUDGET, filters=(Filter("detector", "=", (name,)),)) for name in detectors]
    return Settings(tuple(lines), "--droidrange-budget", views=tuple(views))


def judged(
    content: Row, detectors: Sequence[str], views: Sequence[str], settings: Settings | None, baseline: Row | None = None
) -> list[Judged]:
    """The items of a scorecard for those detectors and views; ``settings`` None: the budget, and every incident."""
    found = [_evidence(content, name, view) for name in detectors for view in views]
    asked = settings or budget_settings(detectors, views)
    verdicts = gate_judged(asked, Card(content), Card(baseline) if baseline is not None else None)
    met = [case for name in detectors for case in cases(narrowed(content, (name,), views), command)]
    found += [_verdict(content, one) for one in verdicts]
    return found + [_case(case, decides=settings is None) for case in met]


def _evidence(content: Row, detector: str, view: str) -> Judged:
    """Whether a detector was judged under a view at all: what was not can neither pass nor fail."""
    name, counts = f"{detector}::{view}::evidence", content["detectors"][detector]["views"][view]["trials"]
    met, ended = (_of(content[part], detector, view) for part in ("incidents", "unscored"))
    why = ""
    if counts["failed"]:
        why = f"no evidence: {counts['failed']} of {sum(counts.values())} trials failed"
    elif not counts["scored"]:
        why = "no evidence: not one trial was scored"
    elif met and all(row["verdict"] == "unseen" for row in met):
        why = f"no evidence: this view shows none of the {len(met)} incidents"
    if why:
        return _made(name, "no-evidence", [why, *dict.fromkeys(row["reason"] for row in ended)])
    return _made(name, "held", [f"{counts['scored']} trials scored"])


def _of(rows: Sequence[Row], detector: str, view: str) -> list[Row]:
    return [row for row in rows if (row["detector"], row["view"]) == (detector, view)]


def _verdict(content: Row, one: Verdict) -> Judged:
    name = f"{one.detector or 'any'}::{one.view or 'any'}::{one.threshold.text}"
    cell = content["detectors"].get(one.detector, {}).get("views", {}).get(one.view)
    end = {"held": "held", "idle": "skipped", "unjudged": "no-evidence", "broken": "broken"}[one.status]
    if one.status == "broken" and one.threshold.level == "warn":
        end = "told"
    if end == "no-evidence" and cell and cell["trials"]["unsupported"] == sum(cell["trials"].values()):
        end = "skipped"  # the item of the evidence says it as an error
    return _made(name, end, list(verdict(one)))


def _case(case: Case, *, decides: bool) -> Judged:
    end = ENDS[case.status]
    end = "told" if end == "broken" and not decides else end
    place = f"{case.detector}::{case.view}::{case.scenario}-s{case.seed}::{case.name}"
    return _made(place, end, [case.headline, *case.told, "again:", f"  {case.command}"])


def _made(name: str, end: str, lines: Sequence[str]) -> Judged:
    return Judged(plain(name), end, tuple(plain(line) for line in lines))
