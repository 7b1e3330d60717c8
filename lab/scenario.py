"""A scenario file as values: the question, the span, the phones, their apps and behaviours, and what must be seen.

It loads and refuses, listing every fault with its place; it draws nothing. Compiling is lab/world/compiler.py's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.authoring.background import background_faults, library_digest
from lab.authoring.behaviour_rows import behaviour_plan, row_faults
from lab.authoring.blame import placed
from lab.authoring.fields import label_of, offset_of
from lab.authoring.kinds import behaviour_names
from lab.authoring.plans import AppPlan, Background, Expectation, Phones, Scenario
from lab.authoring.promises import promise_faults, tables
from lab.authoring.scenario_file import (
    MOST_DEVICES,
    AppTable,
    NetworkTable,
    ScenarioTable,
    StateTable,
    SuiteTable,
    faults_of,
)
from lab.authoring.settings import microseconds
from lab.behaviours import nearest
from lab.errors import ScenarioError
from lab.network import Network
from lab.shelf import parse_toml, place_of, scenarios_folder, shelf

if TYPE_CHECKING:
    from lab.timeline import Timeline
    from lab.world.past import Past

DEFAULT_START = datetime(2026, 3, 2, tzinfo=UTC)


def load_scenario(path: Path) -> Scenario:
    """The scenario in that TOML file; ScenarioError lists all its faults, OSError if it cannot be read."""
    return parse_scenario(path.read_bytes(), name=path.stem, place=place_of(path))


def parse_scenario(content: bytes, *, name: str, place: str) -> Scenario:
    """The scenario written in ``content``; ``place`` is the file's name in the faults of a ScenarioError."""
    document = parse_toml(content, place)
    table, faults = faults_of(ScenarioTable, document)
    faults += [*_behaviour_faults(document), *promise_faults(document)]
    if table is not None:
        faults += list(_faults_across(table))
    if faults or table is None:
        raise ScenarioError(placed(place, faults))
    ground = Background(table.background.apps, tuple(table.background.categories), tuple(table.background.without))
    if wrong := background_faults(ground, frozenset(app.package for app in table.app)):
        raise ScenarioError([f"{place}: background: {fault}" for fault in wrong])
    return Scenario(
        name=name,
        sha256=hashlib.sha256(content + (library_digest() if ground.apps else b"")).hexdigest(),
        question=table.question,
        span=microseconds(table.span),
        start=int((table.start or DEFAULT_START).timestamp()) * 1_000_000,
        devices=table.devices,
        twin_of=table.twin_of,
        apps=tuple(_app(app, table.devices) for app in table.app),
        expectations=tuple(Expectation(row.behaviour, row.package, row.bounds()) for row in table.expect),
        background=ground,
        phones=_phones(table.state),
        network=_network(table.network),
    )


def compile_scenario(scenario: Scenario, seed: int, past: Past | None = None) -> Timeline:
    """The timeline of a scenario, or of the ``past`` before it: the same for the same of all and droidrange version.

    ScenarioError if a labelled behaviour makes no contact, or if there are more hosts than addresses.
    """
    from lab.world.compiler import compile_timeline

    return compile_timeline(scenario, seed, past)


def compile_blocks(scenario: Scenario, seed: int, past: Past | None = None) -> Iterator[Timeline]:
    """The same timeline some phones at a time; compile_scenario gives them as one (lab/world/joining.py)."""
    from lab.world.compiler import compile_blocks

    return compile_blocks(scenario, seed, past)


def enlarged(scenarios: Iterable[Scenario], devices: int | None) -> tuple[Scenario, ...]:
    """The scenarios with fleets of so many phones each, or with None as they are.

    What is on every phone as written is on every one of these. An app with a labelled behaviour stays on as many as
    are written, and so do one that imitates it (Scenario.alike) and what is not on every phone. ScenarioError for a
    number that no scenario may have.
    """
    if devices is None:
        return tuple(scenarios)
    if not 1 <= devices <= MOST_DEVICES:
        raise ScenarioError([f"devices: found {devices:,}, expected from 1 to {MOST_DEVICES:,}"])
    return tuple(_enlarged(scenario, devices) for scenario in scenarios)


def _enlarged(scenario: Scenario, devices: int) -> Scenario:
    kept = {package for package, _ in scenario.alike}
    kept |= {app.package for app in scenario.apps if any(one.label for one in app.behaviours)}
    everywhere = [app.on == scenario.devices and app.package not in kept for app in scenario.apps]
    counts = [devices if wide else min(app.on, devices) for app, wide in zip(scenario.apps, everywhere, strict=True)]
    apps = tuple(replace(app, on=count) for app, count in zip(scenario.apps, counts, strict=True))
    return replace(scenario, devices=devices, apps=apps, enlarged=devices)


def in_blocks(scenario: Scenario) -> bool:
    """Whether a scenario has more phones than one block."""
    from lab.world.compiler import BLOCK

    return scenario.devices > BLOCK


def _phones(table: StateTable) -> Phones:
    profiles = tuple(table.profiles) or (table.profile,)
    offsets = tuple(offset_of(text) for text in table.offsets)
    return Phones(profiles, table.networks, table.private_dns, table.vpn, offsets)


def _network(table: NetworkTable) -> Network:
    rtt, jitter = microseconds(table.rtt), microseconds(table.jitter)
    return Network(table.loss, table.burst, rtt, jitter, table.mtu, table.ipv6, table.clat)


def _app(table: AppTable, devices: int) -> AppPlan:
    return AppPlan(
        package=table.package,
        label=table.label or label_of(table.package),
        category=table.category,
        roles=tuple(table.roles),
        sanctioned=table.sanctioned,
        exempt=table.exempt,
        on=devices if table.on is None else table.on,
        behaviours=tuple(behaviour_plan(row.kind, row.model_extra or {}, row.label or "") for row in table.behaviour),
        installed=microseconds(table.installed) if table.installed else 0,
        removed=microseconds(table.removed) if table.removed else None,
        moves=microseconds(table.moves) if table.moves else None,
    )


def _behaviour_faults(document: Mapping[str, Any]) -> Iterator[str]:
    for number, app in enumerate(tables(document, "app"), 1):
        for count, row in enumerate(tables(app, "behaviour"), 1):
            yield from row_faults(row, f"app {number}, behaviour {count}")


def _faults_across(table: ScenarioTable) -> Iterator[str]:
    seen: set[str] = set()
    for number, app in enumerate(table.app, 1):
        if app.package in seen:
            yield f"app {number}: package '{app.package}' stands twice"
        seen.add(app.package)
        if app.on is not None and app.on > table.devices:
            yield f"app {number}: on: found {app.on}, but there are {table.devices} devices"
        yield from (f"app {number}: {fault}" for fault in _life_faults(app, table.span))
    if table.network.clat and (table.state.networks != "mobile" or table.state.vpn):
        yield "network: clat: found with other networks than mobile or with a vpn, expected networks = 'mobile' alone"


def _life_faults(app: AppTable, span: str) -> Iterator[str]:
    """An app is installed before it moves, moves before it is removed, and all of it within the span."""
    given = [(name, getattr(app, name)) for name in ("installed", "moves", "removed") if getattr(app, name)]
    ends = [(f"the span of {span}", span)]
    for (name, moment), (later, end) in pairwise([*given, *ends]):
        if microseconds(moment) >= microseconds(end):
            yield f"{name}: found {moment!r}, expected before {later}{'' if end == span else f' at {end!r}'}"


@dataclass(frozen=True)
class Suite:
    """Scenarios that answer one larger question, in the order of their file."""

    name: str
    question: str
    scenarios: tuple[str, ...]


def scenario_names() -> list[str]:
    """The names of all bundled scenarios: the files of scenarios/*/ but suites/ and apps/."""
    return sorted(shelf())


def suite_names() -> list[str]:
    """The names of all bundled suites: the files of scenarios/suites/."""
    return sorted(path.stem for path in (scenarios_folder() / "suites").glob("*.toml"))


def find_scenario(name: str) -> Path:
    """The file of that scenario, by name or by path; ScenarioError names the known ones and the nearest."""
    known = shelf()
    if name in known:
        return known[name]
    if Path(name).is_file():
        return Path(name)
    if Path(name).is_dir():
        raise ScenarioError(
            [f"{name}: found a folder, expected a scenario; name its files, as in {name.rstrip('/')}/*.toml"]
        )
    if "/" in name or name.endswith(".toml"):
        raise FileNotFoundError(2, "no such scenario file; droidrange scenario list has those by name", name)
    raise ScenarioError([f"unknown scenario '{name}'{nearest(name, [*known], 5)}; droidrange scenario list shows all"])


def load_suite(name: str) -> Suite:
    """The suite of that name or path; ScenarioError lists its faults, unknown scenarios among them."""
    path = scenarios_folder() / "suites" / f"{name}.toml"
    path = path if path.is_file() else Path(name)
    if not path.is_file():
        known = suite_names()
        raise ScenarioError([f"unknown suite '{name}'{nearest(name, known)}; known are {', '.join(known)}"])
    place = place_of(path)
    table, faults = faults_of(SuiteTable, parse_toml(path.read_bytes(), place))
    if table is None:
        raise ScenarioError([f"{place}: {fault}" for fault in faults])
    known = [*shelf()]
    faults = [f"unknown scenario '{one}'{nearest(one, known)}" for one in table.scenarios if one not in known]
    again = {one: None for number, one in enumerate(table.scenarios) if one in table.scenarios[:number]}
    faults += [f"scenario '{one}' stands {table.scenarios.count(one)} times" for one in again]
    if faults:
        raise ScenarioError([f"{place}: {fault}" for fault in faults])
    return Suite(path.stem, table.question, tuple(table.scenarios))


def suite_scenarios(name: str) -> tuple[str, tuple[Scenario, ...]]:
    """The name and loaded scenarios of a suite, or of the one scenario called so; either may be a path.

    ScenarioError lists the faults of all their files, or says that there is neither suite nor scenario of that name.
    """
    title, paths = suite_files(name)
    return title, load_all(map(str, paths))


def suite_files(name: str) -> tuple[str, tuple[Path, ...]]:
    """The name and the files of a suite, or of the one scenario called so; either may be a path. As suite_scenarios."""
    if name in suite_names() or _is_suite(Path(name)):
        suite = load_suite(name)
        return suite.name, tuple(find_scenario(one) for one in suite.scenarios)
    try:
        path = find_scenario(name)
    except ScenarioError as fault:
        known = suite_names()
        suites = f"nor is there a suite '{name}'{nearest(name, known)}; known are {', '.join(known)}"
        raise ScenarioError([*fault.faults, suites]) from None
    return path.stem, (path,)


def load_all(names: Iterable[str]) -> tuple[Scenario, ...]:
    """The scenarios of those names or paths; ScenarioError lists the faults of all of them."""
    loaded, faults = [], []
    for name in names:
        try:
            loaded.append(load_scenario(find_scenario(name)))
        except ScenarioError as wrong:
            faults += wrong.faults
    if faults:
        raise ScenarioError(faults)
    return tuple(loaded)


def _is_suite(path: Path) -> bool:
    return path.is_file() and "scenarios" in parse_toml(path.read_bytes(), place_of(path))


def template(name: str) -> str:
    """The text of a new scenario file of that name, commented; it loads and compiles as it stands."""
    from lab.authoring.template import text_of
    from lab.phones.profile import profile_names

    return text_of(name, profile_names(), behaviour_names())
