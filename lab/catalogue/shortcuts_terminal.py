"""The shortcut report on a terminal: the columns of each suite that come nearest to a leak, and what leaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab.catalogue.columns import MARGIN, Column
from lab.catalogue.shortcuts import Report
from lab.console import emit, screen


def print_shortcuts(reports: Sequence[Report], worst: int = 6, say: Callable[[str], None] = emit) -> None:
    """The reports on stdout: ``worst`` columns of each suite, then what leaks and what it has too few apps to judge."""
    from rich.table import Table

    for one in reports:
        table = Table(title=f"suite {one.suite}: {one.scenarios} scenarios, {one.seeds} seeds")
        for head in ("table, column", "kind", "against", "malicious, benign", "AUC", "95 %", ""):
            table.add_column(head)
        for row in (*sorted(one.columns, key=_nearest, reverse=True)[:worst], *one.together):
            low, high = row.interval
            interval, size = f"{low:.2f} to {high:.2f}", f"{row.malicious}, {row.benign}"
            where = (f"{row.table}, {row.column}", row.kind, row.among)
            table.add_row(*where, size, f"{row.auc:.2f}", interval, row.verdict)
        screen().print(table)
        for leak in one.leaks:
            say(f"{one.suite}: {leak}")
        if one.too_few:
            _print_too_few(one, reports[-1], say)


def _print_too_few(one: Report, pool: Report, say: Callable[[str], None]) -> None:
    """What a suite has too few apps to judge, what nobody can judge, and what to do about what looks like a leak."""
    beyond = sum(column.beyond for column in one.too_few)
    say(
        f"{one.suite}: {len(one.too_few)} of {len(one.columns)} columns have too few apps here to be judged"
        f" ({beyond} of them beyond {0.5 + MARGIN}) and are judged over {pool.suite}"
    )
    doubtful = one.doubtful(pool)
    for column in one.unjudged(pool):
        doubt = ", and it looks like a leak" if column in doubtful else ""
        say(f"{one.suite}: nobody can judge {column}: too few to tell{doubt}")
    if doubtful:
        say(
            f"{one.suite}: make these columns alike in each malicious scenario and its twin, or add such pairs:"
            f" about 150 malicious and as many benign apps can be judged"
        )


def _nearest(row: Column) -> tuple[bool, float]:
    return row.verdict == "leak", row.auc
