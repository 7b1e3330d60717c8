"""Sigma files put to the process that reads them: their texts in, checked queries out."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import detector.contract
from detector.fenced import Failed, Limits, run
from detector.sql.asked import READING
from detector.sql.query import BAR, Query

SUFFIXES = (".yml", ".yaml")
LONGEST, MOST = 1 << 20, 5000  # bytes of a file, files
_HERE = Path(detector.contract.__file__).parent


@dataclass(frozen=True)
class Compiled:
    """One rule as a query; ``knob`` is its name where it counts."""

    query: Query
    knob: str | None

    @property
    def bar(self) -> float:
        """What it must count."""
        return float(self.query.parameters[BAR] or 0)

    def with_bar(self, value: float) -> Compiled:
        """The same with another bar."""
        return replace(self, query=replace(self.query, parameters={**self.query.parameters, BAR: value}))


def texts_of(path: Path) -> tuple[tuple[str, str], ...]:
    """Name and text of a file, or of all rule files below a folder, by name; LookupError for what is none."""
    if path.is_dir():
        found = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file())
    else:
        found = [path]
    if not found or len(found) > MOST:
        raise LookupError(
            f"{path}: found {len(found) or 'no'} rule files, expected 1 to {MOST:,} of {', '.join(SUFFIXES)}"
        )
    return tuple((str(one), _text(one)) for one in found)


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > LONGEST:
            raise LookupError(f"{path}: found {path.stat().st_size:,} bytes, expected a rule of at most {LONGEST:,}")
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise LookupError(f"{path}: not found, expected a Sigma rule or a folder of them") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise LookupError(f"{path}: unreadable ({fault}), expected a Sigma rule in UTF-8") from None


def compiled(
    files: Sequence[tuple[str, str]], given: str | None, where: str, limits: Limits = READING
) -> tuple[Compiled, ...]:
    """The rules as checked queries; LookupError with all faults of all files, each with file, rule and what to do."""
    try:
        answer = _compiled(tuple(files), given, limits)
    except Failed as fault:
        raise LookupError(f"{where}: found rules that cannot be read within {limits.seconds:g} s: {fault}") from None
    if answer["faults"]:
        raise LookupError("\n".join(answer["faults"]))
    return tuple(Compiled(Query.from_json(each["query"]), each["knob"]) for each in answer["rules"])


@lru_cache(maxsize=16)
def _compiled(files: tuple[tuple[str, str], ...], given: str | None, limits: Limits) -> Any:
    with tempfile.TemporaryDirectory(prefix="droidrange-sigma-") as folder:
        job = json.dumps({"files": files, "analytic": given}).encode()
        command = [sys.executable, "-I", "-m", "detector.sigma.compiling"]
        ended = run(command, folder=Path(folder), reads=[_HERE], limits=limits, stdin=job)
    if ended.code:
        raise Failed(f"the process that reads rules ended with code {ended.code}: {ended.told}")
    return json.loads(ended.stdout)
