"""What a gate asks for: gate.toml, ``[tool.droidrange.gate]`` of pyproject.toml, or what stands in for both.

Every fault of a file is told at once, each with its place. A gate without a threshold is a fault, never a pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.behaviours import nearest
from lab.errors import ScenarioError
from lab.gate.grammar import Threshold, parse
from lab.shelf import parse_toml

ALPHA = 0.05
NAMES = ("gate.toml", "pyproject.toml")  # looked for in this order, where the command is given
BY = ("value", "bound")


@dataclass(frozen=True)
class Settings:
    """The thresholds, and what holds for all of them.

    ``alpha``: the chance at most that a gate of no-regression thresholds breaks though nothing changed. ``by``: an
    absolute threshold is held by the measured ``value``, or only by the worse ``bound`` of its 95 % interval.
    ``detectors``, ``views``: what a threshold that names none is about; empty: every one under test, every view.
    """

    thresholds: tuple[Threshold, ...]
    source: str
    alpha: float = ALPHA
    by: str = "value"
    detectors: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    baseline: Path | None = None


def settings_for(config: Path | None, lines: Sequence[str], folder: Path) -> Settings | None:
    """The settings of that file, else of gate.toml or pyproject.toml in the folder; None if there are none.

    ``lines`` given by hand take the place of a file's thresholds. ScenarioError with every fault; FileNotFoundError.
    """
    path = config or next((folder / name for name in NAMES if _speaks(folder / name)), None)
    if path is None and not lines:
        return None
    table = _table(path) if path else {}
    place = path.name if path else "--threshold"
    if lines:
        table, place = {**table, "thresholds": list(lines)}, "--threshold"
    return _settings(table, place, path.parent if path else folder)


def _speaks(path: Path) -> bool:
    return path.is_file() and (path.name != "pyproject.toml" or _section(path) is not None)


def _section(path: Path) -> Any:
    return parse_toml(path.read_bytes(), path.name).get("tool", {}).get("droidrange", {}).get("gate")


def _table(path: Path) -> dict[str, Any]:
    found = _section(path) if path.name == "pyproject.toml" else parse_toml(path.read_bytes(), path.name)
    if not isinstance(found, dict):
        raise ScenarioError([f"{path.name}: found no table [tool.droidrange.gate]"])
    return found


def _settings(table: Mapping[str, Any], place: str, folder: Path) -> Settings:
    known = ("alpha", "by", "detectors", "views", "baseline", "thresholds")
    faults = [f"{place}: unknown key '{key}'{_hint(key, known)}" for key in table if key not in known]
    alpha, by, base = table.get("alpha", ALPHA), table.get("by", "value"), table.get("baseline")
    if not isinstance(alpha, float) or not 0 < alpha < 0.5:
        faults.append(f"{place}: alpha: found {alpha!r}, expected a number between 0 and 0.5")
    if by not in BY:
        faults.append(f"{place}: by: found {by!r}, expected one of {', '.join(BY)}")
    if base is not None and not isinstance(base, str):
        faults.append(f"{place}: baseline: found {base!r}, expected the path of a scorecard")
    words = {name: _words(table, name, place, faults) for name in ("detectors", "views")}
    thresholds = _thresholds(table.get("thresholds"), place, faults)
    if faults:
        raise ScenarioError(faults)
    return Settings(thresholds, place, alpha, by, words["detectors"], words["views"], folder / base if base else None)


def _words(table: Mapping[str, Any], name: str, place: str, faults: list[str]) -> tuple[str, ...]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        faults.append(f"{place}: {name}: found {found!r}, expected a list of names")
        return ()
    return tuple(found)


def _thresholds(found: object, place: str, faults: list[str]) -> tuple[Threshold, ...]:
    if not isinstance(found, list) or not found:
        faults.append(f'{place}: thresholds: found none, expected a list of lines such as "polling.recall >= 0.9"')
        return ()
    made: list[Threshold] = []
    for number, line in enumerate(found, 1):
        try:
            one = parse(line) if isinstance(line, str) else None
        except ValueError as fault:
            faults.append(f"{place}, threshold {number}: {fault}")
            continue
        if one is None or one.text in {other.text for other in made}:
            why = "a line of text" if one is None else "each line once"
            faults.append(f"{place}, threshold {number}: found {line!r}, expected {why}")
        else:
            made.append(one)
    return tuple(made)


def _hint(key: str, known: Sequence[str]) -> str:
    return nearest(key, list(known)) or "; known are " + ", ".join(known)
