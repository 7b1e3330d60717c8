"""The check of scenarios on a terminal: a line for each promise, then what failed by itself, and the sum."""

from __future__ import annotations

from collections.abc import Sequence

from lab.catalogue.proving import Row, counts
from lab.console import emit, plural, screen

PROMISE = ("scenario", "behaviour", "package", "measure")
NARROW = ("scenario", "found", "expected")  # columns that are folded last


def print_checks(rows: Sequence[Row]) -> None:
    """The rows of proving.check on stdout: one table, then notices and failures, the sum last."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for head in ("", "scenario", "behaviour", "app", "found", "expected", "on"):
        table.add_column(head, overflow="fold", no_wrap=head in NARROW)
    for group in _promises(rows):
        table.add_row(*map(Text, _cells(group)))  # what a file says is no markup
    screen().print(table)
    for row in rows:
        if "notice" in row:
            emit(f"note  {row['scenario']}: {row['notice']}")
    for row in rows:
        if not row["ok"]:
            emit(f"FAIL  {_failed(row)}")
    emit(_sum(rows))


def _sum(rows: Sequence[Row]) -> str:
    found = counts(rows)
    proved = f"{plural(found['scenarios'], 'scenario')}, {found['proved']} proved"
    unplayed = f", {found['not_played']} not played" if found["not_played"] else ""
    return f"{plural(found['expectations'], 'expectation')}, {found['failed']} failed; {proved}{unplayed}"


def _promises(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each promise, in the order of the first; a scenario without one, or not played, is one as well."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if "notice" not in row:
            groups.setdefault(tuple(str(row.get(name, "")) for name in PROMISE), []).append(row)
    return [*groups.values()]


def _cells(group: Sequence[Row]) -> tuple[str, ...]:
    one = group[0]
    failed = sum(not row["ok"] for row in group)
    mark = "FAIL" if failed else "ok"
    if "found" not in one:
        return mark, one["scenario"], "", "", "not played" if failed else one["measure"], "", ""
    found = sorted(row["found"] for row in group)
    seen = f"{found[0]:g}" + (f" to {found[-1]:g}" if found[0] != found[-1] else "")
    seeds = len({row["seed"] for row in group})
    where = plural(len({row["device"] for row in group}), "phone") + (f", {seeds} seeds" if seeds > 1 else "")
    where += f", {failed} of {len(group)} fail" if failed else ""
    return mark, one["scenario"], one["behaviour"], one["package"], f"{seen} {one['measure']}", _range(one), where


def _range(row: Row) -> str:
    low, high = row["at_least"], row["at_most"]
    if high is None:
        return "" if low is None else f"{low:g} or more"
    return f"up to {high:g}" if low is None else f"{low:g} to {high:g}"


def _failed(row: Row) -> str:
    seed = f" (seed {row['seed']})" if "seed" in row else ""
    if "fault" in row:
        return f"{row['scenario']}{seed}: {row['fault']}"
    who = f"{row['behaviour']} of {row['package']} on {row['device']}"
    return f"{row['scenario']}{seed}: {who}: found {row['found']:g} {row['measure']}, expected {_bounds(row)}"


def _bounds(row: Row) -> str:
    words = (("at_least", "at least"), ("at_most", "at most"))
    return " and ".join(f"{word} {row[key]:g}" for key, word in words if row[key] is not None)
