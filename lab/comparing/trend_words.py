"""A history as lines for a terminal: the runs, then each series as blocks, with its first, last, least and most."""

from __future__ import annotations

from collections.abc import Iterator

from lab.comparing.trend import History, Series
from lab.report import words

SAID = {"false_alarms_per_device_day": "false alarms /d", "time_to_detect_p50": "to detect, p50", "pr_auc": "AP"}
SAID |= {"recall_at_budget": "recall at budget"}
SHARES = ("recall", "recall_at_budget")


def lines(found: History) -> list[str]:
    """The whole history."""
    return [words.plain(line) for line in (*_runs(found), "", *_series(found))]


def _runs(found: History) -> Iterator[str]:
    for number, run in enumerate(found.runs, 1):
        if run.card is None:
            yield f"{number:3} {run.name}: no evidence: {run.fault}"
            continue
        about = run.to_json()
        trials = ", ".join(f"{count} {status}" for status, count in about["trials"].items())
        yield f"{number:3} {run.name}: suite {about['suite']}, droidrange {about['droidrange']}, {trials}"
        for bar in run.breaks:
            yield f"      not comparable with the run before: {bar}"


def _series(found: History) -> Iterator[str]:
    heads = ("suite, detector, view", "analytic", "", "runs", "first", "last", "least", "most")
    rows = [heads, *(_row(one) for one in found.series)]
    wide = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    for row in rows:
        yield "  ".join(text.ljust(size) for text, size in zip(row, wide, strict=True)).rstrip()


def _row(one: Series) -> tuple[str, ...]:
    known = [value for value in one.values if value is not None]
    shown = (_value(value, one.metric) for value in (known[0], known[-1], min(known), max(known)))
    where = (f"{one.suite}, {one.detector}, {one.view}", one.analytic, SAID.get(one.metric, one.metric))
    return (*where, one.spark, *shown)


def _value(value: float, metric: str) -> str:
    if metric in SHARES:
        return words.share(value)
    return words.duration(value) if metric.startswith("time") else words.rate(value)
