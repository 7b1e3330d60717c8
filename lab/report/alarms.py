"""False alarms as a person reads them: which app and destination raise most, then the loudest ones singly.

Rows of a scorecard's ``false_alarms`` in, groups of them out. A scorecard lists the highest scores only; its counts are
of all, and what is left out here is counted too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from lab.report import words
from lab.report.ladder import Json

SINGLY = 25  # of a detector and view; the rest stands in scorecard.json
MAKERS = 15


@dataclass(frozen=True)
class Maker:
    """One app towards one destination under one analytic: how many of the listed false alarms are its."""

    package: str | None
    category: str | None
    peer: str | None
    analytic: str
    alarms: int
    devices: int
    score: float  # the highest


@dataclass(frozen=True)
class Alarms:
    """The false alarms of one detector under one view: how many there are and are listed, by whom, and the loudest."""

    detector: str
    view: str
    count: int
    listed: int
    makers: tuple[Maker, ...]
    loudest: tuple[Json, ...]


def alarms(card: Json, tested: Sequence[str]) -> list[Alarms]:
    """Of each detector under test and view that raised any, from the widest view to the narrowest."""
    kept = sorted((row for row in card["false_alarms"] if row["detector"] in tested), key=_cell)
    return [_alarms(card, list(rows)) for _, rows in groupby(kept, key=_cell)]


def _cell(row: Json) -> tuple[str, tuple[int, str]]:
    return row["detector"], words.ladder_order(row["view"])


def _alarms(card: Json, rows: Sequence[Json]) -> Alarms:
    name, view = rows[0]["detector"], rows[0]["view"]
    measured = card["detectors"][name]["views"][view]["analytics"].values()
    loudest = sorted(rows, key=lambda row: -row["score"])[:SINGLY]
    count = sum(one["false_alarms"] or 0 for one in measured)
    return Alarms(name, view, count, len(rows), tuple(_makers(rows)), tuple(loudest))


def _makers(rows: Sequence[Json]) -> list[Maker]:
    keys = [(row["package"], row["category"], row["peer"], row["analytic"]) for row in rows]
    made = []
    for key, many in sorted(Counter(keys).items(), key=lambda item: (-item[1], _sortable(item[0])))[:MAKERS]:
        own = [row for row, one in zip(rows, keys, strict=True) if one == key]
        devices = {(row["scenario"], row["seed"], row["device"]) for row in own}
        made.append(Maker(*key, many, len(devices), max(row["score"] for row in own)))
    return made


def _sortable(key: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(one) for one in key)
