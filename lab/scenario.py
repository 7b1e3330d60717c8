"""A scenario file as values: the question, the span, the phones, their apps and behaviours, and what must be seen.

It loads and refuses, listing every fault with its place; it draws nothing. Compiling is lab/compiler.py's.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.behaviours import nearest
from lab.errors import ScenarioError
from lab.kinds import behaviour_class, behaviour_names
from lab.plans import AppPlan, BehaviourPlan, Expectation, Scenario
from lab.scenario_file import BehaviourTable, ScenarioTable, SuiteTable, faults_of
from lab.settings import microseconds, routable, settings_of

if TYPE_CHECKING:
    from lab.timeline import Timeline

DEFAULT_START = datetime(2026, 3, 2, tzinfo=UTC)


def load_scenario(path: Path) -> Scenario:
    """The scenario in that TOML file; ScenarioError lists all its faults, OSError if it cannot be read."""
    return parse_scenario(path.read_bytes(), name=path.stem, place=_place(path))


def parse_scenario(content: bytes, *, name: str, place: str) -> Scenario:
    """The scenario written in ``content``; ``place`` is the file's name in the faults of a ScenarioError."""
    document = parse_toml(content, place)
    table, faults = faults_of(ScenarioTable, document)
    faults += list(_behaviour_faults(document))
    if table is not None:
        faults += list(_faults_across(table))
    if faults or table is None:
        raise ScenarioError([f"{place}: {fault}" for fault in faults])
    return Scenario(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        question=table.question,
        span=microseconds(table.span),
        start=int((table.start or DEFAULT_START).timestamp()) * 1_000_000,
        devices=table.devices,
        twin_of=table.twin_of,
        profile=table.state.profile,
        apps=tuple(_app(app, table.devices) for app in table.app),
        expectations=tuple(Expectation(row.behaviour, row.package, row.bounds()) for row in table.expect),
    )


def parse_toml(content: bytes, place: str) -> dict[str, Any]:
    """The TOML document; ScenarioError with line and column if it is none."""
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        lines = content.count(b"\n") + 1
        said = str(fault).replace("at end of document", f"at the end, line {lines}")
        raise ScenarioError([f"{place}: not TOML: {said}"]) from None


def compile_scenario(scenario: Scenario, seed: int) -> Timeline:
    """The timeline of a scenario: the same for the same scenario, seed and droidrange version.

    ScenarioError if a labelled behaviour makes no contact, or if there are more hosts than addresses.
    """
    from lab.compiler import compile_timeline

    return compile_timeline(scenario, seed)


def _app(table: Any, devices: int) -> AppPlan:
    return AppPlan(
        package=table.package,
        label=table.label or table.package.rsplit(".", 1)[-1].replace("_", " ").title(),
        category=table.category,
        roles=tuple(table.roles),
        sanctioned=table.sanctioned,
        on=devices if table.on is None else table.on,
        behaviours=tuple(_behaviour(row) for row in table.behaviour),
    )


def _behaviour(row: BehaviourTable) -> BehaviourPlan:
    kind = behaviour_class(row.kind)
    values, _ = settings_of(kind, row.model_extra or {})
    return BehaviourPlan(row.kind, kind(**values), row.label or "")


def _behaviour_faults(document: Mapping[str, Any]) -> Iterator[str]:
    """Faults of kinds and settings, on the raw document so that they show beside every other fault."""
    for number, app in enumerate(_tables(document, "app"), 1):
        for count, row in enumerate(_tables(app, "behaviour"), 1):
            place = f"app {number}, behaviour {count}"
            given = {key: value for key, value in row.items() if key not in ("kind", "label")}
            yield from (f"{place}: {fault}" for fault in routable(given))
            if not isinstance(row.get("kind"), str):
                continue  # the table's own faults say so
            try:
                kind = behaviour_class(row["kind"])
            except LookupError as fault:
                yield f"{place}: {fault.args[0]}"
                continue
            yield from (f"{place}: {fault}" for fault in settings_of(kind, given)[1])


def _faults_across(table: ScenarioTable) -> Iterator[str]:
    seen: set[str] = set()
    for number, app in enumerate(table.app, 1):
        if app.package in seen:
            yield f"app {number}: package '{app.package}' stands twice"
        seen.add(app.package)
        if app.on is not None and app.on > table.devices:
            yield f"app {number}: on: found {app.on}, but there are {table.devices} devices"
    used = {(row.kind, app.package) for app in table.app for row in app.behaviour}
    for number, expect in enumerate(table.expect, 1):
        if not any(kind == expect.behaviour and expect.package in ("", package) for kind, package in used):
            yield f"expect {number}: no app here has the behaviour '{expect.behaviour}'"


def _tables(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = document.get(key, [])
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []


def _place(path: Path) -> str:
    parts = path.parts
    return "/".join(parts[parts.index("scenarios") :]) if "scenarios" in parts else path.name


@dataclass(frozen=True)
class Suite:
    """Scenarios that answer one larger question, in the order of their file."""

    name: str
    question: str
    scenarios: tuple[str, ...]


def scenarios_folder() -> Path:
    """Where the scenario files are: beside the packages in a checkout, inside them when installed from a wheel."""
    here = Path(__file__).parent
    installed = here / "_scenarios"
    return installed if installed.is_dir() else here.parent / "scenarios"


def scenario_names() -> list[str]:
    """The names of all bundled scenarios: the files of scenarios/*/ but suites/."""
    return sorted(_shelf())


def suite_names() -> list[str]:
    """The names of all bundled suites: the files of scenarios/suites/."""
    return sorted(path.stem for path in (scenarios_folder() / "suites").glob("*.toml"))


def find_scenario(name: str) -> Path:
    """The file of that scenario, by name or by path; ScenarioError names the known ones and the nearest."""
    shelf = _shelf()
    if name in shelf:
        return shelf[name]
    if Path(name).is_file():
        return Path(name)
    if "/" in name or name.endswith(".toml"):
        raise FileNotFoundError(2, "no such scenario file; droidrange scenario list has those by name", name)
    raise ScenarioError([f"unknown scenario '{name}'; known are {', '.join(sorted(shelf))}{nearest(name, [*shelf])}"])


def load_suite(name: str) -> Suite:
    """The suite of that name or path; ScenarioError lists its faults, unknown scenarios among them."""
    path = scenarios_folder() / "suites" / f"{name}.toml"
    path = path if path.is_file() else Path(name)
    if not path.is_file():
        known = suite_names()
        raise ScenarioError([f"unknown suite '{name}'; known are {', '.join(known)}{nearest(name, known)}"])
    place = _place(path)
    table, faults = faults_of(SuiteTable, parse_toml(path.read_bytes(), place))
    if table is None:
        raise ScenarioError([f"{place}: {fault}" for fault in faults])
    shelf = [*_shelf()]
    faults = [f"unknown scenario '{one}'{nearest(one, shelf)}" for one in table.scenarios if one not in shelf]
    again = {one: None for number, one in enumerate(table.scenarios) if one in table.scenarios[:number]}
    faults += [f"scenario '{one}' stands {table.scenarios.count(one)} times" for one in again]
    if faults:
        raise ScenarioError([f"{place}: {fault}" for fault in faults])
    return Suite(path.stem, table.question, tuple(table.scenarios))


def _shelf() -> dict[str, Path]:
    found = sorted(scenarios_folder().glob("*/*.toml"))
    return {path.stem: path for path in found if path.parent.name != "suites"}


def suite_scenarios(name: str) -> tuple[str, tuple[Scenario, ...]]:
    """The name and loaded scenarios of a suite, or of the one scenario called so; either may be a path.

    ScenarioError lists the faults of all their files, or says that there is neither suite nor scenario of that name.
    """
    if name in suite_names() or _is_suite(Path(name)):
        suite = load_suite(name)
        return suite.name, load_all(suite.scenarios)
    try:
        path = find_scenario(name)
    except ScenarioError as fault:
        known = suite_names()
        suites = f"nor is there a suite '{name}'; known are {', '.join(known)}{nearest(name, known)}"
        raise ScenarioError([*fault.faults, suites]) from None
    scenario = load_scenario(path)
    return scenario.name, (scenario,)


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
    return path.is_file() and "scenarios" in parse_toml(path.read_bytes(), _place(path))


def template(name: str) -> str:
    """The text of a new scenario file of that name, commented; it loads and compiles as it stands."""
    from lab.phone import profile_names
    from lab.template import text_of

    return text_of(name, profile_names(), behaviour_names())
