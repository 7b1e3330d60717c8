"""The outcome of a gate as lines for a terminal: verdicts first, what broke them by name, then what was not counted.

Every name that traffic or a scenario brought in goes through ``plain``: it may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lab.gate.grammar import Metric
from lab.gate.measures import Measured
from lab.gate.named import Named
from lab.gate.outcome import BROKEN, HELD, Outcome
from lab.gate.verdicts import Verdict
from lab.report import words

NAMED = 10  # of one broken threshold; all are in --json
FEW = 3  # of a warning, and of what was gained
SPOTS = 8
SHARES = ("recall", "recall_of_all", "recall_at_budget")
MARKS = {"held": "held    ", "broken": "BROKEN  ", "unjudged": "UNJUDGED", "idle": "idle    "}


def lines(found: Outcome) -> list[str]:
    """The whole outcome."""
    told = [_head(found)]
    for one in found.verdicts:
        told += verdict(one)
    told += [*_spots(found.blind_spots), *_evidence(found.completeness), _foot(found)]
    return [words.plain(line) for line in told]


def _head(found: Outcome) -> str:
    against = f" against {found.sources['baseline']}" if found.sources["baseline"] else ""
    return f"gate of {found.sources['scorecard']}{against}, by {found.sources['config']}"


def _foot(found: Outcome) -> str:
    code = found.exit_code
    if code == HELD:
        warned = sum(one.status == "broken" for one in found.verdicts)
        return "gate: held" + (f", {warned} warnings" if warned else "")
    if code == BROKEN:
        broken = sum(one.status == "broken" and one.threshold.level == "error" for one in found.verdicts)
        return f"gate: BROKEN, {broken} of {len(found.verdicts)} thresholds"
    unjudged = sum(one.status == "unjudged" for one in found.verdicts)
    why = f"{unjudged} thresholds could not be judged" if unjudged else "nothing was judged"
    return f"gate: NO EVIDENCE, {why}: this is neither a pass nor a regression"


def verdict(one: Verdict) -> Iterator[str]:
    """One verdict, and what broke it by name; the lines are not plain yet."""
    metric = one.threshold.metric
    mark = "warning " if one.status == "broken" and one.threshold.level == "warn" else MARKS[one.status]
    place = f" [{one.detector}, {one.view}]" if one.detector else ""
    yield f"{mark} {one.threshold.text}{place}" + (f": {one.reason}" if one.reason else "")
    if one.measured and one.measured.value is not None:
        limit = f"; limit {_value(one.limit, metric)}" if one.limit is not None else ""
        yield f"         measured {measurement(one.measured, metric)}{limit}"
    if one.baseline:
        yield f"         baseline {measurement(one.baseline, metric)}{_difference(one, metric)}"
    for note in one.notes:
        yield f"         note: {note}"
    if one.status == "broken":
        yield from names(one.named, NAMED if one.threshold.level == "error" else FEW)
    yield from names(one.gained, FEW)


def measurement(found: Measured, metric: Metric) -> str:
    """A measured value with its interval and what it rests on."""
    bounds = ""
    if found.interval == (None, None):
        bounds = " (too few for an interval)"
    elif found.interval:
        low, high = (_value(end, metric) if end is not None else "unbounded" for end in found.interval)
        bounds = f" ({low} to {high})"
    return f"{_value(found.value, metric)}{bounds}, n = {words.rate(found.n)} {found.of}"


def _difference(one: Verdict, metric: Metric) -> str:
    if one.difference is None:
        return ""
    bounds = [_signed(end, metric) for end in one.difference_ci] if one.difference_ci else []
    said = f"; difference {_signed(one.difference, metric)}" + (f" ({' to '.join(bounds)})" if bounds else "")
    return said + (f", p = {one.p:.3g}" if one.p is not None else "")


def _signed(value: float, metric: Metric) -> str:
    return ("-" if value < 0 else "+") + _value(abs(value), metric)


def _value(value: float | None, metric: Metric) -> str:
    if value is not None and metric.name in SHARES:
        return f"{100 * value:.3g} %"
    if value is not None and metric.unit == "s":
        return words.duration(value)
    return words.rate(value)


def names(rows: Sequence[Named], most: int) -> Iterator[str]:
    """What is pointed at, each with its command; the lines are not plain yet."""
    for row in rows[:most]:
        yield f"         {row.how} {row.name} ({row.scenario}, seed {row.seed}): {row.detail}"
        yield f"             {row.command}"
    if len(rows) > most:
        yield f"         and {len(rows) - most} more: --json names them all"


def _spots(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    told = list(rows)
    if told:
        yield "blind spots (listed, no threshold counts them):"
    for row in told[:SPOTS]:
        n = row["incidents"] + row["unsupported_incidents"]
        yield f"         {row['analytic']} {row['behaviour']}: all {n} {row['why']} ({row['detector']}, {row['view']})"
    if len(told) > SPOTS:
        yield f"         and {len(told) - SPOTS} more: --json lists them all"


def _evidence(found: Mapping[str, Any]) -> Iterator[str]:
    trials = found["trials"]
    counts = ", ".join(f"{count} {status}" for status, count in trials.items())
    yield f"evidence: {sum(trials.values())} trials ({counts}) on {found['recordings']} recordings"
    for cell in found["cells"]:
        whole = sum(cell["trials"].values())
        yield (
            f"         {cell['detector']}, {cell['view']}: {cell['trials']['scored']} of {whole} trials scored, "
            f"{cell['incidents']} incidents ({cell['unseen']} unseen), {words.rate(cell['device_days'])} device-days"
        )
    for line in found["unscored"][:SPOTS]:
        yield f"         {line}"
