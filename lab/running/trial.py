"""A run: every scenario is played under every seed, every detector looks at every view, and each trial gets a status.

A detector that crashes has failed, one that cannot run is unsupported, and neither has a score. Scoring is not done
here: a run leaves files (lab/running/run.py) from which it can be done again.
"""

from __future__ import annotations

import hashlib
import os
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from detector.contract import Advance, Telemetry, open_telemetry
from detector.contract import detector as detector_named
from detector.contract import view as view_named
from lab.authoring.held_out import held_out
from lab.authoring.plans import Scenario
from lab.errors import EvidenceError, ScenarioError, Unsupported
from lab.recording import (
    CAPTURE,
    Recording,
    droidrange_version,
    open_recording,
    recording_hash,
    tool_versions,
    write_atomic,
)
from lab.running.look import Found, look, neutral
from lab.running.record import record
from lab.running.run import (
    RUN,
    Row,
    case_name,
    findings_place,
    load_run,
    refuse_foreign,
    report_folder,
    score_folder,
    write_run,
)
from lab.running.workers import in_order
from lab.score import CONTROLS
from lab.scoring.visibility import unseen
from lab.stages import plays_alone, ready, stage_names, wishes_of

__all__ = ["Plan", "load_run", "report_folder", "run_suite", "score_folder"]

REASON_AT_MOST = 500  # characters
FROM_DETECTOR = ("capture", "contract.py", "tables.py")  # what stages take from it: the flows stage keeps its laws
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What is to be run: scenarios x seeds x detectors x views on one stage; the controls are always added."""

    suite: str
    scenarios: Sequence[Scenario]
    seeds: tuple[int, ...]
    stage: str = "wire"
    detectors: tuple[str, ...] = ("builtin",)
    views: tuple[str, ...] = ("full",)
    budget: float = 0.001
    wishes: Mapping[str, Any] = field(default_factory=dict)  # of the stage, such as speed

    @property
    def names(self) -> tuple[str, ...]:
        """The detectors asked for and the controls, each once."""
        return tuple(dict.fromkeys((*self.detectors, *CONTROLS)))


@dataclass(frozen=True)
class Ended(Generic[T]):
    """How an attempt ended: with a value (scored), or with the status and reason for which there is none."""

    status: str
    reason: str
    value: T | None


def run_suite(
    plan: Plan, folder: Path, *, progress: Advance = lambda _done, _total: None, workers: int = 0
) -> list[Row]:
    """Runs the plan into the folder and returns the rows of run.json's trials, in the order of the plan.

    Recordings that are already there and are what would be made again are used. ``workers`` 0 means one per processor.
    Interrupted, it leaves no file half-written and no run: the scorecard and report of an earlier run in the folder are
    gone, what was recorded to the end is used when the same plan is run again, and every trial is held anew.
    Raises FileExistsError for a folder of something else, LookupError for an unknown detector, view or stage, and
    ScenarioError for a scenario that does not compile or is named twice; every other fault of a stage or a detector
    is a failed trial.
    """
    _check(plan)
    refuse_foreign(folder)
    for old in (RUN, "scorecard.json", "report.html"):  # from here on they are no longer those of a finished run
        (folder / old).unlink(missing_ok=True)
    jobs = [(plan, scenario, seed, folder) for scenario in plan.scenarios for seed in plan.seeds]
    total = len(jobs)
    progress(0, total)
    workers = 1 if plays_alone(plan.stage) else workers or os.cpu_count() or 1
    cases: list[list[Row]] = []
    with closing(in_order(run_case, jobs, lost=_lost, workers=workers)) as finished:
        for rows in finished:
            cases.append(rows)
            progress(len(cases), total)
    names = [case_name(scenario.name, seed) for _, scenario, seed, _ in jobs]
    recordings = {name: rows[0]["recording_sha256"] for name, rows in zip(names, cases, strict=True)}
    about = {
        "suite": plan.suite,
        "seeds": list(plan.seeds),
        "stage": plan.stage,
        **({"speed": plan.wishes["speed"]} if "speed" in plan.wishes else {}),
        "budget": plan.budget,
        "scenarios": {scenario.name: scenario.sha256 for scenario in plan.scenarios},
        "recordings": {name: digest for name, digest in recordings.items() if digest},
    }
    trials = [{key: row[key] for key in row if key != "recording_sha256"} for rows in cases for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    write_run(folder, about, trials)
    return trials


def run_case(plan: Plan, scenario: Scenario, seed: int, folder: Path) -> list[Row]:
    """The trials of one scenario under one seed: a row per detector and view, whatever happened."""
    taken = attempt(lambda: _recorded(plan, scenario, seed, folder))
    if taken.value is None:
        return _lost((plan, scenario, seed, folder), f"recording: {taken.reason}")
    recording = taken.value
    digest = recording_hash(recording.folder)
    rows = []
    with ExitStack() as stack:  # the capture is copied at most once a case; each look has its own link to it
        read = attempt(lambda: stack.enter_context(neutral(_telemetry(recording))))
        hidden = _hidden(plan, recording, read.value)
        for row in _rows(plan, scenario, seed):
            one = hidden.get(row["view"])
            ended = Ended[Found](read.status, read.reason, None) if read.value is None else _trial(row, read.value, one)
            shown = {"unseen": list(one.value or ()) if one else []}
            rows.append({**row, **_kept(folder, row, ended), **shown, "recording_sha256": digest})
    return rows


def _hidden(plan: Plan, recording: Recording, telemetry: Telemetry | None) -> dict[str, Ended[tuple[str, ...]]]:
    """The incidents that each view of the plan does not show; of a view that fails, its trials say so themselves."""
    if telemetry is None:
        return {}
    truth = recording.truth()
    shown = {view: attempt(partial(view_named(view), telemetry)) for view in plan.views}
    nothing = Ended[tuple[str, ...]]("scored", "", ())
    return {
        view: attempt(partial(unseen, truth, ended.value)) if ended.value is not None else nothing
        for view, ended in shown.items()
    }


def attempt(action: Callable[[], T]) -> Ended[T]:
    """What became of an action. The only place where any exception at all becomes the status of a trial."""
    try:
        return Ended("scored", "", action())
    except Unsupported as fault:
        return Ended("unsupported", _short(str(fault)), None)
    except ScenarioError:
        raise
    except Exception as fault:  # noqa: BLE001 - a foreign detector may raise anything, and its trial must not vanish
        last = traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{Path(last.filename).name}, line {last.lineno}, in {last.name}"
        return Ended("failed", _short(f"{type(fault).__name__}: {fault} ({where})"), None)


def _trial(row: Row, telemetry: Telemetry, hidden: Ended[tuple[str, ...]] | None) -> Ended[Found]:
    """A look of a detector; none where it is not known what there was to see, since no miss could be told from it."""
    if hidden is not None and hidden.value is None:
        return Ended("failed", _short(f"what the view shows: {hidden.reason}"), None)
    return attempt(lambda: look(row["detector"], row["view"], telemetry))


def _kept(folder: Path, row: Row, ended: Ended[Found]) -> Row:
    """The part of a row that is known in the end; the findings of a scored trial are on disk before it says so."""
    path = folder / findings_place(row)
    if ended.value is None:
        path.unlink(missing_ok=True)
        nothing: Row = {"detector_version": None, "judged": [], "findings_sha256": None}
        return {"status": ended.status, "reason": ended.reason, **nothing}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, ended.value.lines)
    digest = hashlib.sha256(ended.value.lines).hexdigest()
    said = {"detector_version": ended.value.version, "judged": list(ended.value.judged), "findings_sha256": digest}
    return {"status": "scored", "reason": "", **said}


def _recorded(plan: Plan, scenario: Scenario, seed: int, out: Path) -> Recording:
    folder = out / "recordings" / case_name(scenario.name, seed)
    mark = folder.with_name(f".{folder.name}.made-by")
    wishes = "".join(f" {name}={wish}" for name, wish in sorted(plan.wishes.items()) if name != "lab")
    made_by = f"{_sources_sha256()} {plan.stage}{wishes} {scenario.name} {scenario.sha256} {seed} {_tools()}"
    if mark.exists():
        before = attempt(lambda: open_recording(folder))
        if before.value and mark.read_text(encoding="utf-8") == f"{made_by} {recording_hash(folder)}\n":
            return before.value
    folder.parent.mkdir(parents=True, exist_ok=True)
    record(plan.stage, scenario, seed, folder, replace=True, **plan.wishes)
    recording = open_recording(folder)
    write_atomic(mark, f"{made_by} {recording_hash(folder)}\n".encode())
    return recording


def _telemetry(recording: Recording) -> Telemetry:
    telemetry = open_telemetry(recording.telemetry)
    written = recording.files.get(CAPTURE, {}).get("packets")
    if telemetry.packets != written:
        raise EvidenceError(f"{recording.folder / CAPTURE}: read {telemetry.packets} packets, {written} were written")
    return telemetry


@cache
def _sources_sha256() -> str:
    """The hash of the code that recordings come from: a version number does not change while one is being written."""
    root, digest = Path(__file__).parents[2], hashlib.sha256()
    for path in _sources(root):
        digest.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources(root: Path) -> list[Path]:
    """The files that decide a recording: the lab's, and the detector's whose constants and laws its stages share."""
    shared = [root / "detector" / name for name in FROM_DETECTOR]
    within = [path for place in (root / "lab", *shared) for path in (place, *place.rglob("*"))]
    apart = [root / "lab" / name for name in ("report", "_scenarios")]
    found = (path for path in within if path.is_file() and path.suffix != ".pyc")
    return sorted(path for path in found if not any(path.is_relative_to(place) for place in apart))


def _tools() -> str:
    """The versions of everything whose version decides the bytes of a recording."""
    return " ".join(
        f"{name}={found}" for name, found in {"droidrange": droidrange_version(), **tool_versions()}.items()
    )


def _rows(plan: Plan, scenario: Scenario, seed: int) -> list[Row]:
    place: dict[str, Any] = {"scenario": scenario.name, "seed": seed, "stage": plan.stage}
    place["held_out"] = scenario.name in held_out()
    return [{**place, "view": view, "detector": name} for name in plan.names for view in dict.fromkeys(plan.views)]


def _lost(job: tuple[Plan, Scenario, int, Path], reason: str) -> list[Row]:
    """The rows of a case that never came to a detector: all failed."""
    plan, scenario, seed, folder = job
    lost = Ended[Found]("failed", reason, None)
    return [
        {**row, **_kept(folder, row, lost), "unseen": [], "recording_sha256": None}
        for row in _rows(plan, scenario, seed)
    ]


def _check(plan: Plan) -> None:
    """Refuses what the user misspelt, or the stage lacks for every play, before anything is played."""
    if not plan.scenarios or not plan.seeds or not plan.views:
        raise ScenarioError([f"suite {plan.suite}: nothing to run: no scenario, seed or view"])
    cases = Counter((scenario.name, seed) for scenario in plan.scenarios for seed in plan.seeds)
    if twice := [case_name(*case) for case, times in cases.items() if times > 1]:
        raise ScenarioError([f"suite {plan.suite}: {case} is named twice; each is played once" for case in twice])
    if plan.stage not in stage_names():
        raise LookupError(f"unknown stage '{plan.stage}': known are {', '.join(stage_names())}")
    if foreign := sorted(set(plan.wishes) - set(wishes_of(plan.stage))):
        raise ScenarioError([f"stage {plan.stage} has no --{name}" for name in foreign])
    for name in plan.views:
        view_named(name)
    for name in plan.names:
        try:
            detector_named(name)
        except Unsupported:
            continue  # each trial will say so
    ready(plan.stage, **plan.wishes)


def _short(text: str) -> str:
    return text if len(text) <= REASON_AT_MOST else text[: REASON_AT_MOST - 3] + "..."
