"""Parity of the stages: every scenario of a suite recorded on wire and another stage, measured by the bundled detector.

Writes docs/parity.md, of which each pair of stages has a part; a part that is not made anew is kept. Exit code 0: parity held; 1: it is broken somewhere; 3: a scenario could not be recorded
or read, whatever the others say. What is compared and how is detector/parity.py's; nothing here knows a tolerance.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyarrow.parquet as pq

from detector.contract import open_telemetry
from detector.measures import Measured, measured
from detector.parity import Compared, Pair, compared, differences
from detector.thresholds import BUNDLED, load_thresholds
from lab.recording import open_recording
from lab.scenario import load_suite, suite_names
from lab.scoring.matching import same_peer
from lab.timeline import NAME_LOOKUP
from lab.truth import Truth, read_truth

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 600  # to set a lab up and take it down, and to write: beyond it, recording hangs
NOTHING_WRONG, OUTSIDE, FAILED = 0, 1, 3
Record = Callable[[str, str, Path], None]  # scenario, stage, folder

SUITES = {"flows": "core", "live": "live"}  # the stages that are held against wire, and on what
PART = "<!-- {} -->"  # what begins a stage's part of the page
HEAD = """# Parity of the stages: wire and {stage}

Made by `make bench-parity`: every scenario of the suite is recorded on both stages from the same timeline, and the
bundled detector measures both recordings. Per incident, and per ordinary app and destination with enough contacts to be
looked at, every value that a verdict is made of stands side by side.

Tolerances: 2 % for what depends on times, 10 % for what depends on sizes or on both, none for counts of requests,
streams, destinations and TLS clients and for names. Seconds, bytes and counts differ by parts of the larger value,
shares from 0 to 1 by parts of that scale. A group or value that only one stage shows is outside. Parity is held where
every value of every incident is within and no group alerts on one stage alone; what ordinary apps differ in is counted
and listed beside it.
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one scenario: its groups on both stages with what truth calls each, or why there are none."""

    scenario: str
    pairs: Sequence[Pair] = ()
    incidents: dict[tuple[object, ...], str] = field(default_factory=dict)  # key -> incident
    behaviours: dict[tuple[object, ...], str] = field(default_factory=dict)  # key -> behaviour
    fault: str = ""
    other: str = "live"  # the stage beside wire

    @property
    def held(self) -> bool:
        """Whether it was measured on both stages, incidents within the tolerances, and every verdict the same.

        An ordinary app that is just enough to be looked at on one stage only, and is quiet there, is no breach.
        """
        return not self.fault and all(pair.within for pair in self.of_incidents) and not self.verdicts

    @property
    def of_incidents(self) -> list[Pair]:
        """The groups that truth calls an incident."""
        return [pair for pair in self.pairs if pair.shown.key in self.incidents]

    @property
    def verdicts(self) -> int:
        """How many groups alert on one stage and do not on the other."""
        return sum(not pair.same_verdict for pair in self.pairs)


def _outside(pairs: Sequence[Pair]) -> int:
    return sum(len(pair.outside) + (None in (pair.one, pair.other)) for pair in pairs)


def outcome(scenario: str, one: Path, other: Path, stage: str = "live") -> Outcome:
    """Two recordings of one scenario compared; raises what opening and reading them raises."""
    limits = load_thresholds(BUNDLED)
    sides = [measured(open_telemetry(open_recording(folder).telemetry), limits) for folder in (one, other)]
    pairs = compared(*sides)
    recording = open_recording(one)
    truth = read_truth(recording)
    spoken = _spoken(one)
    shown = [pair.shown for pair in pairs]
    return Outcome(
        scenario,
        pairs,
        {group.key: found for group in shown if (found := incident_of(group, truth))},
        {group.key: _behaviour(group, spoken) for group in shown},
        other=stage,
    )


def incident_of(group: Measured, truth: Truth) -> str:
    """The incident a group belongs to, or nothing: same app, and for AN1793 one of its peers."""
    for one in truth.incidents:
        mine = (group.device, group.package) == (one.device, one.package)
        if mine and (one.analytic == "AN1702" if group.peer is None else same_peer(group.peer, one.peers)):
            return one.incident
    return ""


def _spoken(folder: Path) -> dict[tuple[str, str], set[str]]:
    """The behaviours by device and address of the other side."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in pq.read_table(folder / "truth/flows.parquet").to_pylist():
        if row["behaviour"] != NAME_LOOKUP:
            found.setdefault((row["device"], row["server"]), set()).add(row["behaviour"])
    return found


def _behaviour(group: Measured, spoken: dict[tuple[str, str], set[str]]) -> str:
    if group.peer is None:
        return "all of the app"
    kinds = set().union(*(spoken.get((group.device, address), set()) for address in group.addresses))
    return "/".join(sorted(kinds)) or NAME_LOOKUP


def recorded(scenario: str, record: Record, folder: Path, other: str = "live") -> Outcome:
    """Both stages recorded and compared; whatever fails becomes the outcome's fault, and the others go on."""
    stages = {stage: folder / f"{scenario}-{stage}" for stage in ("wire", other)}
    try:
        for stage, place in stages.items():
            record(scenario, stage, place)
        return outcome(scenario, *stages.values(), stage=other)
    except (OSError, ValueError, LookupError, RuntimeError, subprocess.SubprocessError) as fault:
        return Outcome(scenario, other=other, fault=f"{type(fault).__name__}: {' '.join(str(fault).split())}"[:300])


def by_command(seed: int, speed: float) -> Record:
    """Recording by the droidrange command beside this Python; RuntimeError with its last words if it fails."""

    def record(scenario: str, stage: str, folder: Path) -> None:
        words = [Path(sys.executable).with_name("droidrange"), "record", scenario, "--seed", str(seed)]
        words += ["--stage", stage, "--out", folder, "--force"]
        words += ["--speed", f"{speed:g}"] if stage == "live" else []
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=GRACE_S + 86_400 / speed)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["without a word"]
            raise RuntimeError(f"droidrange record --stage {stage} left with {done.returncode}: {last[0]}")

    return record


def page(outcomes: Sequence[Outcome], *, seed: int, speed: float) -> str:
    """One stage's part of docs/parity.md."""
    stage = outcomes[0].other if outcomes else "live"
    made = f"Seed {seed}, live at `--speed {speed:g}`.\n" if stage == "live" else f"Seed {seed}.\n"
    parts = [HEAD.format(stage=stage), made, "## Scenarios\n", *_overview(outcomes)]
    parts += ["\n## Incidents\n", *_incidents(outcomes), "\n## Ordinary apps\n", *_ordinary(outcomes)]
    return "\n".join([*parts, "\n## What differs\n", *_differs(outcomes)]) + "\n"


def _overview(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield "| scenario | incidents | values | outside | ordinary groups | outside | verdicts that differ | parity |"
    yield "|---|--:|--:|--:|--:|--:|--:|---|"
    for one in outcomes:
        if one.fault:
            yield f"| {one.scenario} | | | | | | | FAILED: {one.fault.replace('|', '/')} |"
            continue
        ordinary = [pair for pair in one.pairs if pair.shown.key not in one.incidents]
        values = sum(len(pair.values) for pair in one.of_incidents)
        counts = f"{len(set(one.incidents.values()))} | {values} | {_outside(one.of_incidents)}"
        counts += f" | {len(ordinary)} | {_outside(ordinary)} | {one.verdicts}"
        yield f"| {one.scenario} | {counts} | {'held' if one.held else 'BROKEN'} |"


def _incidents(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield f"| scenario | protocol | incident, analytic, peer | feature | wire | {_other(outcomes)} | difference | within |"
    yield "|---|---|---|---|--:|--:|--:|---|"
    for one in outcomes:
        for pair in (pair for pair in one.pairs if pair.shown.key in one.incidents):
            group = pair.shown
            who = f"{one.incidents[group.key]}, {group.analytic}{f', {group.peer}' if group.peer else ''}"
            begin = f"| {one.scenario} | {_protocol(group)} | {who} |"
            same = "yes" if pair.same_verdict and None not in (pair.one, pair.other) else "NO"
            yield f"{begin} **verdict** | {_verdict(pair.one)} | {_verdict(pair.other)} | | {same} |"
            yield from (f"{begin} {_cells(value)}" for value in pair.values)


def _ordinary(outcomes: Sequence[Outcome]) -> Iterator[str]:
    beside = _other(outcomes)
    yield f"| scenario | protocol | device, app, peer | behaviour | analytic | verdict wire | {beside} | values | outside |"
    yield "|---|---|---|---|---|---|---|--:|---|"
    for one in outcomes:
        for pair in (pair for pair in one.pairs if pair.shown.key not in one.incidents):
            group = pair.shown
            who = ", ".join(part for part in (group.device, group.package, group.peer) if part)
            wrong = ", ".join(value.feature for value in pair.outside) or ("none" if pair.within else "ALL")
            begin = f"| {one.scenario} | {_protocol(group)} | {who} | {one.behaviours[group.key]} | {group.analytic} |"
            yield f"{begin} {_verdict(pair.one)} | {_verdict(pair.other)} | {len(pair.values)} | {wrong} |"


def _differs(outcomes: Sequence[Outcome]) -> Iterator[str]:
    lines = [f"- {one.scenario}: {line}" for one in outcomes for line in _lines(one)]
    yield from lines or ["Nothing."]


def _lines(one: Outcome) -> Iterator[str]:
    if one.fault:
        yield f"not compared: {one.fault}"
    beside = one.other if one.other == "live" else f"on {one.other}"
    for pair, value in differences(one.pairs):
        group = pair.shown
        who = f"{group.analytic} {' '.join(part for part in (group.device, group.package, group.peer) if part)}"
        if value is not None:
            found = f"{_number(value.one)} on wire, {_number(value.other)} {beside}"
            yield f"{who}: {value.feature} {found}, tolerance {value.tolerance:.0%}"
        elif None in (pair.one, pair.other):
            yield f"{who}: seen on {'wire' if pair.one else one.other} only"
        if not pair.same_verdict and (value is None or value is pair.outside[0]):
            yield f"{who}: verdict {_verdict(pair.one)} on wire, {_verdict(pair.other)} {beside}"


def _other(outcomes: Sequence[Outcome]) -> str:
    return outcomes[0].other if outcomes else "live"


def _cells(value: Compared) -> str:
    difference = "" if value.difference is None else f"{value.difference:.1%}"
    within = "yes" if value.within else "NO"
    return f"{value.feature} | {_number(value.one)} | {_number(value.other)} | {difference} | {within} |"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _verdict(group: Measured | None) -> str:
    return "not seen" if group is None else f"{'ALERT' if group.alert else 'quiet'} ({group.score:.2f})"


def _protocol(group: Measured) -> str:
    return "/".join(group.protocols) or "any"


def left_with(outcomes: Sequence[Outcome]) -> int:
    """The exit code."""
    if any(one.fault for one in outcomes):
        return FAILED
    return NOTHING_WRONG if all(one.held for one in outcomes) else OUTSIDE


def put(text: str, stage: str, part: str) -> str:
    """The page with a stage's part made anew and the others kept; a page without marks is all of stage live."""
    marks = {name: PART.format(name) for name in SUITES}
    known: dict[str, str] = {}
    at = "live"
    for line in text.splitlines():
        at = next((name for name, mark in marks.items() if line == mark), at)
        if line not in marks.values():
            known[at] = known.get(at, "") + line + "\n"
    known[stage] = part
    return "\n".join(f"{marks[name]}\n{known[name].strip()}\n" for name in SUITES if known.get(name, "").strip())


def compared_on(stage: str, given: argparse.Namespace, folder: Path) -> list[Outcome]:
    """Records, compares and prints what differs."""
    outcomes, known = [], suite_names()
    asked = [load_suite(one).scenarios if one in known else (one,) for one in given.names or [SUITES[stage]]]
    for name in (name for names in asked for name in names):
        outcomes.append(recorded(name, by_command(given.seed, given.speed), folder, stage))
        for line in _lines(outcomes[-1]):
            print(f"{name}: {line}")
        print(f"{name}: {'parity held' if outcomes[-1].held else 'PARITY NOT HELD'}", flush=True)
    return outcomes


def main(words: Sequence[str] | None = None) -> int:
    """Records, compares, prints and writes."""
    options = argparse.ArgumentParser(description="Parity of the wire stage and others.")
    options.add_argument("names", nargs="*", help="suites or scenarios; default: core for flows, live for live")
    options.add_argument("--stage", action="append", choices=list(SUITES), help="beside wire; default: all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--speed", type=float, default=60.0)
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "parity.md")
    options.add_argument("--recordings", type=Path, help="folder to keep the recordings in")
    given = options.parse_args(words)
    everything = []
    with tempfile.TemporaryDirectory(prefix="droidrange-parity-") as scratch:
        folder = given.recordings or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for stage in given.stage or list(SUITES):
            outcomes = compared_on(stage, given, folder)
            before = given.out.read_text() if given.out.exists() else ""
            given.out.write_text(put(before, stage, page(outcomes, seed=given.seed, speed=given.speed)))
            print("\n" + "\n".join(_overview(outcomes)))
            everything += outcomes
    return left_with(everything)


if __name__ == "__main__":
    raise SystemExit(main())
