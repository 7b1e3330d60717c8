"""The shortcut report of a suite: whether anything but behaviour tells its malicious apps from the innocent ones.

Traits (app_traits.py, peer_traits.py) are judged one by one (columns.py), against everybody on the phones and against
the apps of the benign twins alone; how an app speaks is what scenarios are about, so it is held against twins only.
What is drawn differs under every seed: a suite gets so many seeds that its pairs of twins make APPS, and a column that
looks like a leak is looked at again with as many other seeds. What is written, in a scenario or the library, no seed
changes, and a small suite has too few apps to tell: it is judged over the scenarios of all suites (``pooled``), those
asked for among them. That they tell nothing acquits no scenario that no bundled suite holds: it is a small part of
them. Compiled only, at ONE evening hour where that hour has contacts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from detector.contract import Advance
from lab.authoring.plans import Scenario
from lab.catalogue.app_traits import app_rows
from lab.catalogue.columns import FEW, LEAK, TOGETHER, Column, judged
from lab.catalogue.peer_traits import channels, peer_rows
from lab.catalogue.traits import Row, parts_of
from lab.errors import ScenarioError
from lab.scenario import compile_scenario, suite_names, suite_scenarios
from lab.timeline import Timeline

HOUR = 3_600_000_000
EVENING = 19 * HOUR
APPS = 160  # malicious ones with a twin, drawn for a suite: 0.1 is three standard deviations then
POOL_APPS = 400  # for all suites together, of whose hosts few are popular or of the long tail
LEAST_SEEDS, MOST_SEEDS = 2, 160
POOL = "all suites"


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
    unbundled: tuple[str, ...] = ()  # its scenarios that no bundled suite holds

    @property
    def leaks(self) -> tuple[str, ...]:
        """Everything that is wrong, in words; nothing if all is well."""
        told = [f"{one}: a leak" for one in self.columns if one.verdict == LEAK]
        return (*told, *(f"{one}: spoken by attacks only" for one in self.one_class))

    @property
    def too_few(self) -> tuple[Column, ...]:
        """The columns that this suite has too few apps to judge."""
        return tuple(one for one in self.columns if one.verdict == FEW)

    def unjudged(self, pool: Report) -> tuple[Column, ...]:
        """Those of them that the pool cannot judge either, or not for this suite: each as where its apps are most."""
        known = {one.key: one for one in pool.columns}
        most = [(one, known.get(one.key, one)) for one in self.too_few]
        own = [one for one, _ in most if self.unbundled and one.beyond]
        return (*own, *(there for one, there in most if one not in own and there.verdict == FEW))

    def doubtful(self, pool: Report) -> tuple[Column, ...]:
        """Those of ``unjudged`` that look like a leak: chance or not, nobody can say."""
        return tuple(one for one in self.unjudged(pool) if one.beyond)

    def to_json(self) -> dict[str, Any]:
        """The report as an object of ``scenario shortcuts --json``, schema version 1."""
        lists = {name: [one.to_json() for one in getattr(self, name)] for name in ("columns", "together")}
        few = [{"table": table, "column": name, "among": among} for table, name, among in (o.key for o in self.too_few)]
        return {**asdict(self), **lists, "too_few": few, "leaks": list(self.leaks)}


def shortcuts(suites: Iterable[str], advance: Advance = lambda _done, _total: None) -> list[Report]:
    """The reports of those suites, and of all suites together, these too, where one has too few apps for a column.

    ScenarioError for a suite that has no attack to give away, or if two scenarios have one name.
    """
    wanted = [suite_scenarios(name) for name in suites]
    for name, scenarios in wanted:
        if not any(one.analytics for one in scenarios):
            raise ScenarioError([f"suite {name}: nothing is labelled, so nothing can be given away"])
    whole = _joined(known := pooled(), [one for _, scenarios in wanted for one in scenarios])
    bundled = {one.sha256 for one in known}
    total, done = sum(len(scenarios) + 1 for _, scenarios in wanted), 0

    def told(by: int, of: int) -> None:
        advance(done + by, of)

    reports = []
    for name, scenarios in wanted:
        report = reported(name, scenarios, APPS, lambda by, _: told(by, total + len(whole) + 1))
        reports.append(replace(report, unbundled=tuple(o.name for o in scenarios if o.sha256 not in bundled)))
        done += len(scenarios) + 1
    if any(one.too_few for one in reports):
        reports.append(reported(POOL, whole, POOL_APPS, lambda by, _: told(by, total + len(whole) + 1)))
    return reports


def pool(advance: Advance = lambda _done, _total: None) -> Report:
    """The report of the scenarios of all suites that have an attack."""
    return reported(POOL, pooled(), POOL_APPS, advance)


def pooled() -> tuple[Scenario, ...]:
    """The scenarios of all suites on disk that have an attack, each once."""
    suites = [scenarios for _, scenarios in map(suite_scenarios, suite_names())]
    labelled = [some for some in suites if any(one.analytics for one in some)]
    return tuple({one.name: one for some in labelled for one in some}.values())


def _joined(bundled: Iterable[Scenario], others: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """All of them once; ScenarioError where two differ and have one name: nobody knew whose twin is whose."""
    found = {one.name: one for one in bundled}
    for one in others:
        if found.setdefault(one.name, one).sha256 != one.sha256:
            raise ScenarioError([f"scenario {one.name}: another one of the suites is called so; rename the file"])
    return tuple(found.values())


def reported(
    name: str, scenarios: Sequence[Scenario], apps: int = APPS, advance: Advance = lambda _done, _total: None
) -> Report:
    """The report of those scenarios, over so many seeds that their pairs of twins are about ``apps`` in all.

    ``advance`` is told a step for each scenario, and one for the judgement, which takes as long as many of them.
    """
    names = {one.name for one in scenarios}
    pairs = len({one.twin_of for one in scenarios} & names)
    seeds = min(MOST_SEEDS, max(LEAST_SEEDS, -(-apps // max(pairs, 1))))
    found = list(_all_read(scenarios, range(1, 1 + seeds), advance))
    report = _report(name, scenarios, seeds, found)
    if any(one.verdict == LEAK and one.kind == "drawn" for one in report.columns):
        found += _all_read(scenarios, range(1 + seeds, 1 + 2 * seeds), lambda _done, _total: None)
        report = _report(name, scenarios, 2 * seeds, found)
    advance(len(scenarios) + 1, len(scenarios) + 1)
    return report


def _all_read(scenarios: Sequence[Scenario], seeds: Iterable[int], advance: Advance) -> Iterator[_Read]:
    for done, scenario in enumerate(scenarios, 1):
        yield from (_read(_Case(scenario.name, scenario.sha256, seed, scenario)) for seed in seeds)
        advance(done, len(scenarios) + 1)


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
