"""Detection boundaries: maps of how much is found as two settings are turned, and where recall crosses a line.

From a scorecard's ``boundary`` alone. A cell that was not played is blank, never 0. The lines run between cells and are
not interpolated: only what was played is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lab.report import words
from lab.report.ladder import Json

LINES = (("half", 0.5), ("most", 0.95))
Grid = Mapping[tuple[int, int], tuple[int, int]]  # column, row -> found, of


@dataclass(frozen=True)
class Boundary:
    """One map. ``table``: from the last row down to the first, its name and its cells (text, heat 0 to 10 or None).

    ``rows``: what the plot draws (lab/report/plots.py); ``across`` and ``down`` name the settings.
    """

    name: str
    across: str
    down: str
    columns: tuple[str, ...]
    table: tuple[tuple[str, tuple[tuple[str, int | None], ...]], ...]
    rows: tuple[dict[str, Any], ...]
    limit: str  # its ends in words, within the map or not; "" where theory sets none

    @property
    def plot(self) -> dict[str, Any]:
        """What the page's script needs."""
        names = [name for name, _ in reversed(self.table)]
        return {"rows": list(self.rows), "xs": list(self.columns), "ys": names, "x": self.across, "y": self.down}


def maps(card: Json, tested: Sequence[str]) -> list[Boundary]:
    """The maps of the detectors under test, in the scorecard's order; none where nothing was varied."""
    return [_map(row) for row in card.get("boundary", ()) if row["detector"] in tested]


def _map(row: Json) -> Boundary:
    xs, ys = row["x"]["values"], row["y"]["values"]
    grid: Grid = {
        (xs.index(one["x"]), ys.index(one["y"])): (one["found"], one["of"]) for one in row["cells"] if one["of"]
    }
    table = tuple(
        (_value(row["y"], y), tuple(_cell(grid.get((i, j))) for i in range(len(xs))))
        for j, y in reversed(list(enumerate(ys)))
    )
    drawn = [*_cells(grid), *_pieces(grid, len(xs), len(ys)), *_limit(row.get("limit") or (), xs, ys)]
    return Boundary(
        name=f"{row['analytic']} {row['behaviour']} by {row['detector']}, view {row['view']}",
        across=_axis(row["x"]),
        down=_axis(row["y"]),
        columns=tuple(_value(row["x"], x) for x in xs),
        table=table,
        rows=tuple(drawn),
        limit=_ends(row),
    )


def _ends(row: Json) -> str:
    """Where the limit begins and ends, in words."""
    points = row.get("limit") or ()
    told = [
        f"{_axis(row['x'])} {_value(row['x'], one['x'])}, {_axis(row['y'])} {_value(row['y'], one['y'])}"
        for one in (*points[:1], *points[1:][-1:])
    ]
    return " to ".join(told)


def _axis(axis: Json) -> str:
    """The setting without the way to it, and its unit where values do not say it."""
    name = str(axis["name"]).rpartition(".")[2]
    return f"{name}, {axis['unit']}" if axis.get("unit") and axis["unit"] != "s" else name


def _value(axis: Json, value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return words.duration(value) if axis.get("unit") == "s" else f"{value:g}"
    return str(value)


def _cell(met: tuple[int, int] | None) -> tuple[str, int | None]:
    return ("-", None) if met is None else (f"{met[0]}/{met[1]}", round(10 * met[0] / met[1]))


def _cells(grid: Grid) -> Iterator[dict[str, Any]]:
    for (i, j), met in sorted(grid.items()):
        told, heat = _cell(met)
        middle = {"x3": i + 0.5, "y3": j + 0.5, "told": told, "heat": heat}
        yield {"kind": "cell", "x": i, "x2": i + 1, "y": j, "y2": j + 1, **middle}


def _pieces(grid: Grid, width: int, height: int) -> Iterator[dict[str, Any]]:
    """The edges between two cells of which one is at or above the line and the other below."""
    for kind, line in LINES:
        above = {place: found / of >= line for place, (found, of) in grid.items()}
        for i in range(width):
            for j in range(height):
                here = above.get((i, j))
                if here is not None and above.get((i + 1, j), here) != here:
                    yield {"kind": kind, "x": i + 1, "x2": i + 1, "y": j, "y2": j + 1}
                if here is not None and above.get((i, j + 1), here) != here:
                    yield {"kind": kind, "x": i, "x2": i + 1, "y": j + 1, "y2": j + 1}


def _limit(points: Sequence[Json], xs: Sequence[Any], ys: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """The limit that theory sets, where it lies within the map."""
    for place, point in enumerate(points):
        x, y = _place(point["x"], xs), _place(point["y"], ys)
        if x is not None and y is not None:
            yield {"kind": "limit", "at": place, "x": x, "y": y}


def _place(value: Any, values: Sequence[Any]) -> float | None:
    """Where a value lies among the middles of the cells, linear between two; None outside."""
    if value in values:
        return values.index(value) + 0.5
    numbers = [one for one in (value, *values) if isinstance(one, int | float)]
    if len(numbers) <= len(values):
        return None
    for index, (low, high) in enumerate(pairwise(values)):
        if min(low, high) < value < max(low, high):
            return float(index + 0.5 + (value - low) / (high - low))
    return None
