"""A threshold in one line of text: ``polling.recall{period<=15m} >= 0.9``, ``warn relay.recall no-regression``.

    [off|warn|error] [patch] [polling.|relay.]METRIC[{KEY OP VALUE[|VALUE], ...}]  >=|<=|>|<  LIMIT
                                                                                   no-regression | no-loss

Pure. A line that could never fail, or never hold, is refused: it would be a gate painted on a wall.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lab.authoring.settings import UNITS_S
from lab.behaviours import nearest

LEVELS = ("off", "warn", "error")
SUBJECTS = {"polling": "AN1793", "relay": "AN1702", "AN1793": "AN1793", "AN1702": "AN1702"}
#: Limits that are read off the scorecard: what the run said it could afford; the best of the controls.
READ_OFF = ("budget", "controls")
_WHAT = r"(?:(?P<subject>[A-Za-z0-9]+)\.)?(?P<metric>\w+)\s*(?:\{(?P<filters>[^{}]*)\})?"
_QUANTITY = re.compile(rf"\s*{_WHAT}\s*")
_LINE = re.compile(
    rf"\s*(?:(?P<level>off|warn|error)\s+)?(?:(?P<patch>patch)\s+)?{_WHAT}"
    r"\s*(?:(?P<kind>no-regression|no-loss)|(?P<op>>=|<=|>|<)\s*(?P<limit>\S+))\s*"
)
_ONE = r"""(?:"[^"]*"|'[^']*'|[^,|<>=!"'{}]+)"""
_FILTER = re.compile(rf"\s*(?P<key>[a-z_]+)\s*(?P<op>>=|<=|!=|=|>|<)\s*(?P<values>{_ONE}(?:\|{_ONE})*)(?:,(?!\s*$)|$)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True)
class Metric:
    """A measured quantity: whether more is better, what it is counted from, its unit and its range.

    ``source``: ``incidents`` (rows of incidents), ``delays`` (those detected), ``alarms`` (rows of judgements), or
    ``cell`` (computed by the scorecard for a whole detector, view and analytic, so that nothing can be filtered).
    """

    name: str
    rises: bool
    source: str
    unit: str = ""
    most: float = math.inf
    quantile: float | None = None


@dataclass(frozen=True)
class Filter:
    """One condition on rows; of several values one is enough."""

    key: str
    op: str
    values: tuple[str | float, ...]


@dataclass(frozen=True)
class Threshold:
    """One line, understood. ``kind``: absolute, no-regression or no-loss; ``limit`` is None for the last two."""

    text: str
    level: str
    patch: bool
    analytic: str | None
    metric: Metric
    filters: tuple[Filter, ...]
    kind: str
    op: str = ""
    limit: float | str | None = None


_PLAIN = {
    one.name: one
    for one in (
        Metric("recall", rises=True, source="incidents", most=1.0),
        Metric("recall_of_all", rises=True, source="incidents", most=1.0),
        Metric("incidents", rises=True, source="incidents"),
        Metric("false_alarms", rises=False, source="alarms"),
        Metric("false_alarms_per_device_day", rises=False, source="alarms"),
        Metric("device_days", rises=True, source="alarms"),
        Metric("pr_auc", rises=True, source="cell", most=1.0),
        Metric("recall_at_budget", rises=True, source="cell", most=1.0),
    )
}
_QUANTILES = {"time_to_detect": "s", "contacts_to_detect": ""}
_QUANTILE = re.compile(rf"({'|'.join(_QUANTILES)})_p([1-9]\d?)")
METRICS = (*_PLAIN, *(f"{name}_p90" for name in _QUANTILES))
SIZES = ("incidents", "device_days")  # of the evidence: they can be demanded, not regress


def parse(text: str) -> Threshold:
    """The threshold that a line states; ValueError says what was found and what was expected."""
    found = _LINE.fullmatch(text)
    if found is None:
        raise ValueError(
            f"found {text!r}, expected such as 'polling.recall{{period<=15m}} >= 0.9' (droidrange gate -h)"
        )
    analytic, metric = _subject(found["subject"], found["metric"])
    if metric.source == "cell" and found["patch"]:
        raise ValueError(f"{metric.name} is one analytic's, over a whole suite: found patch")
    kind = found["kind"] or "absolute"
    pairless = metric.source == "cell" and kind == "no-regression"
    if kind != "absolute" and (metric.name in SIZES or found["patch"] or pairless):
        raise ValueError(f"{metric.name} {kind}: {_why_not(metric, patch=bool(found['patch']))}")
    if kind != "absolute":
        op, limit = "", None
    else:
        op, limit = found["op"], _limit(metric, found["op"], found["limit"])
    return Threshold(
        text=" ".join(text.split()),
        level=found["level"] or "error",
        patch=found["patch"] is not None,
        analytic=analytic,
        metric=metric,
        filters=_filters(found["filters"] or "", metric),
        kind=kind,
        op=op,
        limit=limit,
    )


def quantity(text: str) -> Threshold:
    """What a line without a limit is about, ``polling.recall{period<=15m}``: to be measured, never judged."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise ValueError(f"found {text!r}, expected such as 'polling.recall{{period<=15m}}'")
    analytic, metric = _subject(found["subject"], found["metric"])
    return Threshold(text, "off", False, analytic, metric, _filters(found["filters"] or "", metric), "quantity")


def _subject(name: str | None, metric: str) -> tuple[str | None, Metric]:
    made = metric_named(metric)
    if name is not None and name not in SUBJECTS:
        raise ValueError(f"unknown analytic '{name}'{nearest(name, list(SUBJECTS)) or _known(SUBJECTS)}")
    if made.source == "cell" and name is None:
        raise ValueError(f"{metric} is one analytic's, over a whole suite: expected polling.{metric} or relay.")
    return (SUBJECTS[name] if name else None), made


def metric_named(name: str) -> Metric:
    """The metric of that name; any quantile of the delays has one, such as time_to_detect_p75."""
    if name in _PLAIN:
        return _PLAIN[name]
    found = _QUANTILE.fullmatch(name)
    if found is None:
        raise ValueError(f"unknown metric '{name}'{nearest(name, list(METRICS)) or _known(METRICS)}")
    return Metric(name, rises=False, source="delays", unit=_QUANTILES[found[1]], quantile=int(found[2]) / 100)


def _known(names: Sequence[str] | dict[str, str]) -> str:
    return "; known are " + ", ".join(names)


def _why_not(metric: Metric, *, patch: bool) -> str:
    if patch:
        return "what is new has no counterpart in the baseline; expected a limit, such as >= 0.8"
    if metric.name in SIZES:
        return f"the size of the evidence can be demanded only; expected {metric.name} >= N"
    return "has no pairs to test; expected no-loss, or a limit"


def _limit(metric: Metric, op: str, text: str) -> float | str:
    """The limit; ValueError for one on the wrong side, out of range, or that everything or nothing would meet."""
    if op[0] != ("<", ">")[metric.rises]:
        better = "more" if metric.rises else "less"
        raise ValueError(f"{metric.name} {op} {text}: {better} is better, expected {'>=' if metric.rises else '<='}")
    if text in READ_OFF:
        return _read_off(metric, text)
    value = amount(text, metric.unit)
    if value < 0 or value > metric.most or (op == ">" and value >= metric.most):
        raise ValueError(f"{metric.name} {op} {text}: nothing can meet it, expected 0 to {metric.most:g}")
    if metric.rises and op == ">=" and value == 0:
        raise ValueError(f"{metric.name} >= 0: everything meets it, expected more than 0")
    if op == "<" and value == 0:
        raise ValueError(f"{metric.name} < 0: nothing can meet it, expected <= 0")
    return value


def _read_off(metric: Metric, text: str) -> str:
    if text == "budget" and metric.name != "false_alarms_per_device_day":
        raise ValueError(f"{metric.name}: found limit 'budget', which is false alarms per device-day")
    return text


def amount(text: str, unit: str) -> float:
    """A limit in the metric's unit: "90%", "0.9", and where the unit is s a duration; ValueError says what it is."""
    if found := _DURATION.fullmatch(text):
        if unit != "s":
            raise ValueError(f"found {text!r}, expected a number: this is no time")
        return float(found[1]) * UNITS_S[found[2]]
    if unit == "s":
        raise ValueError(f"found {text!r}, expected a duration such as '30m' or '2h'")
    share = text.removesuffix("%")
    if not _NUMBER.fullmatch(share) or not math.isfinite(float(share)):
        raise ValueError(f"found {text!r}, expected a number such as 0.9 or 90%")
    return float(share) / (100 if text.endswith("%") else 1)


def _filters(text: str, metric: Metric) -> tuple[Filter, ...]:
    if not text.strip():
        return ()
    found, place = [], 0
    while place < len(text):
        match = _FILTER.match(text, place)
        if match is None:
            raise ValueError(f"filter {text[place:].strip()!r}: expected such as 'period<=15m' or 'view=full|no-app'")
        place, values = match.end(), tuple(_value(one.strip()) for one in re.findall(_ONE, match["values"]))
        if match["op"] not in {"=", "!="} and (len(values) > 1 or isinstance(values[0], str)):
            said = f"filter '{match['key']}{match['op']}{match['values'].strip()}'"
            raise ValueError(f"{said}: {match['op']} compares one number or duration, expected = or !=")
        found.append(Filter(match["key"], match["op"], values))
    allowed = {"cell": ("view", "detector"), "alarms": ALARM_KEYS}.get(metric.source)
    foreign = [one.key for one in found if allowed and one.key not in allowed]
    if foreign and allowed:
        raise ValueError(f"{metric.name} cannot be filtered by {', '.join(foreign)}, only by {', '.join(allowed)}")
    return tuple(found)


#: What a trial is, by which its false alarms can be filtered: an alarm about nothing has no behaviour and no period.
ALARM_KEYS = ("view", "detector", "scenario", "seed", "stage", "held_out", "analytic")


def _value(text: str) -> str | float:
    if found := _DURATION.fullmatch(text):
        return float(found[1]) * UNITS_S[found[2]]
    if _NUMBER.fullmatch(text):
        return float(text)
    return text[1:-1] if text[0] in "'\"" else text
