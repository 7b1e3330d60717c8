"""Detection on request: detectors run over recordings and captures, outside any trial and without any truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detector.contract import Advance, Detector, Finding, Progress, Telemetry, open_telemetry
from detector.contract import detector as detector_named
from detector.contract import exceptions as exceptions_of
from detector.contract import view as view_named
from lab.baselines import beside, read_baseline
from lab.console import plural, printable, say, screen
from lab.report.telling import in_a_line, telling

#: Reasons that set all others in their light: what was learned, what is allowed, who answers for it.
CONTEXT = ("baseline", "baseline_gate", "allowed", "exception", "exception_expired")


@dataclass(frozen=True)
class Row:
    """One finding and the input it was drawn from."""

    source: str
    finding: Finding

    def line(self) -> str:
        """The finding as one JSON line of schema version 1, with ``input`` in front."""
        return json.dumps({"input": self.source, **self.finding.to_json()}, ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class Look:
    """One input as the detectors saw it, and what they found, exceptions applied, highest score first."""

    path: Path
    telemetry: Telemetry
    detectors: tuple[Detector, ...]
    findings: tuple[Finding, ...]


def rows_of(seen: Iterable[Look]) -> list[Row]:
    """The findings of several looks, input after input."""
    return [Row(str(one.path), finding) for one in seen for finding in one.findings]


def looks(
    inputs: Sequence[Path],
    detectors: Sequence[str],
    view: str,
    *,
    allow_partial: bool,
    advance: Advance,
    exceptions: Path | None = None,
    baseline: Path | None = None,
) -> Iterator[Look]:
    """Every input, seen by every detector, with what ``baseline`` has learned, whose reach stderr tells.

    What ``exceptions`` cover is informational, and stderr says how many. Raises EvidenceError for damaged input unless
    ``allow_partial``; LookupError for an unknown detector or view, exceptions that are none, or a baseline of another
    view; Unsupported where the telemetry lacks a table that a detector needs.
    """
    chosen = tuple(detector_named(name) for name in detectors)
    narrow = view_named(view)
    documented = exceptions_of(exceptions) if exceptions else None
    usual = read_baseline(baseline, view) if baseline else None
    for path in inputs:
        telemetry = narrow(read(path, allow_partial=allow_partial, advance=advance))
        if telemetry.partial:
            say(f"{path}: PARTIAL EVIDENCE: {telemetry.partial}")
        if usual:
            telemetry = beside(path, telemetry, usual)
        found = [finding for one in chosen for finding in one.detect(telemetry)]
        if documented:
            applied = documented.applied(found, telemetry)
            found = list(applied.findings)
            for line in applied.told():
                say(f"{path}: {line}")
        found.sort(key=lambda finding: (-finding.score, finding.device, finding.analytic, finding.peer or ""))
        yield Look(path, telemetry, chosen, tuple(found))


def read(path: Path, *, allow_partial: bool, advance: Advance) -> Telemetry:
    """The telemetry of a capture, or of a recording whose manifest has been proved first."""
    if (path / "recording.json").exists() or (path / "telemetry").is_dir():
        from lab.recording import open_recording

        recording = open_recording(path, allow_partial=allow_partial)
        telemetry = open_telemetry(recording.telemetry, allow_partial=allow_partial, progress=Progress(advance))
        faults = [fault for fault in (recording.partial, telemetry.partial) if fault]
        return replace(telemetry, partial="; ".join(faults) or None)
    if not path.exists():
        raise FileNotFoundError(2, "no such recording or capture", str(path))
    if path.is_dir() and not any(one.is_file() for one in path.iterdir()):
        what = (
            "no recording and no logs; name one, such as RUN/recordings/NAME, or capture files, such as FOLDER/*.pcap"
        )
        raise FileNotFoundError(2, what, str(path))
    return open_telemetry(path, allow_partial=allow_partial, progress=Progress(advance))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """JSON lines into a file such as findings.jsonl, whole or not at all."""
    from lab.recording import write_atomic

    write_atomic(path, "".join(line + "\n" for line in lines).encode())


def print_findings(rows: Sequence[Row]) -> None:
    """The findings on stdout, alerts first, each with its first reason and those that weigh most."""
    from rich.padding import Padding
    from rich.text import Text

    console = screen()
    alerts = sum(row.finding.alert for row in rows)
    several = len({row.source for row in rows}) > 1
    for row in sorted(rows, key=lambda row: not row.finding.alert):
        place = f"{row.source}: " if several else ""
        head = Text(printable(place + _headline(row.finding)), style="bold" if row.finding.alert else "")
        console.print(head, soft_wrap=True)
        for reason in _shown(row.finding):
            console.print(Padding(Text(printable(in_a_line(reason))), (0, 0, 0, 4)))
    excepted = sum(_excepted(row.finding) for row in rows)
    near = len(rows) - alerts - excepted
    counts = [plural(alerts, "alert"), plural(near, "near miss"), *([f"{excepted} excepted"] if excepted else [])]
    console.print(", ".join(counts) if rows else "no finding")


def _shown(finding: Finding) -> list[Mapping[str, Any]]:
    """The reasons to read first, and, whatever they weigh, those of CONTEXT."""
    reasons = [vars(reason) for reason in finding.reasons]
    told = telling(reasons)
    return told + [one for one in reasons if one["feature"] in CONTEXT and one not in told]


def _excepted(finding: Finding) -> bool:
    return any(reason.feature == "exception" for reason in finding.reasons)


def _headline(finding: Finding) -> str:
    who = f"{finding.device} {finding.package}" if finding.package else finding.device
    below = "excepted" if _excepted(finding) else "near miss"
    mark = f"ALERT {finding.severity}" if finding.alert else f"{below}, {finding.severity}"
    towards = f" -> {finding.peer}" if finding.peer else ""
    partial = " (partial evidence)" if finding.partial else ""
    return f"{mark}: {finding.analytic} {who}{towards}, score {finding.score:.2f}{partial}"
