"""A comparison as lines for a terminal: what differs beside detectors, what changed and whether by chance, who flipped.

Every name that traffic or a scenario brought in goes through ``plain``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab.comparing.changes import Change
from lab.comparing.compare import Comparison
from lab.gate.measures import Measured
from lab.gate.named import Named
from lab.report import words

SHARES = ("recall", "recall_at_budget")
NAMED = 10  # of one change; all are in --json
SAID = {"false_alarms_per_device_day": "false alarms /d", "time_to_detect_p50": "to detect, p50", "pr_auc": "AP"}
SAID |= {"recall_at_budget": "recall at budget"}


def lines(found: Comparison) -> list[str]:
    """The whole comparison."""
    told = [*_head(found), *_table(found.changes), *_notes(found)]
    for one in found.changes:
        told += _names(one)
    return [words.plain(line) for line in [*told, _foot(found)]]


def _head(found: Comparison) -> Iterator[str]:
    about = found.to_json()
    for key in ("a", "b"):
        one = about[key]
        yield (
            f"{key.upper()} {one['scorecard']}: suite {one['suite']}, droidrange {one['droidrange']}, "
            f"{_many(one['scenarios_compared'], 'scenario')} and {_many(one['seeds_compared'], 'seed')} compared"
        )
    for row in about["detectors"]:
        if row["a"] != row["b"]:
            yield f"{row['detector']}: version {row['a'] or 'unknown'} in A, {row['b'] or 'unknown'} in B"
    for bar in found.both.bars:
        yield f"not the detector's alone: {bar}"
    yield ""


def _table(changes: Sequence[Change]) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("", "detector, view", "analytic", "", "A", "B", "difference", "95 %", "p")]
    rows += [_row(one) for one in changes]
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(text.ljust(size) for text, size in zip(row, wide, strict=True)).rstrip()
    yield ""


def _row(one: Change) -> tuple[str, ...]:
    where = (f"{one.detector}, {one.view}", one.analytic, SAID.get(one.metric, one.metric))
    values = (_value(one.before.value, one), _value(one.now.value, one))
    if one.reason:
        return ("?", *where, *values, "", "", one.reason)
    bounds = " to ".join(_signed(end, one) for end in one.difference_ci) if one.difference_ci else ""
    chance = "not tested" if one.p is None else f"{one.p:.3g}"
    return (_mark(one), *where, *values, _signed(one.difference, one), bounds, chance)


def _mark(one: Change) -> str:
    """What to think of a change: BETTER and WORSE are more than chance, better and worse may be chance."""
    if one.better is None:
        return "same"
    said = "better" if one.better else "worse"
    return said.upper() if one.significant else said


def _notes(found: Comparison) -> Iterator[str]:
    for note in found.both.notes:
        yield f"note: {note}"
    sizes = {(one.analytic, one.now.n): one.now for one in found.changes if one.metric == "recall"}
    for (analytic, _), size in sizes.items():
        yield f"note: {analytic}: n = {_size(size)}"
    if found.both.same_recordings:
        yield "note: both were scored on the same recordings: every difference is the detectors'"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _size(found: Measured) -> str:
    return f"{words.rate(found.n)} {found.of}"


def _names(one: Change) -> Iterator[str]:
    for some in (one.lost, one.gained):
        yield from _some(some, one)


def _some(rows: Sequence[Named], one: Change) -> Iterator[str]:
    for row in rows[:NAMED]:
        yield f"{row.how} {row.name} ({row.scenario}, seed {row.seed}; {one.detector}, {one.view}): {row.detail}"
        yield f"    {row.command}"
    if len(rows) > NAMED:
        yield f"and {len(rows) - NAMED} more {rows[0].how}: --json names them all"


def _foot(found: Comparison) -> str:
    sure = [one for one in found.changes if one.significant]
    worse, better = (sum(one.better is said for one in sure) for said in (False, True))
    tested = sum(one.p is not None for one in found.changes)
    told = f"{worse} significantly worse, {better} significantly better" if sure else "nothing more than chance"
    return f"compare: {told}, of {tested} tested at alpha {found.alpha:g} over all of them"


def _value(value: float | None, one: Change) -> str:
    if value is not None and one.metric in SHARES:
        return f"{100 * value:.3g} %"
    if value is not None and one.metric.startswith("time"):
        return words.duration(value)
    return words.rate(value)


def _signed(value: float | None, one: Change) -> str:
    if value is None:
        return words.UNKNOWN
    return ("-" if value < 0 else "+") + _value(abs(value), one)
