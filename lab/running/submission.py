"""A submission: findings made elsewhere about one recording, scored beside the controls under one view.

They are a findings.jsonl, in which each line says whose it is, or whatever else the detector ``findings:FILE`` reads
(Suricata's EVE, RITA's CSV, Slips' alerts), whose alerts are those of one tool.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from detector.contract import Finding, open_telemetry
from detector.contract import view as view_named
from lab.authoring.held_out import held_out
from lab.errors import EvidenceError
from lab.recording import Recording, droidrange_version, open_recording, recording_hash
from lab.running.look import Found, look
from lab.running.run import DEFAULT_BUDGET, case_name, read_findings
from lab.score import CONTROLS, Scorecard, score
from lab.scoring.outcomes import TrialResult
from lab.scoring.visibility import unseen

NOBODY = "findings"  # who made a file that names nobody
#: Keys of the lines of other tools (detector/elsewhere/forms.py reads them): Suricata's EVE, Slips' IDEA0 and IDMEFv2.
FOREIGN = {"event_type", "Format", "Analyzer"}
GZIP = b"\x1f\x8b"
LONGEST = 1 << 22  # bytes of a line


def score_findings(folder: Path, findings: Path, *, view: str = "full", detectors: Iterable[str] = ()) -> Scorecard:
    """The scorecard of findings about one recording, with the controls run on it under the same view.

    ``detectors`` took part whether they said anything or not; without any, an empty file is the silence of "findings".
    A file of another tool is its alerts; the first of ``detectors`` is its name. What the file says in a control's name
    is left aside: controls are run here. Raises EvidenceError for a damaged recording, a line that is no finding, or a
    finding from partial evidence; Failed as ``findings:FILE`` does; LookupError for an unknown view.
    """
    view_named(view)
    recording = open_recording(folder)
    about: dict[str, Any] = {"scenario": recording.scenario, "seed": recording.seed, "stage": recording.stage}
    about |= {"view": view, "truth": recording.truth(), "status": "scored"}
    about["held_out"] = recording.scenario in held_out()
    telemetry = open_telemetry(recording.telemetry)
    about["unseen"] = unseen(about["truth"], view_named(view)(telemetry))
    if _foreign(findings):
        trials = _alerts(look(f"findings:{findings}", view, telemetry), list(detectors), about)
    else:
        trials = _findings(_whole(findings), detectors, about)
    for name in CONTROLS:
        found = look(name, view, telemetry)
        trials.append(TrialResult(**about, detector=name, findings=found.findings, judged=found.judged))
    card = score(trials, suite=recording.scenario, seeds=1, budget=DEFAULT_BUDGET)
    return replace(card, evidence=_evidence(recording, trials))


def _foreign(path: Path) -> bool:
    """Whether a file is of another tool, by its first line; ``?analytic=`` may stand behind its name."""
    with Path(str(path).partition("?analytic=")[0]).open("rb") as file:
        line = next((line for line in iter(lambda: file.readline(LONGEST), b"") if line.strip()), b"")
    if not line.lstrip().startswith(b"{"):
        return line.startswith(GZIP) or b"Source IP" in line
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return "analytic" not in row and bool(FOREIGN & set(row))


def _alerts(found: Found, names: Sequence[str], about: dict[str, Any]) -> list[TrialResult]:
    """The trials of one tool, the first of the names if there are any, and of the silent rest."""
    first = TrialResult(**about, detector=[*names, NOBODY][0], findings=found.findings, judged=found.judged)
    return [first, *(TrialResult(**about, detector=name) for name in names[1:])]


def _findings(findings: Iterable[Finding], names: Iterable[str], about: dict[str, Any]) -> list[TrialResult]:
    """The trials of whoever signed a finding or is named; what is said in a control's name is left aside."""
    said: dict[str, list[Finding]] = {name: [] for name in names}
    for finding in findings:
        said.setdefault(finding.detector, []).append(finding)
    return [
        TrialResult(**about, detector=name, findings=tuple(some))
        for name, some in (said or {NOBODY: []}).items()
        if name not in CONTROLS
    ]


def _evidence(recording: Recording, trials: Iterable[TrialResult]) -> dict[str, Any]:
    """What the scorecard rests on; of a detector that said nothing no version is known."""
    name = case_name(recording.scenario, recording.seed)
    return {
        "software": {"droidrange": droidrange_version()},
        "detectors": {one.detector: one.findings[0].detector_version for one in trials if one.findings},
        "scenarios": {recording.scenario: recording.scenario_sha256},
        "recordings": {name: recording_hash(recording.folder)},
    }


def _whole(path: Path) -> list[Finding]:
    """The findings of a file, none of them drawn from evidence that was known to be incomplete."""
    found = read_findings(path)
    partial = sum(finding.partial for finding in found)
    if partial:
        raise EvidenceError(
            f"{path}: {partial} of {len(found)} findings are marked partial: drawn from incomplete evidence, they "
            "cannot be scored; detect again on the whole recording"
        )
    return found
