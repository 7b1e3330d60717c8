"""Which code a result depends on: a module of the detector with all that it imports, and the settings these read."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BY_NAME = ("views", "adapters")  # what the contract finds by name and no module imports: all views count, one adapter


@cache
def closure(module: str) -> tuple[Path, ...]:
    """The files of a module under detector/ and of every one it imports from there, anywhere in it, sorted."""
    found: dict[Path, None] = {}
    waiting = [module]
    while waiting:
        for path in _files(waiting.pop()):
            if path not in found:
                found[path] = None
                waiting += _imported(path)
    return tuple(sorted({*found, *_settings(found)}))


def digest(paths: Iterable[Path]) -> str:
    """The hash of some files, by name and content."""
    made = hashlib.sha256()
    for path in paths:
        made.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return made.hexdigest()


def adapter_digest(detector: str) -> str:
    """The hash of all that a bundled detector, ``name`` or ``name:argument``, is made of."""
    name = detector.partition(":")[0].replace("-", "_")
    return digest(closure(f"detector.adapters.{name}"))


def _files(module: str) -> Iterator[Path]:
    """The file of a module, or of its package, or of the module that a name was taken from."""
    path = ROOT.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py", path.parent.with_suffix(".py")):
        if candidate.is_file():
            yield candidate
            return


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("detector"):
            yield str(node.module)
            yield from (f"{node.module}.{one.name}" for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith("detector"))


def _settings(paths: Iterable[Path]) -> Iterator[Path]:
    """The TOML file beside a module of its name: detector/thresholds.toml."""
    return (beside for path in paths if (beside := path.with_suffix(".toml")).is_file())
