"""Scorecards in an order as series of numbers: what each run measured, and where a series is broken. Pure.

A series is of one suite, detector, view and analytic. It is broken where a run is not comparable with the one before it
in that suite: another droidrange, fleet, past, stage, or scenarios that changed. A run that is no evidence has no
numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from detector.contract import SCHEMA_VERSION
from lab.comparing.overlap import common
from lab.gate.selection import Card
from lab.report.cases import cells

Row = Mapping[str, Any]
METRICS = ("recall", "recall_at_budget", "false_alarms_per_device_day", "pr_auc", "time_to_detect_p50")
SHARES = ("recall", "recall_at_budget", "pr_auc")
BARS = "▁▂▃▄▅▆▇█"
NOTHING = "·"


@dataclass(frozen=True)
class Run:
    """One scorecard of a history; ``fault`` is why it is no evidence, ``breaks`` why it is not comparable."""

    name: str
    card: Card | None
    fault: str = ""
    breaks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        content: Row = self.card.content if self.card else {}
        software = content.get("evidence", {}).get("software", {}).get("droidrange")
        told = {"run": self.name, "suite": content.get("suite"), "droidrange": software, "fault": self.fault or None}
        return {**told, "seeds": content.get("seeds"), "trials": content.get("trials"), "breaks": list(self.breaks)}


@dataclass(frozen=True)
class Series:
    """One metric of one suite, detector, view and analytic over the runs; None where a run has not measured it."""

    suite: str
    detector: str
    view: str
    analytic: str
    metric: str
    values: tuple[float | None, ...]

    @property
    def spark(self) -> str:
        """The series in as many characters as there are runs; shares from 0 to 1, others from 0 to the largest."""
        return spark(self.values, 1.0 if self.metric in SHARES else None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "values": list(self.values), "spark": self.spark}


@dataclass(frozen=True)
class History:
    """The runs in their order, and every series over them."""

    runs: tuple[Run, ...]
    series: tuple[Series, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        runs, series = ([one.to_json() for one in some] for some in (self.runs, self.series))
        return {"schema_version": SCHEMA_VERSION, "runs": runs, "series": series}


def history(runs: Sequence[Run], detectors: Sequence[str] = (), views: Sequence[str] = ()) -> History:
    """The history of these runs, for these detectors and views, for all where none are named."""
    whole = [
        run if run.card is None else Run(run.name, run.card, "", _breaks(runs[:place], run.card))
        for place, run in enumerate(runs)
    ]
    keys = dict.fromkeys(key for run in whole if run.card for key in _keys(run.card))
    wanted = [key for key in keys if (not detectors or key[1] in detectors) and (not views or key[2] in views)]
    series = [
        Series(*key, metric, tuple(_value(run.card, key, metric) for run in whole))
        for key in wanted
        for metric in METRICS
    ]
    return History(tuple(whole), tuple(one for one in series if any(value is not None for value in one.values)))


def spark(values: Sequence[float | None], most: float | None = None) -> str:
    """A line of blocks, one for each value from 0 to ``most`` or the largest; a dot where there is none.

    >>> spark([0.0, 0.5, None, 1.0])
    '▁▅·█'
    """
    top = most or max((value for value in values if value is not None), default=0.0)
    return "".join(
        NOTHING if value is None else BARS[round(min(value / top, 1.0) * (len(BARS) - 1)) if top else 0]
        for value in values
    )


def _breaks(earlier: Sequence[Run], card: Card) -> tuple[str, ...]:
    """Why a run is not comparable with the one of its suite before it."""
    before = [run.card for run in earlier if run.card and run.card.content["suite"] == card.content["suite"]]
    return common(before[-1], card).bars if before else ()


def _keys(card: Card) -> Iterator[tuple[str, str, str, str]]:
    for name, view in cells(card.content):
        for analytic in card.content["detectors"][name]["views"][view]["analytics"]:
            yield card.content["suite"], name, view, analytic


def _value(card: Card | None, key: tuple[str, str, str, str], metric: str) -> float | None:
    suite, name, view, analytic = key
    if card is None or card.content["suite"] != suite:
        return None
    whole = card.content["detectors"].get(name, {}).get("views", {}).get(view, {})
    found = whole.get("analytics", {}).get(analytic)
    if found is None:
        return None
    value: float | None = found["time_to_detect_s"]["p50"] if metric == "time_to_detect_p50" else found[metric]
    return value
