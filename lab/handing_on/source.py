"""What is handed on: a proved recording, its telemetry, somebody's findings in it; and files to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from detector.contract import Finding, Telemetry, open_telemetry
from lab.errors import EvidenceError
from lab.handing_on.labelled import Labelled, labelled
from lab.recording import CAPTURE, Recording, open_recording
from lab.truth import Truth

Content = bytes | Callable[[BinaryIO], object]


@dataclass(frozen=True)
class Part:
    """One file of an export: its place in the folder, and its content, or who writes it."""

    name: str
    content: Content


@dataclass(frozen=True)
class Source:
    """A recording to be handed on; ``findings`` where somebody's were given, ``rules`` where a rule is to be tested."""

    recording: Recording
    findings: tuple[Finding, ...] = ()
    rules: Path | None = None
    number: int | None = None  # which finding, from 1
    with_truth: bool = False  # whether what is handed on to judge a finding may say what is true

    @cached_property
    def telemetry(self) -> Telemetry:
        """What a detector may see of it."""
        return open_telemetry(self.recording.telemetry)

    @cached_property
    def truth(self) -> Truth:
        """What was played."""
        return self.recording.truth()

    @cached_property
    def flows(self) -> list[Labelled]:
        """The flows, each once, with the truth's row of each."""
        return labelled(self.telemetry["flows"].to_pylist(), self.recording.folder / "truth")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the telemetry; none where there is no such table."""
        found: list[dict[str, Any]] = self.telemetry[table].to_pylist() if table in self.telemetry else []
        return found

    @property
    def capture(self) -> Path | None:
        """Its packets; None for a recording of tables."""
        path = self.recording.folder / CAPTURE
        return path if path.is_file() else None

    @property
    def name(self) -> str:
        """What to call it outside."""
        return f"{self.recording.scenario}-s{self.recording.seed}"


def source(
    path: Path,
    findings: Path | None = None,
    rules: Path | None = None,
    number: int | None = None,
    *,
    with_truth: bool = False,
) -> Source:
    """The recording in a folder, proved; EvidenceError for one that is not whole or findings that are none."""
    return Source(open_recording(path), read_findings(findings) if findings else (), rules, number, with_truth)


def read_findings(path: Path) -> tuple[Finding, ...]:
    """The findings of a findings.jsonl; EvidenceError with the line of one that is none."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, Mapping):
                raise ValueError(f"found {row!r}, expected an object")  # noqa: TRY004, TRY301 - a bad value in a file, told with its line
            found.append(Finding.from_json(row))
        except (ValueError, RecursionError) as fault:
            raise EvidenceError(f"{path}, line {number}: {fault}") from fault
    return tuple(found)


def json_lines(rows: list[dict[str, Any]]) -> bytes:
    """Objects as JSON, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows).encode()
