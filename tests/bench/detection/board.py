"""The board: all cases of a corpus side by side, ranked per detector, view, analytic and side of the splits.

It reads tables and never plays anything. Everything that a table of the comparison says is counted from a Ranked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lab.scoring.matching import APPLESS
from tests.bench.detection.rows import INNOCENT
from tests.bench.detection.splits import CALIBRATION, TEST, Splits, side_of
from tests.bench.detection.sweep import NEVER, Ranked

FRESH = "fresh"
SIDES = (CALIBRATION, TEST, FRESH)


@dataclass(frozen=True)
class Incident:
    """One incident of a case, with what a table may sort it by."""

    case: int
    scenario: str
    seed: int
    name: str
    analytic: str
    behaviour: str
    device: str
    package: str
    contacts: int
    start: int
    unseen: frozenset[str]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Content:
    """One case of a board: where and when, its device-days, its (device, app) pairs, its tables."""

    scenario: str
    seed: int
    device_days: float
    apps: Sequence[str]  # the package of each (device, app)
    said: pa.Table
    looks: pa.Table
    incidents: pa.Table


Pick = Callable[[Incident], bool]


def anything(_: Incident) -> bool:
    """Every incident."""
    return True


@dataclass(eq=False)  # one board is itself: measures of it are kept by it
class Board:
    """Cases and who may be tuned on."""

    contents: Sequence[Content]
    splits: Splits
    alike: Mapping[tuple[str, str], str] = field(default_factory=dict)  # tests.bench.detection.entrants.alike
    _kept: dict[tuple[str, ...], tuple[list[Incident], Ranked]] = field(default_factory=dict)

    @cached_property
    def said(self) -> pa.Table:
        """The rows of every case, each with the number of its case."""
        parts = [
            one.said.append_column("case", pa.array(np.full(one.said.num_rows, number, np.int64)))
            for number, one in enumerate(self.contents)
        ]
        texts = [name for name in parts[0].column_names if pa.types.is_string(parts[0].schema.field(name).type)]
        whole = pa.concat_tables(parts)
        for name in texts:
            whole = whole.set_column(whole.column_names.index(name), name, whole[name].dictionary_encode())
        return whole

    @cached_property
    def incidents(self) -> list[Incident]:
        """Every incident of every case, in the order of the cases."""
        return [
            Incident(
                number,
                one.scenario,
                one.seed,
                row["incident"],
                row["analytic"],
                row["behaviour"],
                row["device"],
                row["package"],
                row["contacts"],
                row["start"],
                frozenset(row["unseen"]),
                json.loads(row["settings"]),
            )
            for number, one in enumerate(self.contents)
            for row in one.incidents.to_pylist()
        ]

    @cached_property
    def looks(self) -> dict[tuple[str, str], dict[int, dict[str, Any]]]:
        """(detector, view) -> case -> the row of its look."""
        found: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
        for number, one in enumerate(self.contents):
            for row in one.looks.to_pylist():
                found.setdefault((row["detector"], row["view"]), {})[number] = row
        return found

    def judging(self, detector: str, view: str, analytic: str, side: str) -> list[int]:
        """The cases of a side in which the detector could judge the analytic under the view."""
        return [
            number
            for number, row in self.looks.get((detector, self._asked(detector, view)), {}).items()
            if row["status"] == "scored" and analytic in row["judged"] and self._on(number, side)
        ]

    def _asked(self, detector: str, view: str) -> str:
        return self.alike.get((detector, view), view)

    def _on(self, number: int, side: str) -> bool:
        one = self.contents[number]
        if side == CALIBRATION:
            return self.splits.side(one.seed) == CALIBRATION and one.scenario not in self.splits.held_out
        return self.splits.side(one.seed) == TEST

    def _counts(self, number: int, package: str | None, side: str) -> bool:
        one = self.contents[number]
        if side == CALIBRATION:
            return self.splits.tunable(one.seed, one.scenario, package)
        return side == TEST or self.splits.fresh(one.seed, one.scenario, package)

    def device_days(self, cases: Sequence[int], view: str, side: str) -> float:
        """The device-days of the apps that count on a side: a share of each case's, by its (device, app) pairs.

        With half of the apps looked at, a day of a device is half a day in which an alarm could be raised.
        """
        return float(sum(self.contents[number].device_days * self._share(number, view, side) for number in cases))

    def _share(self, number: int, view: str, side: str) -> float:
        one = self.contents[number]
        if side == TEST or view in APPLESS or (side == FRESH and one.scenario in self.splits.held_out):
            return 1.0
        wanted = CALIBRATION if side == CALIBRATION else TEST
        return sum(side_of(package) == wanted for package in one.apps) / max(1, len(one.apps))

    def ranked(
        self, detector: str, view: str, analytic: str, side: str, by: str = "score"
    ) -> tuple[list[Incident], Ranked]:
        """The incidents of a side and how the detector ranks them among its alarms.

        ``by`` alert: 1 for what alerts by the detector's own threshold, 0 for what does not.
        """
        key = (detector, view, analytic, side, by)
        if key not in self._kept:
            self._kept[key] = self._made(*key)
        return self._kept[key]

    def rows(self, detector: str, view: str, analytic: str) -> pa.Table:
        """What a detector said about an analytic under a view, in all cases."""
        table = self.said
        asked = self._asked(detector, view)
        same = pc.and_(pc.equal(table["detector"], detector), pc.equal(table["view"], asked))
        return table.filter(pc.and_(same, pc.equal(table["analytic"], analytic)))

    def _made(self, detector: str, view: str, analytic: str, side: str, by: str) -> tuple[list[Incident], Ranked]:
        cases = self.judging(detector, view, analytic, side)
        mine = [
            one
            for one in self.incidents
            if one.case in {*cases} and one.analytic == analytic and self._counts(one.case, one.package, side)
        ]
        table = self.rows(detector, view, analytic)
        columns = {
            name: table[name].to_pylist() for name in ("case", "device", "package", "incident", "unit", by, "kind")
        }
        places = [*zip(*columns.values(), strict=True)]
        best = {(row[0], row[3]): row[5] for row in places if row[3] is not None}
        judging = {*cases}
        strays = [row for row in places if row[3] is None and row[0] in judging and self._counts(row[0], row[2], side)]
        innocent = [row for row in strays if row[6] == INNOCENT]
        numbers = _Numbers()
        return mine, Ranked(
            found=np.array([best.get((one.case, one.name), NEVER) for one in mine], np.float64),
            found_device=np.array([numbers.of(one.case, one.device) for one in mine], np.int64),
            alarms=np.array([row[5] for row in innocent], np.float64),
            alarms_device=np.array([numbers.of(row[0], row[1]) for row in innocent], np.int64),
            device_days=self.device_days(cases, view, side),
            guilty=np.array([row[5] for row in strays if row[6] != INNOCENT], np.float64),
        )


@dataclass
class _Numbers:
    known: dict[tuple[int, str], int] = field(default_factory=dict)

    def of(self, case: int, device: str) -> int:
        return self.known.setdefault((case, device), len(self.known))


def picked(incidents: Sequence[Incident], ranked: Ranked, pick: Pick) -> Ranked:
    """The same ranking with some of the incidents left out."""
    keep = np.array([pick(one) for one in incidents], np.bool_)
    if not len(keep):
        return ranked
    return replace(ranked, found=ranked.found[keep], found_device=ranked.found_device[keep])
