"""The measured groups of AN1793 of many cases as arrays: factors, incident, unit of alarm, who may be tuned on.

Pure but for the tables it is given. Left out are groups that may not alert (sanctioned, allowed), which are told and
ranked low anyway, and what else the app of an incident does, which is neither guilty nor innocent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tests.bench.detection.measured import FACTOR
from tests.bench.detection.sweep import NEVER, best_of

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
FOLDS = 5


@dataclass(frozen=True)
class Groups:
    """g groups. ``incident``: the number of the incident, -1 none. ``unit``: of alarm. ``fold``: by package, 0..4."""

    columns: Mapping[str, Float64]
    incident: Int64
    unit: Int64
    fold: Int64
    who: npt.NDArray[np.object_]  # in words: scenario, seed, phone, app, destination

    def __len__(self) -> int:
        return len(self.incident)

    def taken(self, which: npt.NDArray[np.bool_]) -> Groups:
        """Some of the groups; incidents and units keep their numbers."""
        columns = {name: column[which] for name, column in self.columns.items()}
        return Groups(columns, self.incident[which], self.unit[which], self.fold[which], self.who[which])

    def best(self, score: Float64, incidents: Sequence[int]) -> tuple[Float64, Float64]:
        """(the best score of each of those incidents, NEVER where it has no group; that of each unit of alarm)."""
        guilty = self.incident >= 0
        numbers, found = best_of(self.incident[guilty], score[guilty])
        by_number = dict(zip(numbers.tolist(), found.tolist(), strict=True))
        _, alarms = best_of(self.unit[~guilty], score[~guilty])
        return np.array([by_number.get(one, NEVER) for one in incidents], np.float64), alarms


def groups_of(
    table: pa.Table, incidents: Mapping[tuple[str, int, str], int], wanted: Callable[[int, str, str | None], bool]
) -> Groups:
    """The groups of a table of many cases (columns scenario, seed and those of ``measured``) that are ``wanted``.

    ``incidents``: (scenario, seed, incident) -> number, of every incident that counts, measured or not. ``wanted`` is
    told seed, scenario and package.
    """
    where = [*zip(*(table[name].to_pylist() for name in ("seed", "scenario", "package")), strict=True)]
    known: dict[tuple[int, str, str | None], bool] = {one: wanted(*one) for one in dict.fromkeys(where)}
    beside = table["guilty"].to_numpy() & table["incident"].is_null().to_numpy()
    keep = np.array([known[one] for one in where], np.bool_) & ~table["excused"].to_numpy() & ~beside
    kept = table.filter(pa.array(keep))
    rows = [
        *zip(
            *(kept[name].to_pylist() for name in ("scenario", "seed", "device", "package", "peer", "incident")),
            strict=True,
        )
    ]
    units = {one: number for number, one in enumerate(dict.fromkeys(row[:5] for row in rows))}
    names = {name: kept[name].to_numpy() for name in kept.column_names if name.startswith(FACTOR)}
    folds = {row[3]: fold_of(row[3]) for row in rows}
    return Groups(
        columns={name.removeprefix(FACTOR): np.asarray(value, np.float64) for name, value in names.items()},
        incident=np.array([incidents.get((row[0], row[1], row[5]), -1) if row[5] else -1 for row in rows], np.int64),
        unit=np.array([units[row[:5]] for row in rows], np.int64),
        fold=np.array([folds[row[3]] for row in rows], np.int64),
        who=np.array([" ".join(map(str, row[:5])) for row in rows], object),
    )


def fold_of(package: str | None) -> int:
    """The fold of a package: all its groups stand together, so that what is learnt is judged on other apps."""
    return hashlib.blake2b((package or "").encode(), key=b"fold", digest_size=8).digest()[0] % FOLDS
