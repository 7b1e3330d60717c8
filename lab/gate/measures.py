"""The measured value of a threshold's metric in one cell, with its interval and the n it rests on. Pure.

Incidents that the view does not show (``unseen``) are a blind spot of the sensor: listed by the gate, not counted in
``recall``; ``recall_of_all`` counts them as the scorecard does. Delays are those of what was detected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.gate.grammar import Metric, Threshold
from lab.gate.selection import Card, Row
from lab.scoring.intervals import poisson_rate, wilson
from lab.scoring.ranking import quantile

TAIL = 0.025
COLUMNS = {"time_to_detect": "time_to_detect_s", "contacts_to_detect": "contacts_to_detect"}


@dataclass(frozen=True)
class Measured:
    """A value, None where nothing can be measured; ``n`` and ``of`` say what it rests on: 12 of "incidents".

    ``interval`` is of 95 %; an end that the data cannot bound is None.
    """

    value: float | None
    n: float
    of: str
    interval: tuple[float | None, float | None] | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "interval": list(self.interval) if self.interval else None}


def measured(card: Card, threshold: Threshold, cell: tuple[str, str]) -> Measured:
    """The metric of the threshold over the rows that it speaks of in that cell."""
    metric = threshold.metric
    if metric.source == "cell":
        return _summary(card, threshold, cell)
    if metric.source == "alarms":
        return alarms(metric, card.cost(threshold, cell))
    return of_incidents(metric, card.met(threshold, cell))


def of_incidents(metric: Metric, rows: Sequence[Row]) -> Measured:
    """A share, a count or a quantile over rows of incidents."""
    shown = [row for row in rows if metric.name == "recall_of_all" or row["verdict"] != "unseen"]
    hidden = len(rows) - len(shown)
    note = f"{hidden} unseen, not counted" if hidden else ""
    if metric.name == "incidents":
        return Measured(float(len(shown)) or None, len(shown), "incidents", None, note)
    hits = [row for row in shown if row["verdict"] == "detected"]
    if metric.source == "incidents":
        value = len(hits) / len(shown) if shown else None
        return Measured(value, len(shown), "incidents", wilson(len(hits), len(shown)), note)
    times = [float(row[column]) for row in hits if row[column := column_of(metric)] is not None]
    missed = len(shown) - len(times)
    assert metric.quantile is not None
    note = f"{missed} of {len(shown)} not detected, without a delay" if missed else ""
    bounds = quantile_interval(times, metric.quantile)
    return Measured(quantile(times, metric.quantile), len(times), "detected incidents", bounds, note)


def column_of(metric: Metric) -> str:
    """The column of incidents that a delay is read from."""
    return COLUMNS[metric.name.rsplit("_p", 1)[0]]


def alarms(metric: Metric, rows: Sequence[Row]) -> Measured:
    """False alarms, their rate, or the device-days behind it, over rows of judgements."""
    count, days = sum(row["false_alarms"] for row in rows), watched(rows)
    if metric.name == "device_days":
        return Measured(days or None, days, "device-days")
    if days <= 0:
        return Measured(None, days, "device-days")
    bounds = poisson_rate(count, days)
    if metric.name == "false_alarms" and bounds:
        return Measured(float(count), days, "device-days", (bounds[0] * days, bounds[1] * days))
    return Measured(count / days, days, "device-days", bounds)


def watched(rows: Sequence[Row]) -> float:
    """Device-days of rows of judgements; a trial in which two analytics were judged was watched once."""
    trials = {(row["scenario"], row["seed"], row["stage"]): row["device_days"] for row in rows}
    return math.fsum(trials.values())


def quantile_interval(values: Sequence[float], share: float) -> tuple[float | None, float | None] | None:
    """The interval between two order statistics that holds the quantile with 95 % whatever the distribution.

    David & Nagaraja, Order Statistics, 7.1 (from memory): ranks by the binomial distribution. None of nothing.

    >>> quantile_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0], 0.5)
    (2.0, 9.0)
    """
    if not values:
        return None
    ordered, n = sorted(values), len(values)
    low = high = None
    below = 0.0  # the chance that fewer than ``rank`` values lie below the quantile
    for rank in range(1, n + 1):
        below += _binomial(rank - 1, n, share)
        low = ordered[rank - 1] if below <= TAIL else low
        high = ordered[rank - 1] if high is None and below >= 1 - TAIL else high
    return low, high


def _binomial(many: int, of: int, share: float) -> float:
    log = math.lgamma(of + 1) - math.lgamma(many + 1) - math.lgamma(of - many + 1)
    return math.exp(log + many * math.log(share) + (of - many) * math.log1p(-share))


def _summary(card: Card, threshold: Threshold, cell: tuple[str, str]) -> Measured:
    found = summary(card.content, cell, threshold.analytic)
    value = found.get(threshold.metric.name)
    count = found.get("incidents") or 0
    return Measured(value, count, "incidents", None, "unseen incidents are counted" if found.get("unseen") else "")


def summary(content: Row, cell: tuple[str, str], analytic: str | None) -> Mapping[str, Any]:
    """What the scorecard says of one analytic in one cell; empty if nothing."""
    whole = content["detectors"].get(cell[0], {}).get("views", {}).get(cell[1], {})
    found: Mapping[str, Any] = whole.get("analytics", {}).get(analytic, {})
    return found
