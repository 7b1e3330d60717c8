"""Detection boundaries: how much is found in each cell of a sweep, where recall crosses a line, and where timing ends.

Pure: rows of a scorecard in, its ``boundary`` out. A cell in which no incident was judged is of 0, never 0 found. A
line lies between two neighbouring cells, of which one is at or above it and the other below: nothing is interpolated.
The limit is that of timing alone against a memoryless null (lab/scoring/timing_limit.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lab.scoring.timing_limit import PAIRS_A_DAY, largest_jitter, longest_period

Row = Mapping[str, Any]
Cells = Mapping[tuple[Any, Any], tuple[int, int]]
ALL: Row = {"name": "all", "unit": "", "values": ["all"]}  # the second axis where one was turned
HALF, MOST = 0.5, 0.95
KEY = ("scenario", "seed", "stage", "incident")
STEPS = 24  # points of the limit's curve between two neighbouring values
FEATURES = ("period", "jitter")


def boundary(
    incidents: Iterable[Row], played: Iterable[Row], axes: Sequence[Row], budget: float
) -> list[dict[str, Any]]:
    """A map for each detector, view, analytic and behaviour with what is turned.

    ``incidents`` and ``played`` as a scorecard has them; ``axes``: one or two of {"name", "unit", "values"};
    ``budget``: false alarms per device-day, over PAIRS_A_DAY the chance of one that the limit allows each pair.
    """
    if not axes:
        return []
    x, y = (*axes, ALL)[:2]
    settings = {tuple(row[name] for name in KEY): row["settings"] for row in played}
    groups: dict[tuple[str, ...], list[tuple[Row, Row]]] = {}
    for row in incidents:
        mine = settings.get(tuple(row[name] for name in KEY), {})
        if all(_place(axis, row, mine) is not None for axis in (x, y)):
            kind = tuple(str(row[name]) for name in ("detector", "view", "analytic", "behaviour"))
            groups.setdefault(kind, []).append((row, mine))
    return [_map(kind, groups[kind], x, y, budget) for kind in sorted(groups)]


def _place(axis: Row, row: Row, settings: Row) -> Any:
    """The value on an axis at which an incident stands; None where it is not of what was turned."""
    if axis is ALL:
        return "all"
    where, _, setting = str(axis["name"]).rpartition(".")
    if where.startswith("app.") and where.removesuffix(".behaviour")[4:] not in _names(row["package"]):
        return None
    value = settings.get(setting)
    return value if value in axis["values"] else None


def _names(package: str) -> tuple[str, str]:
    return package, package.rsplit(".", 1)[-1]


def _map(kind: tuple[str, ...], rows: Sequence[tuple[Row, Row]], x: Row, y: Row, budget: float) -> dict[str, Any]:
    cells = {(one, two): (0, 0) for two in y["values"] for one in x["values"]}
    for row, settings in rows:
        place = (_place(x, row, settings), _place(y, row, settings))
        found, of = cells[place]
        cells[place] = (found + (row["verdict"] == "detected"), of + 1)
    return {
        **dict(zip(("detector", "view", "analytic", "behaviour"), kind, strict=True)),
        "x": dict(x),
        "y": dict(y),
        "cells": [{"x": one, "y": two, "found": found, "of": of} for (one, two), (found, of) in cells.items()],
        "half": list(crossings(cells, x["values"], y["values"], HALF)),
        "most": list(crossings(cells, x["values"], y["values"], MOST)),
        "limit": list(_limit(rows, x, y, budget)) if kind[2] == "AN1793" else [],
    }


def crossings(cells: Cells, xs: Sequence[Any], ys: Sequence[Any], line: float) -> Iterator[dict[str, list[Any]]]:
    """Between which neighbours recall crosses a line: both places, as {"x": [from, to], "y": [from, to]}.

    >>> list(crossings({(0, "all"): (4, 4), (1, "all"): (1, 4)}, [0, 1], ["all"], 0.5))
    [{'x': [0, 1], 'y': ['all', 'all']}]
    """
    above = {place: found / of >= line for place, (found, of) in cells.items() if of}
    rows = [((one, y), (two, y)) for y in ys for one, two in pairwise(xs)]
    columns = [((x, one), (x, two)) for x in xs for one, two in pairwise(ys)]
    for here, there in (*rows, *columns):
        if here in above and there in above and above[here] != above[there]:
            yield {"x": [here[0], there[0]], "y": [here[1], there[1]]}


def _limit(rows: Sequence[tuple[Row, Row]], x: Row, y: Row, budget: float) -> Iterator[dict[str, Any]]:
    """The limit of timing where period or jitter are turned, the other fixed: points of a curve, by rising jitter."""
    axes = {str(axis["name"]).rpartition(".")[2]: axis for axis in (x, y) if axis is not ALL}
    fixed = {name: {str(one.get(name)) for _, one in rows} for name in ("law", *FEATURES) if name not in axes}
    if not axes or not {*axes} <= {*FEATURES} or any(len(values) != 1 for values in fixed.values()) or budget <= 0:
        return
    law, alpha = fixed["law"].pop(), budget / PAIRS_A_DAY
    span = max(_seconds(row) for row, _ in rows)
    if len(axes) == 1:
        yield from _alone(rows[0][1], next(iter(axes)), law, span, alpha)
        return
    jitters, across = axes["jitter"]["values"], x is axes["jitter"]
    for jitter in _between(jitters):
        period = longest_period(law, jitter, span, alpha)
        if period is not None and math.isfinite(period):
            yield {"x": jitter, "y": period} if across else {"x": period, "y": jitter}


def _alone(settings: Row, turned: str, law: str, span: float, alpha: float) -> Iterator[dict[str, Any]]:
    """The one point of a map of one axis."""
    if turned == "period":
        found = longest_period(law, float(settings["jitter"]), span, alpha)
    else:
        found = largest_jitter(law, float(settings["period"]), span, alpha)
    if found is not None:
        yield {"x": found, "y": "all"}


def _between(values: Sequence[float]) -> list[float]:
    """The values and STEPS - 1 between each two."""
    parts = [low + (high - low) * step / STEPS for low, high in pairwise(values) for step in range(STEPS)]
    return [*parts, values[-1]]


def _seconds(row: Row) -> float:
    from datetime import datetime

    begin, end = (datetime.fromisoformat(row[name]) for name in ("start", "end"))
    return (end - begin).total_seconds()
