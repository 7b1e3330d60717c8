"""The check of scenarios: each is played in a temporary folder, in worker processes, and its promises are proved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from detector.contract import Advance
from lab.authoring.blame import authored, told
from lab.authoring.plans import Scenario
from lab.catalogue.again import compiled_again
from lab.catalogue.expectation import prove_recording
from lab.catalogue.nearby import around, imitators, lost_twins
from lab.catalogue.pairs import lone_faults, pair_faults, pair_notice
from lab.console import FAILED, OK, USAGE
from lab.errors import EvidenceError, PrerequisiteError, ScenarioError, StageError
from lab.running.extent import refuse_absurd
from lab.running.workers import in_order
from lab.scenario import compile_scenario, load_scenario, suite_files
from lab.shelf import by_name, place_of, shelf

Row = dict[str, Any]
NO_PROMISE = "no [[expect]]: it loads, compiles and plays"


def check(
    names: Sequence[str],
    seeds: Sequence[int],
    advance: Advance,
    *,
    stage: str = "wire",
    workers: int = 0,
) -> list[Row]:
    """Plays each scenario (suites are taken apart; none named: all) under each seed and proves its expectations.

    One row for each proof, in that order; ``workers`` 0 means one per processor. A scenario that cannot be played has a
    row with its ``fault``. Raises ScenarioError with the faults of all files at once, before anything is played, and
    LookupError for a stage that does not exist; a stage that needs a lab and an absurd number of seeds are refused.
    """
    from lab.stages import plays_alone

    if plays_alone(stage):
        raise ScenarioError([f"stage {stage}: found one that plays in real time, expected wire or flows"])
    scenarios, rows = _scenarios(names)
    refuse_absurd(scenarios, len(seeds), stage)
    advance(0, len(scenarios) * len(seeds))
    with tempfile.TemporaryDirectory(prefix="droidrange-check-") as folder:  # ours: a worker may be ended at any moment
        jobs = [(scenario, seed, stage, Path(folder)) for scenario in scenarios for seed in seeds]
        with closing(in_order(proved, jobs, lost=_lost, workers=workers or os.cpu_count() or 1)) as finished:
            for done, found in enumerate(finished, 1):
                rows += found
                advance(done, len(jobs))
    return rows


def _scenarios(names: Sequence[str]) -> tuple[list[Scenario], list[Row]]:
    """The scenarios of these names and suites, each once, and what is worth a notice; ScenarioError for all faults."""
    faults: list[str] = []
    paths: dict[str, Path] = {} if names else shelf()
    for name in names:
        try:
            paths |= by_name([*paths.values(), *suite_files(name)[1]])
        except ScenarioError as wrong:
            faults += wrong.faults
        except FileNotFoundError as lost:
            faults.append(f"{lost.filename}: {lost.strerror}")
    known = around(paths.values())
    faults += lost_twins(paths.values(), known)
    loaded: dict[str, Scenario] = {}
    for name, path in paths.items():
        try:
            loaded[name] = load_scenario(path)
        except ScenarioError as wrong:
            faults += wrong.faults
    notices = _notices(loaded, known, faults)
    if faults:
        raise ScenarioError(faults)
    return [*loaded.values()], notices


def _notices(loaded: Mapping[str, Scenario], known: Mapping[str, Path], faults: list[str]) -> list[Row]:
    """Each scenario by itself and beside what it imitates: faults are added, notices given."""
    rows: list[Row] = []
    twins = imitators(known)
    for name, scenario in loaded.items():
        place = place_of(known[name])
        faults += [f"{place}: {fault}" for fault in lone_faults(scenario)]
        said = "no benign scenario has it as its twin_of" if scenario.analytics and name not in twins else ""
        if scenario.twin_of in known:
            try:
                original = loaded.get(scenario.twin_of) or load_scenario(known[scenario.twin_of])
            except ScenarioError as wrong:
                faults += wrong.faults
                continue
            wrongs = pair_faults(scenario, original)
            faults += [f"{place}: {fault}" for fault in wrongs]
            said = said or ("" if wrongs else pair_notice(scenario, original))
        rows += [{"scenario": name, "measure": "twin", "ok": True, "notice": said}] if said else []
    return rows


def proved(scenario: Scenario, seed: int, stage: str, within: Path) -> list[Row]:
    """One job: the rows of one scenario under one seed; its recording stands in ``within`` meanwhile."""
    from lab.stages import play

    about: Row = {"scenario": scenario.name, "seed": seed, "stage": stage}
    try:
        with tempfile.TemporaryDirectory(dir=within) as folder:
            timeline = compile_scenario(scenario, seed)
            compiled_again(scenario, seed, timeline)
            recording = play(stage, timeline, Path(folder) / "recording")
            proofs = prove_recording(scenario, recording)
    except (ScenarioError, StageError, EvidenceError) as fault:
        author = isinstance(fault, ScenarioError)
        return [about | {"measure": "plays", "ok": False, "fault": str(fault), "exit": USAGE if author else FAILED}]
    except PrerequisiteError:
        raise
    except Exception as wrong:  # noqa: BLE001 - one file's failure is not the others': an author's, or ours
        code = USAGE if authored(wrong) else FAILED
        return [about | {"measure": "plays", "ok": False, "fault": told(wrong), "exit": code}]
    return [about | vars(proof) | {"ok": proof.ok} for proof in proofs] or [about | {"measure": NO_PROMISE, "ok": True}]


def _lost(job: tuple[Scenario, int, str, Path], reason: str) -> list[Row]:
    scenario, seed, stage, _ = job
    about = {"scenario": scenario.name, "seed": seed, "stage": stage}
    return [about | {"measure": "plays", "ok": False, "fault": reason, "exit": FAILED}]


def exit_code(rows: Sequence[Row]) -> int:
    """3 if a stage or a worker failed, 2 if a scenario does not keep its promises, 0 if all is proved."""
    return max([OK, *(int(row.get("exit", USAGE)) for row in rows if not row["ok"])])


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many promises (``expectations``), how many ``failed`` anywhere; how many scenarios, how many are ``proved``.

    A promise of one that was ``not_played`` is not counted: nobody knows how often it would have been held.
    """
    proofs = [row for row in rows if "notice" not in row]
    promises: dict[tuple[str, ...], bool] = {}
    for row in proofs:
        if "found" in row:
            key = (row["scenario"], row["behaviour"], row["package"], row["measure"])
            promises[key] = promises.get(key, True) and bool(row["ok"])
    names, broken = {row["scenario"] for row in proofs}, {row["scenario"] for row in proofs if not row["ok"]}
    return {
        "expectations": len(promises),
        "failed": sum(not kept for kept in promises.values()),
        "scenarios": len(names),
        "proved": len(names - broken),
        "not_played": len({row["scenario"] for row in proofs if "fault" in row}),
    }
