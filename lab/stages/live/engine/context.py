"""A build context: the files of an image's folder, those it names besides, and its wheels, as one tar in memory.

Its digest is that of the files' contents and of what is required of the wheels, not of the wheels: the same sources
have the same digest on every machine, with a wheelhouse or without.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import StageError

SETTINGS = "context.toml"
_SKIPPED = ("__pycache__", ".mypy_cache", ".ruff_cache", SETTINGS)


@dataclass(frozen=True)
class Context:
    """What an image is built from: path in the context -> file on disk, and what must be in its wheelhouse."""

    files: Mapping[str, Path]
    wheels: tuple[str, ...]

    def digest(self, arguments: Mapping[str, str]) -> str:
        """The first 12 hexadecimal digits of the SHA-256 over files, requirements and build arguments."""
        sums = {name: [_mode(path), _sha256(path)] for name, path in self.files.items()}
        told = json.dumps([sums, sorted(self.wheels), dict(arguments)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def packed(self, wheels: Mapping[str, Path]) -> io.BytesIO:
        """The context as a tar, the wheels under ``wheels/``: sorted, without owners or times."""
        made = io.BytesIO()
        placed = {**self.files, **{f"wheels/{name}": path for name, path in wheels.items()}}
        with tarfile.open(fileobj=made, mode="w") as tar:
            for name, path in sorted(placed.items()):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = path.stat().st_size, _mode(path)
                with path.open("rb") as file:
                    tar.addfile(entry, file)
        made.seek(0)
        return made


def read_context(folder: Path) -> Context:
    """The context of an image's folder. StageError for settings other than ``files`` and ``wheels``, lists of text."""
    path = folder / SETTINGS
    told = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for key, value in told.items():
        if key not in {"files", "wheels"} or not isinstance(value, list) or not all(isinstance(x, str) for x in value):
            raise StageError(f"{path}: {key} = {value!r}; expected lists of text: files, wheels")
    own = [file for file in sorted(folder.rglob("*")) if file.is_file() and not _skipped(file.relative_to(folder))]
    files = {str(file.relative_to(folder)): file for file in own}
    for name in told.get("files", []):
        file = (folder / name).resolve()
        if not file.is_file():
            raise StageError(f"{path}: files names {name}, which is not there")
        if file.name in files:
            raise StageError(f"{path}: files names {name}, but the folder has a {file.name} of its own")
        files[file.name] = file
    return Context(files, tuple(told.get("wheels", [])))


def _skipped(relative: Path) -> bool:
    return any(part in _SKIPPED for part in relative.parts)


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
