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
            beyond = [column for column in one.too_few if column.auc > 0.5 + MARGIN]
            say(
                f"{one.suite}: {len(one.too_few)} of {len(one.columns)} columns have too few apps here to be judged"
                f" ({len(beyond)} of them beyond {0.5 + MARGIN}) and are judged over {reports[-1].suite}"
            )
            for column in one.unjudged(reports[-1]):
                say(f"{one.suite}: {column}: too few to tell, there as well")


def _nearest(row: Column) -> tuple[bool, float]:
    return row.verdict == "leak", row.auc
