"""The scorecard as tables on a terminal: what was found, what it cost, what stayed unseen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.report import words
from lab.report.ladder import Json, ladder, subjects
from lab.score import CONTROLS, Scorecard, refusal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WORST = 8  # false alarms and blind spots named; the report has the rest


def print_scorecard(card: Scorecard, console: Console | None = None) -> None:
    """Prints the scorecard to stdout, or to the console given; colour only where that is a terminal."""
    from rich.console import Console
    from rich.text import Text

    out, content = console or Console(), card.to_json()
    out.print(_totals(content))
    for name in subjects(content, CONTROLS):
        steps = ladder(content, name)
        if steps.rows:
            table = _table(f"incidents detected by {name}", ["behaviour", *steps.views])
            for analytic, behaviour, rungs in steps.rows:
                _row(table, [f"{analytic} {behaviour}", *(rung.text for rung in rungs)])
            out.print(table)
    for line in (*_false_alarms(content), *_blind_spots(content), *_unscored(content)):
        out.print(Text(words.plain(line)))
    if stop := refusal(content):
        out.print(Text(stop, style="bold red"))
    out.print(Text(words.CLAIM, style="dim"))


def _totals(card: Json) -> Table:
    trials = ", ".join(f"{count} {status}" for status, count in card["trials"].items())
    heads = ["detector", "view", "analytic", "recall", "95 %", "false alarms /device-day", "95 %", "AP", "after"]
    table = _table(f"suite {card['suite']}, {card['seeds']} seeds; trials: {trials}", heads)
    for name, whole in card["detectors"].items():
        for view, cell in sorted(whole["views"].items(), key=lambda item: words.ladder_order(item[0])):
            for analytic, found in cell["analytics"].items():
                _row(table, [name, view, analytic, *_numbers(found)])
            if not cell["analytics"]:
                _row(table, [name, view, "-", "no score"])
    return table


def _numbers(found: Json) -> list[str]:
    alarms = f"{words.rate(found['false_alarms_per_device_day'])} ({found['false_alarms']})"
    return [
        f"{found['detected']}/{found['incidents']} {words.share(found['recall'])}",
        words.share_interval(found["recall_ci"]),
        alarms,
        words.rate_interval(found["fa_ci"]),
        words.rate(found["pr_auc"]),
        words.duration(found["time_to_detect_s"]["p50"]),
    ]


def _false_alarms(card: Json) -> list[str]:
    tested = subjects(card, CONTROLS)
    rows = sorted(
        (row for row in card["false_alarms"] if row["detector"] in tested),
        key=lambda row: (words.ladder_order(row["view"]), -row["score"]),
    )
    lines = [
        f"false alarm: {row['analytic']} {row['package'] or 'unknown app'} ({row['category'] or 'unknown'}) on "
        f"{row['device']} -> {row['peer'] or '-'}, score {row['score']:.2f}, {row['kind']}; "
        f"{row['scenario']}, {row['detector']}, view {row['view']}"
        for row in rows[:WORST]
    ]
    return lines + _more(len(rows), "false alarms")


def _blind_spots(card: Json) -> list[str]:
    rows = card["blind_spots"]
    lines = [
        f"blind spot: {row['analytic']} {row['behaviour']} under view {row['view']} ({row['detector']}: {row['why']})"
        for row in rows[:WORST]
    ]
    return lines + _more(len(rows), "blind spots")


def _unscored(card: Json) -> list[str]:
    rows = [row for row in card["unscored"] if row["status"] == "failed"]
    lines = [
        f"failed: {row['scenario']}, seed {row['seed']}, {row['detector']}, view {row['view']}: {row['reason']}"
        for row in rows[:WORST]
    ]
    return lines + _more(len(rows), "failed trials")


def _more(count: int, what: str) -> list[str]:
    return [f"... and {count - WORST} more {what}: see the report"] if count > WORST else []


def _table(title: str, heads: Iterable[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(words.plain(title)), title_justify="left")
    for head in heads:
        table.add_column(Text(words.plain(head)), overflow="fold")
    return table


def _row(table: Table, cells: Iterable[str]) -> None:
    from rich.text import Text

    table.add_row(*(Text(words.plain(cell)) for cell in cells))
