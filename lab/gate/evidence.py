"""A scorecard to be judged: read from a file, or made again from the files of a run, and refused if it is no evidence.

Of a run every recording and every finding is proved by its hash, and the scorecard beside them must be theirs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lab.errors import EvidenceError
from lab.gate.faults import faults
from lab.running.phase import Phase, in_silence

SHOWN = 3


def read_card(path: Path, phase: Phase = in_silence) -> dict[str, Any]:
    """The content of a scorecard: a file, or a run folder; EvidenceError if it is missing, damaged or no evidence."""
    card = _of_run(path, phase) if path.is_dir() else stored(path)
    if found := faults(card):
        more = f" (and {len(found) - SHOWN} more)" if len(found) > SHOWN else ""
        raise EvidenceError(f"{path}: " + "; ".join(found[:SHOWN]) + more)
    made: dict[str, Any] = card
    return made


def stored(path: Path) -> Any:
    """What a file says is a scorecard, judged by nobody yet; EvidenceError if it is missing or no JSON."""
    try:
        return json.loads(path.read_bytes(), parse_constant=_no_number)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: not found: no scorecard, hence no evidence; droidrange run writes one") from None
    except (OSError, ValueError, RecursionError) as fault:
        raise EvidenceError(f"{path}: unreadable ({fault}); run and score again") from None


def _no_number(word: str) -> float:
    raise ValueError(f"found {word}, which is no number")


def _of_run(folder: Path, phase: Phase) -> Any:
    from lab.running.run import scorecard_of  # a scorecard alone is judged within a second, and needs none of it

    card = json.loads(json.dumps(scorecard_of(folder, phase).to_json()))  # as it is read from a file: lists, no tuples
    path = folder / "scorecard.json"
    if stored(path) != card:
        raise EvidenceError(f"{path}: not what the run's own files give; droidrange score {folder} writes it again")
    return card
