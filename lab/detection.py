"""Detection on request: detectors run over recordings and captures, outside any trial and without any truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.contract import Finding, Progress, Telemetry, open_telemetry
from detector.contract import detector as detector_named
from detector.contract import view as view_named

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """One finding and the input it was drawn from."""

    source: str
    finding: Finding

    def line(self) -> str:
        """The finding as one JSON line of schema version 1, with ``input`` in front."""
        return json.dumps({"input": self.source, **self.finding.to_json()}, ensure_ascii=False, allow_nan=False)


def detect_paths(
    inputs: Sequence[Path], detectors: Sequence[str], view: str, *, allow_partial: bool, advance: Advance
) -> list[Row]:
    """The findings of every detector on every input, each input by itself, highest score first.

    Raises EvidenceError for damaged input unless ``allow_partial``; LookupError for an unknown detector or view;
    Unsupported where the telemetry lacks a table that a detector needs.
    """
    chosen = [detector_named(name) for name in detectors]
    narrow = view_named(view)
    rows: list[Row] = []
    for path in inputs:
        telemetry = narrow(read(path, allow_partial=allow_partial, advance=advance))
        found = [finding for one in chosen for finding in one.detect(telemetry)]
        found.sort(key=lambda finding: (-finding.score, finding.device, finding.analytic, finding.peer or ""))
        rows += [Row(str(path), finding) for finding in found]
    return rows


def read(path: Path, *, allow_partial: bool, advance: Advance) -> Telemetry:
    """The telemetry of a capture, or of a recording whose manifest has been proved first."""
    if (path / "recording.json").exists() or (path / "telemetry").is_dir():
        from lab.recording import open_recording

        recording = open_recording(path, allow_partial=allow_partial)
        return open_telemetry(recording.telemetry, allow_partial=allow_partial, progress=Progress(advance))
    if not path.exists():
        raise FileNotFoundError(2, "no such recording or capture", str(path))
    return open_telemetry(path, allow_partial=allow_partial, progress=Progress(advance))


def write_lines(path: Path, rows: Sequence[Row]) -> None:
    """The findings into a findings.jsonl, whole or not at all."""
    from lab.recording import write_atomic

    write_atomic(path, "".join(row.line() + "\n" for row in rows).encode())


def print_findings(rows: Sequence[Row]) -> None:
    """The findings as a table on stdout, alerts first, each with its strongest reasons."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    alerts = [row for row in rows if row.finding.alert]
    if not rows:
        console.print("no finding")
        return
    table = Table(title=f"{len(alerts)} alerts, {len(rows) - len(alerts)} near misses", show_lines=True)
    for heading in ("", "analytic", "device / app", "peer", "score", "why"):
        table.add_column(heading, overflow="fold")
    for row in sorted(rows, key=lambda row: not row.finding.alert):
        table.add_row(*map(Text, _cells(row.finding)))
    console.print(table)


def _cells(finding: Finding) -> tuple[str, ...]:
    from lab.console import printable

    who = finding.device + (f"\n{finding.package}" if finding.package else "")
    strongest = sorted(finding.reasons, key=lambda reason: -reason.weight)[:4]
    why = "\n".join(reason.text for reason in strongest) + ("\n(partial evidence)" if finding.partial else "")
    mark = f"ALERT {finding.severity}" if finding.alert else finding.severity
    cells: tuple[Any, ...] = (mark, finding.analytic, who, finding.peer or "-", f"{finding.score:.2f}", why)
    return tuple(printable(str(cell)) for cell in cells)
