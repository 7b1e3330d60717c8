"""Detection boundaries on a terminal: a heat map for each, the lines as marks, the limit of timing in words.

From a scorecard's ``boundary`` alone, in the cells of the page (lab/report/boundary.py). Colour repeats what marks say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.report import words
from lab.report.boundary import maps
from lab.report.ladder import Json

if TYPE_CHECKING:
    from rich.table import Table

MARKS = ((0.95, "*"), (0.5, "+"))
LEGEND = "* 95 % found or more, + half or more, - not played"
SHADES = ("on dark_red", "on orange4", "on dark_green")  # below a half, from there on, from 95 % on
LIMITS = 3  # points of the limit's curve that are told


def tables(card: Json, tested: Sequence[str]) -> Iterator[Table]:
    """A table for each map of the detectors under test."""
    from rich.table import Table
    from rich.text import Text

    mine = [row for row in card.get("boundary", ()) if row["detector"] in tested]
    for row, drawn in zip(mine, maps(card, tested), strict=True):
        title = words.plain(f"{drawn.name}: found of played. {LEGEND}")
        table = Table(title=title, title_justify="left", title_style="", caption=_limit(row), caption_justify="left")
        table.add_column(words.plain(f"{drawn.down} \\ {drawn.across}"))
        for name in drawn.columns:
            table.add_column(words.plain(name), justify="right")
        for (name, cells), y in zip(drawn.table, reversed(row["y"]["values"]), strict=True):
            met = {one["x"]: (one["found"], one["of"]) for one in row["cells"] if one["y"] == y}
            shown = [
                Text(f"{text} {_mark(*met[x])}".rstrip(), style=_shade(*met[x]))
                for (text, _), x in zip(cells, row["x"]["values"], strict=True)
            ]
            table.add_row(words.plain(name), *shown)
        yield table


def _mark(found: int, of: int) -> str:
    return next((mark for line, mark in MARKS if of and found / of >= line), "")


def _shade(found: int, of: int) -> str:
    return SHADES[sum(found / of >= line for line, _ in MARKS)] if of else ""


def _limit(row: Json) -> str:
    """Beyond what timing alone finds less than half, at a few places."""
    points = row["limit"]
    if not points:
        return ""
    step = max(1, (len(points) - 1) // (LIMITS - 1))
    told = "; ".join(
        " at ".join(
            f"{row[axis]['name'].rpartition('.')[2]} {_value(row[axis], one[axis])}"
            for axis in ("y", "x")
            if row[axis]["name"] != "all"
        )
        for one in points[::step]
    )
    return words.plain(f"Timing alone finds less than half beyond {told} (Chernoff-Stein, against memoryless use)")


def _value(axis: Json, value: float) -> str:
    return words.duration(value) if axis["unit"] == "s" else f"{value:.2g}"
