"""What a detector says of every incident of a case, asked after its trial and kept beside its findings.

It changes no verdict: a detector that cannot explain itself, or fails at it, is scored as it would be without. Lines
are those of ``detect --explain --json`` without findings, which stand in their own file already.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.contract import Telemetry
from detector.contract import detector as detector_named
from detector.contract import view as view_named
from lab.errors import EvidenceError
from lab.recording import write_atomic
from lab.running.answers import Answer, Question, explain, of_incident
from lab.running.attempt import attempt

if TYPE_CHECKING:
    from detector.contract import Baseline
    from lab.truth import Truth

NOTHING: dict[str, Any] = {"explained_sha256": None}


def explained_place(findings: str) -> str:
    """Where the answers stand, given where the findings of the trial do."""
    return f"{findings.removesuffix('.jsonl')}.explained.jsonl"


def keep_answers(path: Path, lines: bytes) -> dict[str, Any]:
    """Writes the answers of a trial, or removes those of an earlier one, and gives what run.json says of them."""
    if not lines:
        path.unlink(missing_ok=True)
        return NOTHING
    write_atomic(path, lines)
    return {"explained_sha256": hashlib.sha256(lines).hexdigest()}


def answers(
    row: Mapping[str, Any], telemetry: Telemetry, truth: Truth, judged: Iterable[str], baseline: Baseline | None
) -> bytes:
    """A JSON line for every incident of an analytic judged; nothing if the detector cannot explain itself.

    ``row`` names detector and view, ``baseline`` is what it had learned, ``judged`` is empty for a trial without score.
    """
    asked = [of_incident(one, truth) for one in truth.incidents if one.analytic in {*judged}]
    told = attempt(lambda: _told(row, telemetry, asked, baseline)) if asked else None
    rows = [answer.to_json() for answer in told.value or ()] if told else []
    kept = ({key: value for key, value in each.items() if key != "findings"} for each in rows)
    return b"".join(json.dumps(each, allow_nan=False).encode() + b"\n" for each in kept)


def _told(
    row: Mapping[str, Any], telemetry: Telemetry, asked: Sequence[Question], baseline: Baseline | None
) -> list[Answer]:
    one = detector_named(row["detector"])
    if not hasattr(one, "explain"):
        return []
    return explain(one, replace(view_named(row["view"])(telemetry), baseline=baseline), asked, ())


def read_answers(path: Path, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers of a trial, by its row of run.json; EvidenceError if they are not those that were written."""
    digest = row.get("explained_sha256")
    if digest is None:
        return []
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise EvidenceError(f"{path}: not found, but run.json says it was written; run it again") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise EvidenceError(f"{path}: changed since it was written; run it again")
    return [json.loads(line) for line in content.split(b"\n") if line]
