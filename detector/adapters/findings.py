"""Findings made elsewhere: ``findings:FILE``, or ``findings:FOLDER`` with a file for each capture, named by its hash.

A file is our findings.jsonl, Suricata's EVE, RITA's CSV or Slips' alerts, as its first line tells. A file in FOLDER
begins with the SHA-256 of the capture it is about (recording.json has it; twelve digits or more), so that a run of
many recordings finds the right one and nothing else tells them apart. ``?analytic=AN1793`` says what alerts are about
that do not say it, and that the tool judges nothing else; RITA's are about AN1793.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detector.contract import ANALYTICS, Detector, Finding, Telemetry, Unsupported
from detector.elsewhere.forms import NATIVE, NOTHING, RITA, form_of
from detector.elsewhere.made import made
from detector.rule_analytic import split_argument
from detector.signature import Signature

ARGUMENT = "FILE"
DIGITS = 12  # of a hash, at least


@dataclass
class Elsewhere:
    """What a file, or one of a folder's files, says of the telemetry at hand."""

    name: str
    version: str
    place: Path
    given: str | None
    needs: tuple[str, ...] = ()

    def judges(self, telemetry: Telemetry) -> tuple[str, ...]:
        """The analytic of the argument, RITA's, or all: whoever says nothing of one has missed it."""
        if self.given is not None:
            return (self.given,)
        path = self._about(telemetry)
        return ("AN1793",) if path is not None and form_of(path) == RITA else ANALYTICS

    def detect(self, telemetry: Telemetry) -> Iterator[Finding]:
        """The findings of the file; Failed, with line, found and expected, for what is none of this telemetry's."""
        path = self._about(telemetry)
        if path is None or (form := form_of(path)) == NOTHING:
            return
        who = Signature(self.name, self.version, partial=telemetry.partial is not None)
        if form != NATIVE and "flows" not in telemetry:
            raise Unsupported(f"alerts are named by flows; this telemetry (view {telemetry.view}) has none")
        yield from made(path, form, telemetry, who, self.given)

    def _about(self, telemetry: Telemetry) -> Path | None:
        """The file about the telemetry; None for telemetry in which nothing happened and that nobody wrote about."""
        if not self.place.is_dir():
            return self.place
        if telemetry.capture is None:
            raise Unsupported(f"{self.place}: files are told by the capture's hash, and view {telemetry.view} has none")
        digest = _digest(telemetry.capture)
        found = [path for path in sorted(self.place.iterdir()) if _names(path, digest)]
        if len(found) != 1:
            what = f"{len(found)} files" if found else "no file"
            raise Unsupported(
                f"{self.place}: found {what} named {digest[:DIGITS]}..., the capture's SHA-256, expected one"
            )
        return found[0]


def _names(path: Path, digest: str) -> bool:
    stem = path.name.partition(".")[0].lower()
    return path.is_file() and len(stem) >= DIGITS and digest.startswith(stem)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def create(argument: str) -> Detector:
    """The findings in a file or folder; LookupError where there is none."""
    text, given = split_argument(argument)
    place = Path(text)
    if not text or not place.exists():
        found = f"no such file: {text}" if text else "no argument"
        raise LookupError(f"detector findings: found {found}, expected findings:FILE or findings:FOLDER")
    files = sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else [place]
    whole = hashlib.sha256("".join(_digest(path) for path in files).encode()).hexdigest()
    return Elsewhere(f"findings:{argument}", whole[:12], place, given)
