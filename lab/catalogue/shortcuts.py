"""The shortcut report of a suite: whether anything but behaviour tells its malicious apps from the innocent ones.

Every trait (lab/catalogue/traits.py) is judged by itself, by a threshold and by a small tree, and all traits of a table
together by a tree; twice: against everybody on the phones, and against the apps of the benign twins alone. How an app
speaks (port, protocol, reach) is what scenarios are about, so that it is held against twins only. A leak is an AUC
beyond 0.5 +- MARGIN and beyond what chance does with so few apps. Compiled only, at ONE evening hour where that hour
has contacts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from detector.contract import Advance
from lab.authoring.plans import Scenario
from lab.behaviours import Bool, Int64
from lab.catalogue.stumps import Float64, elsewhere, spread, tree_auc, weighted_auc
from lab.catalogue.traits import DRAWN, Row, app_rows, channels, parts_of, peer_rows
from lab.console import emit, screen
from lab.errors import ScenarioError
from lab.scenario import compile_scenario, suite_scenarios
from lab.timeline import Timeline

MARGIN = 0.1
HOUR = 3_600_000_000
EVENING = 19 * HOUR
TIMELINES = 120  # compiled per suite, at least two of each scenario and at most nine (our choice: half a minute)
#: Standard deviations that chance is granted: one in 370 for what somebody wrote; one in 150,000 for what is drawn, for
#: over a thousand looks are taken at drawn traits, by which nobody can err but the pools, which all suites share.
WRITTEN, BY_LOT = 3.0, 4.5
#: What an app does rather than what it is: only its twin does the same.
MANNERS = frozenset({"protocol", "port", "transport", "TLS", "ALPN", "inbound", "reach"})
TOGETHER = "all together"


@dataclass(frozen=True)
class Column:
    """One trait of one table as a shortcut: how well it does, and what chance would do."""

    table: str  # apps, peers
    column: str
    among: str  # everybody, twins
    malicious: int  # independent apps
    benign: int
    stump: float | None  # AUC of the best threshold, folded at 0.5 unless it is a word's share; None: trees only
    tree: float | None  # AUC of a small tree on scenarios it has not seen; None: words
    chance: float  # how far from 0.5 chance comes
    leak: bool


@dataclass(frozen=True)
class Report:
    """What a suite gives away, column by column. ``one_class``: ways of speaking of attacks that no honest app has."""

    suite: str
    seeds: int
    scenarios: int
    columns: tuple[Column, ...]
    together: tuple[Column, ...]  # all traits of a table at once: told, and no leak by itself
    one_class: tuple[str, ...]
    honest_only: tuple[str, ...]  # not a leak: an attack may use any of them tomorrow

    @property
    def leaks(self) -> tuple[str, ...]:
        """Everything that is wrong, in words; nothing if all is well."""
        told = [
            f"{one.table}, {one.column}, against {one.among}: "
            f"{', '.join(f'{how} {auc:.2f}' for how, auc in (('stump', one.stump), ('tree', one.tree)) if auc)}; "
            f"{one.malicious} malicious, {one.benign} benign, chance up to {0.5 + one.chance:.2f}"
            for one in self.columns
            if one.leak
        ]
        return (*told, *(f"{one}: spoken by attacks only" for one in self.one_class))

    def to_json(self) -> dict[str, Any]:
        """The report as an object of ``scenario shortcuts --json``, schema version 1."""
        return {**asdict(self), "leaks": list(self.leaks)}


def shortcuts(suites: Iterable[str], advance: Advance = lambda _done, _total: None) -> list[Report]:
    """The reports of those suites, over several seeds; ScenarioError for one that has no attack to give away."""
    wanted = [suite_scenarios(name) for name in suites]
    for name, scenarios in wanted:
        if not any(one.analytics for one in scenarios):
            raise ScenarioError([f"suite {name}: nothing is labelled, so nothing can be given away"])
    total, done = sum(len(scenarios) for _, scenarios in wanted), 0
    reports = []
    for name, scenarios in wanted:
        seeds = range(1, 1 + min(9, max(2, TIMELINES // len(scenarios))))
        found = []
        for scenario in scenarios:
            found += [_read(_Case(scenario.name, scenario.sha256, seed, scenario)) for seed in seeds]
            advance(done := done + 1, total)
        reports.append(_report(name, scenarios, len(seeds), found))
    return reports


@dataclass(frozen=True)
class _Case:
    """A scenario under a seed, known by its file."""

    name: str
    sha256: str
    seed: int
    scenario: Scenario = field(compare=False)


@dataclass(frozen=True)
class _Read:
    """What one timeline gives: rows of each table, and the ways of speaking of attacks and of honest apps."""

    tables: Mapping[str, list[Row]]
    used: Mapping[bool, Counter[tuple[str, str]]]


@lru_cache(maxsize=600)  # scenarios stand in several suites
def _read(case: _Case) -> _Read:
    scenario = case.scenario
    timeline = evening(scenario, case.seed)
    rows = {"apps": list(app_rows(scenario, timeline)), "peers": list(peer_rows(scenario, timeline))}
    return _Read(rows, channels(timeline))


def _report(suite: str, scenarios: Sequence[Scenario], seeds: int, found: Sequence[_Read]) -> Report:
    parts = parts_of(scenarios)
    columns = []
    for table in ("apps", "peers"):
        columns += judged(table, [row for one in found for row in one.tables[table]], parts)
    used = {bad: sum((one.used[bad] for one in found), Counter[tuple[str, str]]()) for bad in (True, False)}
    only = {bad: sorted(used[bad].keys() - used[not bad].keys()) for bad in (True, False)}
    one_class, honest_only = (tuple(f"{kind} {what}" for kind, what in only[bad]) for bad in (True, False))
    single, together = (tuple(one for one in columns if (one.column == TOGETHER) == joint) for joint in (False, True))
    return Report(suite, seeds, len(scenarios), single, together, one_class, honest_only)


def evening(scenario: Scenario, seed: int) -> Timeline:
    """One evening hour of a scenario, with all its apps there; as much more as its labelled behaviours need."""
    start = scenario.start - scenario.start % (24 * HOUR)
    there = tuple(replace(app, installed=0, removed=None, moves=None) for app in scenario.apps)
    for first, span in ((EVENING, HOUR), (0, 24 * HOUR)):
        if span < scenario.span:
            try:
                return compile_scenario(replace(scenario, apps=there, start=start + first, span=span), seed)
            except ScenarioError:
                continue  # a labelled behaviour is silent then
    return compile_scenario(scenario, seed)


def judged(
    table: str, everybody: Sequence[Row], parts: Mapping[str, frozenset[str]], only: Sequence[str] = ()
) -> list[Column]:
    """Every trait of a table as a shortcut, against everybody and against twins, then all of them together.

    ``parts``: by scenario, the packages that play a part in a pair of twins. ``only``: these traits, one by one.
    """
    found = []
    twins = [row for row in everybody if row.acts and row.package in parts.get(row.scenario, ())]
    for among, some in (("everybody", everybody), ("twins", twins)):
        view = _Rows(table, among, some)
        if not view.labels.any() or view.labels.all():
            continue
        names = [name for name in some[0].traits if among == "twins" or name not in MANNERS]
        found += [view.column(name) for name in names if not only or name in only]
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
        unit = _numbers([(row.scenario, row.seed, row.package, row.malicious) for row in self.rows])
        return 1.0 / np.bincount(unit)[unit]

    def counts(self, known: Bool, *, drawn: bool) -> tuple[int, int]:
        """Independent malicious and benign apps: with a seed's draws each seed counts, else an app counts once.

        The malicious ones were written for their scenario; an honest package is the same in all.
        """

        def units(bad: bool) -> int:  # noqa: FBT001 - the label itself
            mine = (row for row, is_known in zip(self.rows, known, strict=True) if is_known and row.malicious == bad)
            if drawn:
                return len({(row.scenario, row.seed, row.package) for row in mine})
            return len({(row.pair if bad else "", row.package) for row in mine})

        return units(True), units(False)

    def column(self, name: str) -> Column:
        """One trait by itself."""
        cells = [row.traits[name] for row in self.rows]
        known: Bool = np.array([cell is not None for cell in cells], dtype=np.bool_)
        labels, weight, groups = self.labels[known], self.weight[known], self.groups[known]
        values = self._values(name)[known]
        counts = self.counts(known, drawn=name in DRAWN)
        deviations = BY_LOT if name in DRAWN else WRITTEN
        bound = min(0.5, deviations * spread(labels, values, weight, counts))
        stump = weighted_auc(labels, values, weight)
        if _is_word(cells):
            return self._column(name, counts, (stump, None), bound)
        tree = tree_auc(labels, values[:, None], weight, groups)
        return self._column(name, counts, (max(stump, 1 - stump), tree), bound)

    def together(self, names: Sequence[str]) -> Column:
        """Numbers that nobody lacks, at once, for a tree that may combine them: it is told, and no leak by itself.

        No words: a word's share elsewhere lacks its own app, by which a tree would know the app again.
        """
        columns = np.stack([self._values(name) for name in names], axis=1)
        counts = self.counts(np.ones(len(self.rows), dtype=np.bool_), drawn=False)
        different = np.arange(len(self.rows), dtype=np.float64)
        bound = min(0.5, WRITTEN * spread(self.labels, different, self.weight, counts))
        tree = tree_auc(self.labels, columns, self.weight, self.groups)
        return replace(self._column(TOGETHER, counts, (None, tree), bound), leak=False)

    def _column(
        self, name: str, counts: tuple[int, int], aucs: tuple[float | None, float | None], bound: float
    ) -> Column:
        worst = max(auc for auc in aucs if auc is not None)
        leak = worst > 0.5 + max(MARGIN, bound)
        return Column(self.table, name, self.among, *counts, *aucs, bound, leak)

    def _values(self, name: str) -> Float64:
        """(n,) the trait as a number: a word's is its share of malicious apps elsewhere; unknown is -1."""
        cells = [row.traits[name] for row in self.rows]
        if _is_word(cells):
            words = _numbers(["" if cell is None else cell for cell in cells])
            return elsewhere(self.labels, words, self.groups, self.weight)
        return np.array([-1.0 if cell is None else float(cell) for cell in cells])


def _is_number(cell: object) -> bool:
    return cell is not None and not isinstance(cell, str)


def _is_word(cells: Iterable[Any]) -> bool:
    return any(isinstance(cell, str) for cell in cells)


def _numbers(keys: Sequence[Any]) -> Int64:
    """(n,) equal numbers for equal keys, in their order."""
    place = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([place[key] for key in keys], dtype=np.int64)


def print_shortcuts(reports: Sequence[Report], worst: int = 6, say: Callable[[str], None] = emit) -> None:
    """The reports on stdout: the columns of each suite that come nearest to a leak, and what leaks."""
    from rich.table import Table

    for one in reports:
        table = Table(title=f"suite {one.suite}: {one.scenarios} scenarios, {one.seeds} seeds")
        for head in ("table, column", "against", "malicious, benign", "stump", "tree", "chance up to", ""):
            table.add_column(head)
        for row in (*sorted(one.columns, key=_excess, reverse=True)[:worst], *one.together):
            aucs = ("-" if auc is None else f"{auc:.2f}" for auc in (row.stump, row.tree))
            size = f"{row.malicious}, {row.benign}"
            told = "LEAK" if row.leak else "" if row.column == TOGETHER else "ok"
            bound = f"{0.5 + row.chance:.2f}"
            table.add_row(f"{row.table}, {row.column}", row.among, size, *aucs, bound, told)
        screen().print(table)
        for leak in one.leaks:
            say(f"{one.suite}: {leak}")


def _excess(row: Column) -> tuple[bool, float]:
    return row.leak, max(auc for auc in (row.stump, row.tree) if auc is not None) - max(MARGIN, row.chance)
