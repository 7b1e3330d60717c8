"""The catalogue: every scenario on disk in one row, shown in the terminal, and proved on request."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.contract import Advance
from lab.behaviours import SECOND, Window
from lab.console import emit, plural, screen
from lab.errors import ScenarioError
from lab.expectation import Proof, prove_recording
from lab.inspection import STRIP, strip_cells, strip_text
from lab.plans import Scenario
from lab.scenario import (
    compile_scenario,
    find_scenario,
    load_all,
    load_scenario,
    load_suite,
    scenario_names,
    suite_names,
    template,
)


def catalogue() -> list[dict[str, Any]]:
    """One row for each bundled scenario, as ``scenario list --json`` prints it (schema version 1)."""
    suites = {name: load_suite(name).scenarios for name in suite_names()}
    return [_row(load_scenario(find_scenario(name)), suites) for name in scenario_names()]


def spoken(scenario: Scenario) -> set[str]:
    """The protocols a scenario may speak, TLS as ``+tls``, whatever the seed: each behaviour's own plan says its.

    A plan names its speeches before it knows when there is something to say, so that an empty minute suffices.
    """
    never = np.zeros((0, 2), dtype=np.int64)
    quiet = Window(60 * SECOND, never, never, never, never, never)
    protocols = set()
    for plan in (plan for app in scenario.apps for plan in app.behaviours):
        batch = plan.behaviour.plan(np.random.default_rng(0), quiet)
        protocols |= {f"{speech.protocol}+tls" if speech.tls else speech.protocol for speech in batch.speeches}
        if any(peer.reach not in {"literal", "lan"} for peer in batch.peers):
            protocols.add("dns")  # its name is looked up
    return protocols


def _row(scenario: Scenario, suites: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "question": scenario.question,
        "analytics": list(scenario.analytics),
        "behaviours": list(scenario.kinds),
        "protocols": sorted(spoken(scenario)),
        "twin_of": scenario.twin_of,
        "span_s": scenario.span / 1e6,
        "devices": scenario.devices,
        "suites": sorted(name for name, members in suites.items() if scenario.name in members),
    }


def print_catalogue(rows: Sequence[dict[str, Any]]) -> None:
    """The catalogue as a table on stdout, each malicious scenario beside its twin."""
    from rich.table import Table

    twins = {row["twin_of"]: row["name"] for row in rows if row["twin_of"]}
    table = Table(show_lines=True)
    table.add_column("scenario", no_wrap=True)
    table.add_column("label", no_wrap=True)
    table.add_column("question, protocols, suites")
    for row in sorted(rows, key=lambda row: (row["twin_of"] or row["name"], bool(row["twin_of"]))):
        twin = f"twin of {row['twin_of']}" if row["twin_of"] else f"twin: {twins.get(row['name'], '-')}"
        carried = f"{', '.join(row['protocols'])} | {', '.join(row['suites']) or 'no suite'}"
        label = ", ".join(row["analytics"]) or "benign"
        table.add_row(f"{row['name']}\n  {twin}", label, f"{row['question']}\n{carried}")
    screen().print(table)


def show(name: str, seed: int) -> dict[str, Any]:
    """One scenario with its apps and, for each app, device and behaviour, when it speaks in that seed."""
    scenario = load_scenario(find_scenario(name))
    timeline = compile_scenario(scenario, seed)
    said, times = timeline.conversations, timeline.exchanges.time
    app, behaviour = (column[timeline.exchanges.conversation] for column in (said.app, said.behaviour))
    speakers = []
    for pair in np.unique(np.stack([app, behaviour], axis=1), axis=0):
        mine = (app == pair[0]) & (behaviour == pair[1])
        cells = np.clip((times[mine] - timeline.start) * STRIP // timeline.span, 0, STRIP - 1)
        one = timeline.apps[pair[0]]
        incident = int(said.incident[(said.app == pair[0]) & (said.behaviour == pair[1])].max())
        speakers.append(
            {
                "device": timeline.devices[one.device].name,
                "package": one.package,
                "category": one.category,
                "behaviour": timeline.behaviours[pair[1]],
                "analytic": timeline.incidents[incident].analytic if incident >= 0 and one.package != "netd" else None,
                "exchanges": int(mine.sum()),
                "strip": np.bincount(cells.astype(np.int64), minlength=STRIP).tolist(),
            }
        )
    suites = {suite: load_suite(suite).scenarios for suite in suite_names()}
    return {**_row(scenario, suites), "seed": seed, "speakers": speakers}


def print_scenario(shown: dict[str, Any]) -> None:
    """The scenario on stdout: its question, and a timing strip for each speaker."""
    from rich.table import Table

    console = screen()
    twin = f" (benign twin of {shown['twin_of']})" if shown["twin_of"] else ""
    console.print(f"{shown['name']}{twin}: {shown['question']}", markup=False)
    console.print(f"{shown['devices']} devices, {shown['span_s'] / 3600:g} h, seed {shown['seed']}", markup=False)
    table = Table("device, app (category)", "behaviour (label)", "exchanges")
    table.add_column("when", no_wrap=True)
    for row in shown["speakers"]:
        who = f"{row['device']} {row['package']} ({row['category']})"
        what = f"{row['behaviour']} ({row['analytic'] or 'benign'})"
        table.add_row(who, what, str(row["exchanges"]), strip_text(tuple(row["strip"]), strip_cells(console.width)))
    console.print(table)


def check(names: Sequence[str], seed: int, advance: Advance) -> list[dict[str, Any]]:
    """Plays each scenario in a temporary folder and proves its expectations; one row for each proof.

    Raises ScenarioError with the faults of all files at once, before anything is played.
    """
    scenarios = load_all(names or scenario_names())
    results: list[dict[str, Any]] = []
    for done, scenario in enumerate(scenarios):
        advance(done, len(scenarios))
        proofs = _played(scenario, seed)
        results += [{**vars(proof), "ok": proof.ok} for proof in proofs]
        if not proofs:
            unproved = {"scenario": scenario.name, "measure": "no [[expect]]: it loads, compiles and plays", "ok": True}
            results.append(unproved)
    return results


def _played(scenario: Scenario, seed: int) -> list[Proof]:
    from lab.stages import play

    with tempfile.TemporaryDirectory(prefix="droidrange-check-") as folder:
        recording = play("wire", compile_scenario(scenario, seed), Path(folder) / "recording")
        return prove_recording(scenario, recording)


def print_checks(results: Sequence[dict[str, Any]]) -> None:
    """The proofs on stdout, one a line, failed ones first."""
    for row in sorted(results, key=lambda row: row["ok"]):
        emit(("ok    " if row["ok"] else "FAIL  ") + _in_words(row))
    failed = sum(not row["ok"] for row in results)
    emit(f"{plural(len(results), 'check')}, {failed} failed")


def _in_words(row: dict[str, Any]) -> str:
    if "found" not in row:
        return f"{row['scenario']}: {row['measure']}"
    bounds = [
        f"{word} {row[key]:g}"
        for key, word in (("at_least", "at least"), ("at_most", "at most"))
        if row[key] is not None
    ]
    who = f"{row['behaviour']} of {row['package']} on {row['device']}"
    return f"{row['scenario']}: {who}: found {row['found']:g} {row['measure']}, expected {' and '.join(bounds)}"


def write_template(name: str, out: Path | None) -> Path:
    """A new scenario file with a comment beside every field; ScenarioError for a bad name or rather than overwrite."""
    from lab.recording import NAME, write_atomic

    if not NAME.fullmatch(name):
        raise ScenarioError([f"scenario name: found '{name}', expected {NAME.pattern}"])
    path = out or Path(f"{name}.toml")
    if path.exists():
        raise ScenarioError([f"{path}: exists already; choose another name or --out"])
    write_atomic(path, template(name).encode())
    return path
