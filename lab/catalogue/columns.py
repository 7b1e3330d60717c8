"""One column of traits held against the label: how far it tells the classes apart, how sure that is, and the verdict.

A column leaks if its AUC is beyond 0.5 +- MARGIN and beyond SURE standard deviations of chance. Many columns of many
suites are looked at, so a 95 % interval is no proof: chance puts some outside theirs. Apps are enough if MARGIN is
SURE deviations; a column of fewer that is no leak is "too few", never "ok", for a leak could hide in what chance does.
Rows come in; nothing is compiled here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lab.behaviours import Bool, Int64
from lab.catalogue import app_traits, peer_traits
from lab.catalogue.stumps import Float64, spread, tree_auc, weighted_auc, word_auc
from lab.catalogue.traits import Row

MARGIN = 0.1  # DESIGN section 8
INTERVAL = 1.96  # standard deviations to each side: 95 %
SURE = 3.0  # standard deviations of an AUC beyond which it is no chance: one in 740 to each side
DRAWN = app_traits.DRAWN | peer_traits.DRAWN
MANNERS = app_traits.MANNERS | peer_traits.MANNERS
TOGETHER = "all together"
OK, LEAK, FEW, TOLD = "ok", "leak", "too few", "told"


@dataclass(frozen=True)
class Column:
    """One trait of one table as a shortcut. ``deviation``: of the AUC, if the column told nothing."""

    table: str  # apps, peers
    column: str
    among: str  # everybody, twins
    kind: str  # drawn, written, manner
    malicious: int  # independent apps
    benign: int
    stump: float | None  # AUC of the best threshold, folded at 0.5, or of what a word is elsewhere; None: trees only
    tree: float | None  # AUC of a small tree on scenarios it has not seen; None: words
    deviation: float
    verdict: str

    @property
    def auc(self) -> float:
        """The worse of both."""
        return max(auc for auc in (self.stump, self.tree) if auc is not None)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the AUC lies with 95 % confidence, by the normal approximation at chance."""
        return max(0.0, self.auc - INTERVAL * self.deviation), min(1.0, self.auc + INTERVAL * self.deviation)

    @property
    def beyond(self) -> bool:
        """Whether it looks like a leak, for whatever reason."""
        return self.auc > 0.5 + MARGIN

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is a column of."""
        return self.table, self.column, self.among

    def to_json(self) -> dict[str, Any]:
        """The column with its AUC and interval."""
        return {**asdict(self), "auc": self.auc, "interval": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        n = f"{self.malicious} malicious, {self.benign} benign apps"
        return f"{self.table}, {self.column}, against {self.among}: AUC {self.auc:.2f} ({low:.2f} to {high:.2f}), {n}"


def verdict_of(auc: float, deviation: float) -> str:
    """What an AUC says, whose standard deviation by chance alone is ``deviation``.

    >>> [verdict_of(auc, 0.03) for auc in (0.58, 0.61)], [verdict_of(auc, 0.04) for auc in (0.58, 0.61, 0.63)]
    (['ok', 'leak'], ['too few', 'too few', 'leak'])
    """
    if auc > 0.5 + max(MARGIN, SURE * deviation):
        return LEAK
    return OK if SURE * deviation <= MARGIN else FEW


def judged(
    table: str, everybody: Sequence[Row], parts: Mapping[str, frozenset[str]], only: Sequence[str] = ()
) -> list[Column]:
    """Every trait of a table as a shortcut, against everybody and against twins, then all of them together.

    ``parts``: by scenario, the packages that play a part in a pair of twins. ``only``: these traits, one by one. A
    trait that no malicious or no benign app has is left out: there is nothing to compare.
    """
    found = []
    twins = [row for row in everybody if row.acts and row.package in parts.get(row.scenario, ())]
    for among, some in (("everybody", everybody), ("twins", twins)):
        view = _Rows(table, among, some)
        if not view.labels.any() or view.labels.all():
            continue
        names = [name for name in some[0].traits if among == "twins" or name not in MANNERS]
        columns = [view.column(name) for name in names if not only or name in only]
        found += [one for one in columns if one.malicious and one.benign]
        whole = [name for name in names if all(_is_number(row.traits[name]) for row in some)]
        found += [view.together(whole)] if whole and not only else []
    return found


class _Rows:
    """Rows as arrays: labels, weights that sum to one for each app, and who is independent of whom."""

    def __init__(self, table: str, among: str, rows: Sequence[Row]) -> None:
        self.table, self.among, self.rows = table, among, rows
        self.labels: Bool = np.array([row.malicious for row in rows], dtype=np.bool_)
        self.groups = _numbers([row.pair for row in rows])

    @cached_property
    def weight(self) -> Float64:
        """(n,) one over the rows that an app has in its scenario and seed, on each side of the label."""
        unit = self._units[0]
        return 1.0 / np.bincount(unit)[unit]

    @cached_property
    def _units(self) -> tuple[Int64, Int64]:
        """(n,) each: which app of a scenario and seed a row is of, and which app that somebody wrote.

        The malicious ones were written for their scenario; an honest package is the same in all.
        """
        drawn = _numbers([(row.scenario, row.seed, row.package, row.malicious) for row in self.rows])
        return drawn, _numbers([(row.pair if row.malicious else "", row.package) for row in self.rows])

    def counts(self, known: Bool, *, drawn: bool) -> tuple[int, int]:
        """Independent malicious and benign apps: with a seed's draws each seed counts, else an app counts once."""
        unit = self._units[0 if drawn else 1]
        return len(np.unique(unit[known & self.labels])), len(np.unique(unit[known & ~self.labels]))

    def column(self, name: str) -> Column:
        """One trait by itself."""
        cells = [row.traits[name] for row in self.rows]
        known: Bool = np.array([cell is not None for cell in cells], dtype=np.bool_)
        labels, weight, groups = self.labels[known], self.weight[known], self.groups[known]
        counts = self.counts(known, drawn=name in DRAWN)
        if any(isinstance(cell, str) for cell in cells):
            words = _numbers([cell for cell in cells if cell is not None])
            aucs: tuple[float | None, float | None] = (word_auc(labels, words, weight, groups), None)
            values = words.astype(np.float64)
        else:
            values = np.array([cell for cell in cells if cell is not None], dtype=np.float64)
            stump = weighted_auc(labels, values, weight)
            aucs = (max(stump, 1 - stump), tree_auc(labels, values[:, None], weight, groups))
        return self._column(name, counts, aucs, spread(labels, values, weight, counts))

    def together(self, names: Sequence[str]) -> Column:
        """Numbers that nobody lacks, at once, for a tree that may combine them: it is told, and judged no leak."""
        columns = np.array([[float(row.traits[name]) for name in names] for row in self.rows])
        counts = self.counts(np.ones(len(self.rows), dtype=np.bool_), drawn=False)
        different = np.arange(len(self.rows), dtype=np.float64)
        deviation = spread(self.labels, different, self.weight, counts)
        tree = tree_auc(self.labels, columns, self.weight, self.groups)
        return self._column(TOGETHER, counts, (None, tree), deviation)

    def _column(
        self, name: str, counts: tuple[int, int], aucs: tuple[float | None, float | None], deviation: float
    ) -> Column:
        worst = max(auc for auc in aucs if auc is not None)
        kind = "drawn" if name in DRAWN else "manner" if name in MANNERS else "written"
        said = TOLD if name == TOGETHER else verdict_of(worst, deviation)
        return Column(self.table, name, self.among, kind, *counts, *aucs, deviation, said)


def _is_number(cell: object) -> bool:
    return cell is not None and not isinstance(cell, str)


def _numbers(keys: Iterable[Any]) -> Int64:
    """(n,) equal numbers for equal keys, in their order."""
    keys = list(keys)
    place = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([place[key] for key in keys], dtype=np.int64)
