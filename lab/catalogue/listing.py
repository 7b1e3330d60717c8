"""The catalogue: every scenario on disk in one row, each malicious one beside its twins, and what narrows the list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lab.authoring.held_out import held_out
from lab.authoring.plans import TECHNIQUES, Scenario
from lab.behaviours import nearest
from lab.catalogue.subjects import speaks, spoken, subjects
from lab.console import plural, screen
from lab.errors import ScenarioError
from lab.scenario import load_scenario, load_suite, parse_scenario, suite_names, template
from lab.shelf import shelf

Row = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R")

WIDE = 150  # columns of a terminal from which on the questions are in the table


@dataclass(frozen=True)
class Wanted:
    """Which rows to list; an empty text and None want all."""

    suite: str = ""
    analytic: str = ""
    protocol: str = ""  # "http" means "http" and "http+tls"
    malicious: bool | None = None


def catalogue() -> list[Row]:
    """One row for each bundled scenario, as ``scenario list --json`` prints it (schema version 1).

    ScenarioError lists the faults of all scenarios and suites at once.
    """
    faults: list[str] = []
    loaded = [_loaded(load_suite, name, faults) for name in suite_names()]
    suites = {suite.name: suite.scenarios for suite in loaded if suite}
    shelved = [path for _, path in sorted(shelf().items())]
    held = _loaded(lambda _: held_out(), None, faults) or frozenset()
    rows = [row_of(found, suites, held) for path in shelved if (found := _loaded(load_scenario, path, faults))]
    if faults:
        raise ScenarioError(faults)
    return with_twins(rows)


def _loaded(load: Callable[[T], R], what: T, faults: list[str]) -> R | None:
    try:
        return load(what)
    except ScenarioError as wrong:
        faults += wrong.faults
        return None


def row_of(scenario: Scenario, suites: Mapping[str, Sequence[str]], held: Collection[str]) -> Row:
    """The row of a scenario, its twins excepted."""
    about = [plan.behaviour for _, plan in subjects(scenario)]
    return {
        "name": scenario.name,
        "question": scenario.question,
        "analytics": list(scenario.analytics),
        "technique": [TECHNIQUES[analytic] for analytic in scenario.analytics],
        "behaviours": list(scenario.kinds),
        "protocols": sorted(spoken(scenario)),
        "subject_protocols": sorted(speaks(about)),
        "twin_of": scenario.twin_of,
        "twins": [],
        "span_s": scenario.span / 1e6,
        "devices": scenario.devices,
        "background_apps": scenario.background.apps,
        "suites": sorted(name for name, members in suites.items() if scenario.name in members),
        "held_out": scenario.name in held,
    }


def with_twins(rows: Sequence[Row]) -> list[Row]:
    """The rows, each with the names of its twins: the benign ones of a malicious scenario, and the other way round."""
    imitators: dict[str, list[str]] = {}
    for row in rows:
        if row["twin_of"]:
            imitators.setdefault(row["twin_of"], []).append(row["name"])
    return [row | {"twins": [row["twin_of"]] if row["twin_of"] else imitators.get(row["name"], [])} for row in rows]


def chosen(rows: Sequence[Row], wanted: Wanted) -> list[Row]:
    """The rows that are wanted; ScenarioError for a suite, analytic or protocol that no row has."""
    _refuse_unknown("suite", wanted.suite, suite_names())
    _refuse_unknown("analytic", wanted.analytic, list(TECHNIQUES))
    _refuse_unknown("protocol", wanted.protocol, sorted({one for row in rows for one in _protocols(row)}))
    analytics = {row["name"]: row["analytics"] for row in rows}
    return [row for row in rows if _fits(row, wanted, analytics)]


def _refuse_unknown(what: str, name: str, known: list[str]) -> None:
    if name and name not in known:
        raise ScenarioError([f"unknown {what} '{name}'; known are {', '.join(known)}{nearest(name, known)}"])


def _fits(row: Row, wanted: Wanted, analytics: Mapping[str, Sequence[str]]) -> bool:
    """Whether a row is wanted; a benign twin belongs to the analytic of what it imitates."""
    judged = [*row["analytics"], *analytics.get(row["twin_of"], [])]
    return (
        (not wanted.suite or wanted.suite in row["suites"])
        and (not wanted.analytic or wanted.analytic in judged)
        and (not wanted.protocol or wanted.protocol in _protocols(row))
        and (wanted.malicious is None or wanted.malicious == bool(row["analytics"]))
    )


def _protocols(row: Row) -> set[str]:
    """What a row is about, with and without TLS told apart."""
    said = row["subject_protocols"]
    return {*said, *(one.removesuffix("+tls") for one in said)}


def print_catalogue(rows: Sequence[Row]) -> None:
    """The catalogue as a table on stdout, one line a scenario, each malicious one above its twins."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = screen()
    wide = console.width >= WIDE
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    longest = max((len(row["name"]) + 2 * bool(row["twin_of"]) for row in rows), default=20)
    left = max(console.width - longest - 28, 24) if not wide else 48
    widths = {
        "scenario, its twins": longest,
        "analytic": 13,
        "protocol": left * 2 // 3,
        "h": 3,
        "held": 4,
        "suites": left // 3,
    }
    for heading, width in widths.items():
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width)
    if wide:
        table.add_column("question")
    names = {row["name"] for row in rows}
    for row in sorted(rows, key=_beside):
        question = [row["question"]] if wide else []
        table.add_row(*map(Text, (*_cells(row, paired=row["twin_of"] in names), *question)))  # no markup
    console.print(table)
    malicious = sum(bool(row["analytics"]) for row in rows)
    twins = sum(bool(row["twin_of"]) for row in rows)
    console.print(
        f"{plural(len(rows), 'scenario')}: {malicious} malicious, {len(rows) - malicious} benign"
        f" ({plural(twins, 'twin')})."
        " droidrange scenario show NAME says what one asks; --json has every field.",
        markup=False,
    )


def _beside(row: Row) -> tuple[str, bool, str]:
    return row["twin_of"] or row["name"], bool(row["twin_of"]), row["name"]


def _cells(row: Row, *, paired: bool) -> tuple[str, ...]:
    twin = "twin" if paired else f"twin of {row['twin_of']}" if row["twin_of"] else "benign"
    labels = row["analytics"] if len(row["analytics"]) > 1 else [*row["analytics"], *row["technique"]]
    return (
        f"{'  ' if row['twin_of'] else ''}{row['name']}",
        " ".join(labels) or twin,
        ", ".join(row["subject_protocols"]),
        f"{row['span_s'] / 3600:g}",
        "out" if row["held_out"] else "",
        ", ".join(row["suites"]) or "-",
    )


def write_template(name: str, out: Path | None) -> Path:
    """A new scenario file with a comment beside every field; ScenarioError for a bad name or rather than overwrite."""
    return write_scenario(new_place(name, out), template(name))


def new_place(name: str, out: Path | None) -> Path:
    """Where a new scenario of that name is to stand; ScenarioError for a bad name or where there is one already."""
    from lab.recording import NAME

    if not NAME.fullmatch(name):
        raise ScenarioError([f"scenario name: found '{name}', expected {NAME.pattern}"])
    path = out or Path(f"{name}.toml")
    if path.exists():
        raise ScenarioError([f"{path}: exists already; choose another name or --out"])
    return path


def write_scenario(path: Path, text: str) -> Path:
    """Writes a scenario's text, whole or not at all; ScenarioError if it would not load."""
    from lab.recording import write_atomic

    parse_scenario(text.encode(), name=path.stem, place=str(path))
    write_atomic(path, text.encode())
    return path
