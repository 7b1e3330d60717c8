"""The shelf: where scenarios, suites and the library of apps lie, what a file is called in faults, and its TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab.errors import ScenarioError

NO_SCENARIOS = ("suites", "apps")  # folders of the shelf that hold other things


def scenarios_folder() -> Path:
    """Where the scenario files are: beside the packages in a checkout, inside them when installed from a wheel."""
    here = Path(__file__).parent
    installed = here / "_scenarios"
    return installed if installed.is_dir() else here.parent / "scenarios"


def shelf() -> dict[str, Path]:
    """The bundled scenarios by name: the files of scenarios/*/ that are neither suites nor apps.

    ScenarioError if two folders have a file of the same name.
    """
    found = sorted(scenarios_folder().glob("*/*.toml"))
    return by_name(path for path in found if path.parent.name not in NO_SCENARIOS)


def by_name(paths: Iterable[Path]) -> dict[str, Path]:
    """The files by the names of their scenarios; ScenarioError for different files of one name: one would hide."""
    known: dict[str, Path] = {}
    faults = []
    for path in paths:
        other = known.setdefault(path.stem, path)
        if other != path and other.resolve() != path.resolve():
            both = " and ".join(sorted(map(str, (other, path))))
            faults.append(f"scenario '{path.stem}' is in two files, {both}: rename one")
    if faults:
        raise ScenarioError(faults)
    return known


def place_of(path: Path) -> str:
    """What the file is called in faults: from ``scenarios/`` on, or its bare name."""
    parts = path.parts
    return "/".join(parts[parts.index("scenarios") :]) if "scenarios" in parts else path.name


def parse_toml(content: bytes, place: str) -> dict[str, Any]:
    """The TOML document; ScenarioError with line and column if it is none."""
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        lines = content.count(b"\n") + 1
        said = str(fault).replace("at end of document", f"at the end, line {lines}")
        raise ScenarioError([f"{place}: not TOML: {said}"]) from None
