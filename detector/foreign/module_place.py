"""Where a user's module lies, found without importing it, and what of its surroundings a cell may read.

A package is shown whole, with whatever data lies in it; one with a recording is refused (shown.py). A single module is
shown with the modules and packages beside it, which it may import, but with no other file: recordings and their truth
often lie in the same folder.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from detector.foreign.shown import shown

#: Ours: one is shown anyway, the other holds the scenarios and how truth is made.
OURS = ("detector", "lab")
SUFFIX = ".py"


@dataclass(frozen=True)
class Place:
    """A module's dotted name, the folder from which it is imported, and the files and folders to be shown."""

    module: str
    folder: Path
    reads: tuple[Path, ...]

    def digest(self) -> str:
        """Eight digits of the SHA-256 of every file of Python that is shown: other sources are another detector."""
        found = hashlib.sha256()
        for path in sorted({path for place in self.reads for path in _sources(place)}):
            found.update(f"{path.relative_to(self.folder)}\0".encode() + path.read_bytes() + b"\0")
        return found.hexdigest()[:8]


def placed(module: str, folders: Iterable[Path] | None = None) -> Place:
    """The place of a module by its dotted name (from the working folder, then ``sys.path``) or by the path of its file.

    LookupError if there is none, naming where it was looked for.
    """
    if module.endswith(SUFFIX):
        return _of_file(Path(module))
    top = module.partition(".")[0]
    looked = [Path.cwd(), *(Path(one) for one in sys.path if one)] if folders is None else [*folders]
    spec = PathFinder.find_spec(top, [str(folder) for folder in looked])
    if spec is None or not all(part.isidentifier() for part in module.split(".")):
        near = f"{looked[0]} or an installed package" if looked else "nowhere"
        raise LookupError(f"found no module '{module}', expected one in {near}, or the path of a file ({module}.py)")
    if spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations))).absolute()
        return Place(module, package.parent, (shown(package),))
    file = Path(spec.origin or "").absolute()
    return Place(module, file.parent, _beside(file))


def _of_file(path: Path) -> Place:
    if not path.is_file():
        raise LookupError(f"found no file '{path}', expected a Python file or the dotted name of a module")
    if not path.stem.isidentifier():
        raise LookupError(f"found the file '{path}', expected a name that Python can import (letters, digits and _)")
    file = path.absolute()
    return Place(path.stem, file.parent, _beside(file))


def _beside(file: Path) -> tuple[Path, ...]:
    """The file, and the modules and packages in its folder; the file alone where it is installed among many."""
    if file.is_relative_to(sys.prefix) or file.is_relative_to(sys.base_prefix):
        return (file,)
    found = {file}
    for path in file.parent.iterdir():
        source = path.suffix == SUFFIX or (path / "__init__.py").is_file()
        if source and path.stem not in OURS and path.stem.isidentifier():
            found.add(shown(path) if path.is_dir() else path)
    return tuple(sorted(found))


def _sources(place: Path) -> Sequence[Path]:
    return [path for path in place.rglob(f"*{SUFFIX}") if path.is_file()] if place.is_dir() else [place]
