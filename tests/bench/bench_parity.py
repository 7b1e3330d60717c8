"""Parity of the stages: every scenario of a suite recorded on wire and another stage, measured by the bundled detector.

Writes docs/parity.md, of which each pair of stages has a part (a part that is not made anew is kept), and every value
into out/parity/, which nobody commits. Exit code 0: parity held; 1: it is broken somewhere; 3: a scenario could not be
recorded or read, whatever the others say. What is compared and how is detector/parity.py's, what it looks like is
parity_page.py's; nothing here knows a tolerance.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pyarrow.parquet as pq
from parity_page import SUITES, Outcome, detail, differing, overview, page, put

from detector.contract import open_telemetry
from detector.measures import Measured, measured
from detector.parity import compared
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


def left_with(outcomes: Sequence[Outcome]) -> int:
    """The exit code."""
    if any(one.fault for one in outcomes):
        return FAILED
    return NOTHING_WRONG if all(one.held for one in outcomes) else OUTSIDE


def compared_on(stage: str, given: argparse.Namespace, folder: Path) -> list[Outcome]:
    """Records, compares and prints what differs."""
    outcomes, known = [], suite_names()
    asked = [load_suite(one).scenarios if one in known else (one,) for one in given.names or [SUITES[stage]]]
    for name in (name for names in asked for name in names):
        outcomes.append(recorded(name, by_command(given.seed, given.speed), folder, stage))
        for line in differing(outcomes[-1]):
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
    options.add_argument("--detail", type=Path, default=ROOT / "out" / "parity", help="folder of every value")
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
            given.detail.mkdir(parents=True, exist_ok=True)
            (given.detail / f"{stage}.md").write_text(detail(outcomes))
            print("\n" + "\n".join(overview(outcomes)))
            everything += outcomes
    return left_with(everything)


if __name__ == "__main__":
    raise SystemExit(main())
