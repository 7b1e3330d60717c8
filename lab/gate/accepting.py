"""A scorecard accepted as the baseline of a gate: a file for the repository, with the reason and what it replaces.

It holds no clock and no reasons of findings: what is kept is what a gate compares, and whose decision it was is in the
history of the repository that holds it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lab.errors import ScenarioError
from lab.gate.evidence import read_card
from lab.recording import write_json
from lab.running.phase import Phase, in_silence

FILE = "baseline-scorecard.json"
WORDY = ("reasons",)
SHORTEST = 3  # characters of a reason, blanks aside


def accept(scorecard: Path, reason: str, out: Path, phase: Phase = in_silence) -> dict[str, Any]:
    """Writes that scorecard (or a run's) to ``out`` as a baseline and returns its entry in the list of decisions.

    Raises EvidenceError for a scorecard that is no evidence, and ScenarioError for no reason, or an ``out`` that holds
    something else.
    """
    if len("".join(reason.split())) < SHORTEST:
        raise ScenarioError([f"--reason: found {reason!r}, expected why this is good enough from now on"])
    before = _before(out)
    content = read_card(scorecard, phase)
    slim = {key: value for key, value in content.items() if key != "accepted"}
    for part in ("incidents", "false_alarms"):
        slim[part] = [{key: value for key, value in row.items() if key not in WORDY} for row in content[part]]
    entry = {"reason": " ".join(reason.split()), "sha256": digest(slim), "replaces": digest(before) if before else None}
    write_json(out, {**slim, "accepted": [*before.get("accepted", []), entry]})
    return entry


def digest(content: dict[str, Any]) -> str:
    """The hash of what a scorecard says, apart from who accepted it."""
    said = {key: value for key, value in content.items() if key != "accepted"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _before(out: Path) -> dict[str, Any]:
    """The baseline that will be replaced; empty if there is none. A damaged one of ours may be replaced, too."""
    if not out.exists():
        return {}
    try:
        found = json.loads(out.read_bytes())
    except ValueError:
        raise ScenarioError([f"{out}: holds something that is no scorecard; remove it, or give --out"]) from None
    if not isinstance(found, dict) or "judgements" not in found or not isinstance(found.get("accepted", []), list):
        raise ScenarioError([f"{out}: holds something that is no scorecard; remove it, or give --out"])
    return found
