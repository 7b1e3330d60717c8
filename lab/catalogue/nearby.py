"""Which scenario files can be meant by a name, the author's own folder included, and which of them imitates which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lab.behaviours import nearest
from lab.errors import ScenarioError
from lab.shelf import parse_toml, place_of, shelf


def around(paths: Iterable[Path]) -> dict[str, Path]:
    """The bundled scenarios, those beside these files, and the files themselves, by name; the later are meant first."""
    mine = {path.stem: path for path in paths}
    bundled = shelf()
    folders = dict.fromkeys(path.parent for path in mine.values() if bundled.get(path.stem) != path)
    beside = {path.stem: path for folder in folders for path in sorted(folder.glob("*.toml"))}
    return bundled | beside | mine


def imitated(path: Path) -> str:
    """What a file gives as ``twin_of``, whatever else is wrong with it; nothing if it is no TOML or cannot be read."""
    try:
        content = path.read_bytes()
        named = parse_toml(content, place_of(path)).get("twin_of", "") if b"twin_of" in content else ""
    except (OSError, ScenarioError):
        return ""
    return named if isinstance(named, str) else ""


def imitators(known: Mapping[str, Path]) -> dict[str, list[str]]:
    """The names of the twins of each scenario that has one, sorted."""
    found: dict[str, list[str]] = {}
    for name, path in sorted(known.items()):
        if wanted := imitated(path):
            found.setdefault(wanted, []).append(name)
    return found


def lost_twins(paths: Iterable[Path], known: Mapping[str, Path]) -> list[str]:
    """The faults of files that imitate a scenario that is nowhere, broken files among them."""
    return [
        f"{place_of(path)}: twin_of: there is no such scenario as '{wanted}'{nearest(wanted, [*known])}"
        for path in paths
        if (wanted := imitated(path)) and wanted not in known
    ]
