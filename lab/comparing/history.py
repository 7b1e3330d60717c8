"""The runs of a folder in their order: scorecards are looked for in it and two folders deep, and read, not proved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lab.comparing.trend import History, Run, history
from lab.errors import EvidenceError
from lab.gate.evidence import stored
from lab.gate.faults import faults
from lab.gate.selection import Card

PLACES = ("scorecard.json", "*/scorecard.json", "*/*/scorecard.json")
ORDERS = ("name", "time")
_DIGITS = re.compile(r"(\d+)")


def history_of(
    folder: Path, *, order: str = "name", detectors: Sequence[str] = (), views: Sequence[str] = ()
) -> History:
    """The history of a folder; ``order``: name (r2 before r10) or time (when the scorecard was written).

    Runs that are no evidence are in it and say why. LookupError for an unknown order, EvidenceError where no run is
    evidence, or a detector or view is in none.
    """
    if order not in ORDERS:
        raise LookupError(f"unknown order '{order}': known are {', '.join(ORDERS)}")
    found = found_in(folder)
    if not found:
        raise EvidenceError(f"{folder}: no scorecard.json in it or two folders deep; droidrange run -o writes one")
    key = _natural if order == "name" else _written
    runs = [_run(path, folder) for path in sorted(found, key=lambda path: key(path.relative_to(folder), folder))]
    if not any(run.card for run in runs):
        raise EvidenceError(
            f"{folder}: none of {len(runs)} scorecards is evidence, such as {runs[0].name}: {runs[0].fault}"
        )
    made = history(runs, detectors, views)
    if not made.series:
        raise EvidenceError(f"{folder}: no run has {', '.join((*detectors, *views)) or 'a number'}")
    return made


def found_in(folder: Path) -> list[Path]:
    """The scorecards of a folder: those of runs, and files in it that are scorecards by what they hold."""
    runs = [path for place in PLACES for path in folder.glob(place)]
    others = [path for path in folder.glob("*.json") if path.name != "scorecard.json" and _is_card(path)]
    return [path for path in (*runs, *others) if path.is_file()]


def _is_card(path: Path) -> bool:
    try:
        content = stored(path)
    except EvidenceError:
        return False
    return isinstance(content, dict) and "judgements" in content


def _run(path: Path, folder: Path) -> Run:
    place = path.relative_to(folder)
    name = (place.parent if place.name == "scorecard.json" and place.parent.parts else place).as_posix()
    try:
        content = stored(path)
    except EvidenceError as fault:
        return Run(name, None, str(fault))
    if found := faults(content):
        return Run(name, None, found[0])
    return Run(name, Card(content, name))


def _natural(place: Path, _folder: Path) -> list[tuple[int, int, str]]:
    """The key that puts r2 before r10."""
    parts = [part for part in _DIGITS.split(place.as_posix()) if part]
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _written(place: Path, folder: Path) -> list[tuple[int, int, str]]:
    return [(0, (folder / place).stat().st_mtime_ns, ""), *_natural(place, folder)]
