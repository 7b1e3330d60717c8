"""A run: every scenario is played under every seed, every detector looks at every view, and each trial gets a status.

A detector that crashes has failed, one that cannot run is unsupported, and neither has a score. Scoring is not done
here: a run leaves files (lab/running/run.py) from which it can be done again.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from detector.contract import Advance, Telemetry, open_telemetry
from detector.contract import detector as detector_named
from detector.contract import view as view_named
from lab.authoring.held_out import held_out
from lab.authoring.plans import Scenario
from lab.errors import EvidenceError, ScenarioError, Unsupported
from lab.recording import (
    CAPTURE,
    Recording,
    open_recording,
    recording_hash,
    write_atomic,
)
from lab.running.asked import answers, explained_place, keep_answers
from lab.running.attempt import Ended, attempt, short
from lab.running.learning import Lessons, lessons
from lab.running.look import Found, look, neutral
from lab.running.record import PAST_STAGE, record
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
from lab.running.sources import sources_sha256, tools
from lab.running.workers import in_order
from lab.score import CONTROLS
from lab.scoring.visibility import unseen
from lab.stages import plays_alone, ready, stage_names, wishes_of
from lab.world.past import Past

__all__ = ["Plan", "load_run", "report_folder", "run_suite", "score_folder"]

PARTS = ("recording_sha256", "past_sha256")  # of a case, on its rows until run.json has them once


@dataclass(frozen=True)
class Plan:
    """What is to be run: scenarios x seeds x detectors x views on one stage; the controls are always added.

    ``past``: the fleet of each scenario is an enterprise of its own, and what was usual in it before is learned from
    that. ``devices``: how many phones all the scenarios were enlarged to, 0 if they were not. ``vary``: the axes of a
    sweep (lab/authoring/varied.py), whose cells the scenarios are. ``explained``: whether each detector is asked why it
    found or missed each incident. ``asked``: the path by which the suite was asked for; empty: by its name.
    """

    suite: str
    scenarios: Sequence[Scenario]
    seeds: tuple[int, ...]
    stage: str = "wire"
    detectors: tuple[str, ...] = ("builtin",)
    views: tuple[str, ...] = ("full",)
    budget: float = 0.001
    wishes: Mapping[str, Any] = field(default_factory=dict)  # of the stage, such as speed
    past: Past | None = None
    devices: int = 0
    vary: tuple[Row, ...] = ()
    explained: bool = True
    asked: str = ""

    @property
    def setting(self) -> dict[str, float]:
        """What run.json and the scorecard say of the fleets and what was learned of them, if anything is to be said."""
        return {**({"devices": self.devices} if self.devices else {}), **(self.past.told if self.past else {})}

    @property
    def names(self) -> tuple[str, ...]:
        """The detectors asked for and the controls, each once."""
        return tuple(dict.fromkeys((*self.detectors, *CONTROLS)))


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
    trials = [{key: row[key] for key in row if key not in PARTS} for rows in cases for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    write_run(folder, _about(plan, [case_name(scenario.name, seed) for _, scenario, seed, _ in jobs], cases), trials)
    return trials


def _about(plan: Plan, names: Sequence[str], cases: Sequence[list[Row]]) -> Row:
    """What run.json says of the run and of the recordings of its cases."""
    recordings, pasts = (
        {name: rows[0][part] for name, rows in zip(names, cases, strict=True) if rows[0][part]} for part in PARTS
    )
    return {
        "suite": plan.suite,
        "seeds": list(plan.seeds),
        "stage": plan.stage,
        **({"speed": plan.wishes["speed"]} if "speed" in plan.wishes else {}),
        **plan.setting,
        **({"vary": list(plan.vary)} if plan.vary else {}),
        **({"turned": {one.name: list(one.turned) for one in plan.scenarios}} if plan.vary else {}),
        **({"asked": plan.asked} if plan.asked else {}),
        "budget": plan.budget,
        "scenarios": {scenario.name: scenario.sha256 for scenario in plan.scenarios},
        "recordings": recordings,
        **({"pasts": pasts} if plan.past else {}),
    }


def run_case(plan: Plan, scenario: Scenario, seed: int, folder: Path) -> list[Row]:
    """The trials of one scenario under one seed: a row per detector and view, whatever happened."""
    taken = attempt(lambda: recorded(plan, scenario, seed, folder))
    if taken.value is None:
        return _lost((plan, scenario, seed, folder), f"recording: {taken.reason}")
    recording = taken.value
    past = plan.past
    known = lessons(plan.views, lambda: recorded(plan, scenario, seed, folder, past)) if past else Lessons()
    digests = dict(zip(PARTS, (recording_hash(recording.folder), known.digest), strict=True))
    rows = []
    with ExitStack() as stack:  # the capture is copied at most once a case; each look has its own link to it
        read = attempt(lambda: stack.enter_context(neutral(_telemetry(recording))))
        hidden = _hidden(plan, recording, read.value)
        for row in _rows(plan, scenario, seed):
            one = hidden.get(row["view"])
            ended = Ended[Found](read.status, read.reason, None)
            ended = ended if read.value is None else _trial(row, read.value, one, known)
            shown = {"unseen": list(one.value or ()) if one else []}
            kept = _kept(folder, row, ended)
            told = _asked(folder, {**row, **kept}, read.value if plan.explained else None, recording, known)
            rows.append({**row, **kept, **told, **shown, **digests})
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


def _trial(row: Row, telemetry: Telemetry, hidden: Ended[tuple[str, ...]] | None, known: Lessons) -> Ended[Found]:
    """A look of a detector; none where it is not known what there was to see, since no miss could be told from it.

    Nor where learning failed: it would be judged by what it was not told.
    """
    if hidden is not None and hidden.value is None:
        return Ended("failed", short(f"what the view shows: {hidden.reason}"), None)
    lesson = known.of(row["view"])
    if lesson.status != "scored":
        return Ended("failed", short(f"learning: {lesson.reason}"), None)
    return attempt(lambda: look(row["detector"], row["view"], telemetry, lesson.value))


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


def _asked(folder: Path, row: Row, telemetry: Telemetry | None, recording: Recording, known: Lessons) -> Row:
    """What a row says of the answers to why each incident was found or missed, which are on disk before it does."""
    lines = b""
    if telemetry is not None and row["judged"]:
        lines = answers(row, telemetry, recording.truth(), row["judged"], known.of(row["view"]).value)
    return keep_answers(folder / explained_place(findings_place(row)), lines)


def recorded(plan: Plan, scenario: Scenario, seed: int, out: Path, past: Past | None = None) -> Recording:
    """A recording of the run, or of the ``past`` of its fleet; one that would be made just so is used as it is."""
    folder = out / ("pasts" if past else "recordings") / case_name(scenario.name, seed)
    mark = folder.with_name(f".{folder.name}.made-by")
    stage, wished = (PAST_STAGE, {}) if past else (plan.stage, plan.wishes)
    wishes = {**wished, **({"devices": plan.devices} if plan.devices else {}), **(vars(past) if past else {})}
    how = "".join(f" {name}={wish}" for name, wish in sorted(wishes.items()) if name != "lab")
    made_by = f"{sources_sha256()} {stage}{how} {scenario.name} {scenario.sha256} {seed} {tools()}"
    if mark.exists():
        before = attempt(lambda: open_recording(folder))
        if before.value and mark.read_text(encoding="utf-8") == f"{made_by} {recording_hash(folder)}\n":
            return before.value
    folder.parent.mkdir(parents=True, exist_ok=True)
    record(stage, scenario, seed, folder, replace=True, past=past, **wished)
    recording = open_recording(folder)
    write_atomic(mark, f"{made_by} {recording_hash(folder)}\n".encode())
    return recording


def _telemetry(recording: Recording) -> Telemetry:
    telemetry = open_telemetry(recording.telemetry)
    written = recording.files.get(CAPTURE, {}).get("packets")
    if telemetry.packets != written:
        raise EvidenceError(f"{recording.folder / CAPTURE}: read {telemetry.packets} packets, {written} were written")
    return telemetry


def _rows(plan: Plan, scenario: Scenario, seed: int) -> list[Row]:
    place: dict[str, Any] = {"scenario": scenario.name, "seed": seed, "stage": plan.stage}
    place["held_out"] = (scenario.varied_from or scenario.name) in held_out()
    return [{**place, "view": view, "detector": name} for name in plan.names for view in dict.fromkeys(plan.views)]


def _lost(job: tuple[Plan, Scenario, int, Path], reason: str) -> list[Row]:
    """The rows of a case that never came to a detector: all failed."""
    plan, scenario, seed, folder = job
    lost = Ended[Found]("failed", reason, None)
    return [
        {**row, **_kept(folder, row, lost), "unseen": [], **dict.fromkeys(PARTS)} for row in _rows(plan, scenario, seed)
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
