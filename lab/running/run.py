"""A run on disk: what was asked, how each trial ended, what was found; enough to score and report it again.

``recordings/``, ``findings/<scenario>-s<seed>/<detector>/<view>.jsonl``, ``run.json`` (written last, no clock in it),
``scorecard.json``, ``report.html``: each whole or absent. No detector runs here and nothing is played.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.contract import ATTACK_VERSION, SCHEMA_VERSION, Advance, Finding
from lab.errors import EvidenceError
from lab.recording import AGAIN as RECORD_AGAIN
from lab.recording import Recording, droidrange_version, open_recording, recording_hash, write_atomic, write_json
from lab.running.asked import explained_place, read_answers
from lab.running.phase import Phase, in_silence, unsaid
from lab.score import Scorecard, score
from lab.scoring.boundary import boundary
from lab.scoring.outcomes import TrialResult
from lab.truth import Truth

if TYPE_CHECKING:
    from lab.report.drill import Answers

RUN = "run.json"
DEFAULT_BUDGET = 0.001
AGAIN = "run it again"
ANEW = "run it again into the same folder: what is damaged is made anew"
SETTING = ("devices", "learn_s", "poison", "novel")  # of fleets and what was learned: where asked
#: What a trial and its row of run.json have in common.
PLACE = ("scenario", "seed", "stage", "view", "detector", "held_out", "status", "reason")

Row = dict[str, Any]


def case_name(scenario: str, seed: int) -> str:
    """The name of a scenario's recording and findings under one seed."""
    return f"{scenario}-s{seed}"


def refuse_foreign(folder: Path) -> None:
    """FileExistsError if the folder holds something that is neither a run nor the beginning of one."""
    if folder.is_dir() and any(folder.iterdir()) and not ((folder / RUN).exists() or (folder / "recordings").is_dir()):
        raise FileExistsError(17, "stands there and is no run; give another folder with --out", str(folder))


def findings_place(row: Mapping[str, Any]) -> str:
    """Where in the run folder the findings of a trial stand; a detector's argument may hold any character."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in row["detector"])
    if safe != row["detector"]:
        safe = f"{safe[:60]}.{hashlib.sha256(row['detector'].encode()).hexdigest()[:8]}"
    return f"findings/{case_name(row['scenario'], row['seed'])}/{safe}/{row['view']}.jsonl"


def write_run(folder: Path, about: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Writes run.json: ``about`` (suite, seeds, stage, budget, scenarios), this software, and every trial."""
    software = {"droidrange": droidrange_version(), "python": platform.python_version(), "attack": ATTACK_VERSION}
    write_json(folder / RUN, {"schema_version": SCHEMA_VERSION, **about, "software": software, "trials": list(rows)})


def read_run(folder: Path) -> Row:
    """The content of run.json; EvidenceError if the run was never finished or the file is damaged."""
    path = folder / RUN
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise EvidenceError(f"{path}: not found: no run, or one that was never finished; {AGAIN}") from None
    except ValueError as fault:
        raise EvidenceError(f"{path}: unreadable ({fault}); {AGAIN}") from None
    if not isinstance(content, dict) or content.get("schema_version") != SCHEMA_VERSION or "trials" not in content:
        raise EvidenceError(f"{path}: found no run of schema_version {SCHEMA_VERSION}; {AGAIN}")
    if any("judged" not in row for row in content["trials"]):
        raise EvidenceError(f"{path}: found a trial that does not say which analytics it judged; {AGAIN}")
    if any("held_out" not in row for row in content["trials"]):
        raise EvidenceError(f"{path}: found a trial that does not say whether one may tune by it; {AGAIN}")
    if any("unseen" not in row for row in content["trials"]):
        raise EvidenceError(f"{path}: found a trial that does not say which incidents its view shows; {AGAIN}")
    return content


def load_run(folder: Path, advance: Advance = unsaid) -> list[TrialResult]:
    """The trials of a run, each with its truth and findings; EvidenceError if a file is missing or not as recorded."""
    content = read_run(folder)
    truths: dict[str, Truth] = {}
    trials = []
    for done, row in enumerate(content["trials"]):
        advance(done, len(content["trials"]))
        name = case_name(row["scenario"], row["seed"])
        if name in content["recordings"] and name not in truths:
            truths[name] = recording_of(folder / "recordings" / name, content["recordings"][name]).truth()
        place = {key: row[key] for key in PLACE}
        findings = _findings(folder, row) if row["status"] == "scored" else ()
        said: Row = {"judged": tuple(row["judged"]), "unseen": tuple(row["unseen"])}
        trials.append(TrialResult(**place, truth=truths.get(name), findings=findings, **said))
    return trials


def scorecard_of(folder: Path, phase: Phase = in_silence) -> Scorecard:
    """The scorecard of a run, made from its files, each proved by its hash; nothing is written."""
    content = read_run(folder)
    about: Row = {"suite": content["suite"], "seeds": len(content["seeds"]), "budget": content["budget"]}
    with phase("read findings") as advance:
        trials = load_run(folder, advance)
    with phase("score") as advance:
        setting = {name: content[name] for name in SETTING if name in content}
        card = score(trials, **about, advance=advance)
        maps = boundary(card.incidents, card.played, content.get("vary", ()), card.budget)
        return replace(card, setting=setting, boundary=tuple(maps), evidence=evidence(content))


def score_folder(folder: Path, phase: Phase = in_silence) -> Scorecard:
    """Scores a run from its files and writes scorecard.json and report.html beside them."""
    card = scorecard_of(folder, phase)
    write_json(folder / "scorecard.json", card.to_json())
    with phase("report") as advance:
        report_folder(folder, advance=advance)
    return card


def evidence(content: Mapping[str, Any]) -> Row:
    """What a run's scorecard rests on: software, detectors' versions, and the hash of every scenario and recording."""
    versions = {row["detector"]: row["detector_version"] for row in content["trials"] if row["detector_version"]}
    hashes = {name: dict(sorted(content[name].items())) for name in ("scenarios", "recordings")}
    more = {name: content[name] for name in ("speed", "asked", "turned") if name in content}
    return {"software": dict(content["software"]), "detectors": dict(sorted(versions.items())), **hashes, **more}


def report_folder(folder: Path, out: Path | None = None, *, advance: Advance = unsaid) -> Path:
    """Writes the HTML report of a scored run to ``out`` or report.html in it, and says where."""
    from lab.report.html import render
    from lab.running.pictures import empty_tables, strips_of

    content, path = read_run(folder), folder / "scorecard.json"
    try:
        card = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError) as fault:
        raise EvidenceError(f"{path}: no readable scorecard ({fault}); score the run first") from None
    shown = {
        case_name(scenario, content["seeds"][0]) for scenario in content["scenarios"]
    }  # one seed is picture enough
    names = sorted(shown & content["recordings"].keys())
    strips, lacking = [], {}
    for done, name in enumerate(names):
        advance(done, len(names))
        strips += strips_of(folder / "recordings" / name)
        if empty := empty_tables(folder / "recordings" / name):
            lacking[name] = empty
    target = out or folder / "report.html"
    about: Row = {"provenance": provenance(content), "strips": strips, "lacking": lacking}
    write_atomic(target, render(card, **about, answers=_answers(folder, content)).encode())
    return target


def _answers(folder: Path, content: Row) -> Answers:
    """What detectors said of each incident, by scenario, seed, view, detector and incident."""
    return {
        (row["scenario"], row["seed"], row["view"], row["detector"], answer["incident"]): answer
        for row in content["trials"]
        for answer in read_answers(folder / explained_place(findings_place(row)), row)
    }


def read_findings(path: Path) -> list[Finding]:
    """The findings of a findings.jsonl; EvidenceError with the line that is none."""
    found = []
    # not splitlines(): a JSON string may hold U+2028 and its like
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(Finding.from_json(json.loads(line)))
        except (ValueError, AttributeError) as fault:
            raise EvidenceError(f"{path}, line {number}: {fault}") from None
    return found


def provenance(content: Mapping[str, Any]) -> dict[str, str]:
    """What made a run, in words, for the foot of its report."""
    made = {"droidrange": content["software"]["droidrange"], "Python": content["software"]["python"]}
    made |= {"ATT&CK": f"v{content['software']['attack']}, analytics AN1793 and AN1702", "stage": content["stage"]}
    made |= {"seeds": ", ".join(map(str, content["seeds"]))}
    versions = {row["detector"]: row["detector_version"] for row in content["trials"] if row["detector_version"]}
    made |= {f"detector {name}": f"version {version}" for name, version in sorted(versions.items())}
    made |= {f"scenario {name}": f"sha256 {digest}" for name, digest in sorted(content["scenarios"].items())}
    recordings = sorted(content["recordings"].items())
    return made | {f"recording {name}": f"manifest sha256 {digest}" for name, digest in recordings}


def recording_of(folder: Path, digest: str) -> Recording:
    """A recording, or past, that run.json names with this hash; EvidenceError if it is damaged or another."""
    try:
        recording = open_recording(folder)
    except EvidenceError as fault:
        raise EvidenceError(f"{str(fault).removesuffix(RECORD_AGAIN)}{ANEW}") from fault
    if recording_hash(recording.folder) != digest:
        raise EvidenceError(f"{recording.folder}: found another recording than the one that was run on; {AGAIN}")
    return recording


def _findings(folder: Path, row: Mapping[str, Any]) -> tuple[Finding, ...]:
    path = folder / findings_place(row)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise EvidenceError(f"{path}: not found, but run.json says it was scored; {AGAIN}") from None
    if hashlib.sha256(content).hexdigest() != row["findings_sha256"]:
        raise EvidenceError(f"{path}: changed since it was written; {AGAIN}")
    return tuple(read_findings(path))
