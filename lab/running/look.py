"""One look: a detector sees telemetry through a view, at a capture whose path tells nothing, and its word is checked.

No truth, no scenario and no score may come in here: what a detector is handed is made in this module.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

from detector.contract import ANALYTICS, Detector, Finding, Telemetry, Unsupported, write_findings
from detector.contract import detector as detector_named
from detector.contract import view as view_named

if TYPE_CHECKING:
    from detector.contract import Baseline

NEUTRAL = "capture.pcap"


@dataclass(frozen=True)
class Found:
    """What one look brought: the detector's version, the analytics it could judge, its findings as JSON lines."""

    version: str
    judged: tuple[str, ...]
    lines: bytes

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, read back from the lines."""
        return tuple(Finding.from_json(json.loads(line)) for line in self.lines.split(b"\n") if line)


def look(detector: str, view: str, telemetry: Telemetry, baseline: Baseline | None = None) -> Found:
    """What the detector finds in the telemetry under the view, knowing what was learned in that view, if anything was.

    Unsupported if it can judge nothing there; ValueError for a finding that is none; else whatever it raises itself.
    """
    one = detector_named(detector)
    narrowed = replace(view_named(view)(telemetry), baseline=baseline)
    _need(one, narrowed)
    able = judged(one, narrowed)
    with neutral(narrowed) as shown:
        lines = b"".join(line.encode() + b"\n" for line in checked(one.detect(shown), able))
    return Found(one.version, able, lines)


def judged(one: Detector, telemetry: Telemetry) -> tuple[str, ...]:
    """The analytics the detector can judge on this telemetry, in the contract's order: all, unless it says otherwise.

    Unsupported if there is none; ValueError if it names one that does not exist.
    """
    ask = getattr(one, "judges", None)
    told = ANALYTICS if ask is None else tuple(ask(telemetry))
    if unknown := [analytic for analytic in told if analytic not in ANALYTICS]:
        raise ValueError(f"{one.name} judges {unknown[0]!r}: expected some of {', '.join(ANALYTICS)}")
    if not told:
        raise Unsupported(f"{one.name} can judge no analytic on what view {telemetry.view} shows")
    return tuple(analytic for analytic in ANALYTICS if analytic in told)


def checked(findings: Iterable[Finding], able: tuple[str, ...] = ANALYTICS) -> Iterator[str]:
    """The findings as JSON lines; ValueError for one that a file could not hold or of an analytic not in ``able``."""
    for finding in findings:
        for name in ("first_seen", "last_seen", "decided_at"):
            if not isinstance(time := getattr(finding, name), Integral):
                raise ValueError(f"{name}: found {time!r}, expected whole microseconds")  # noqa: TRY004 - one kind of fault
        (line,) = write_findings([finding])
        Finding.from_json(json.loads(line))
        if finding.analytic not in able:
            raise ValueError(f"analytic: found {finding.analytic}, but the detector judges {', '.join(able)} here")
        yield line


@contextmanager
def neutral(telemetry: Telemetry) -> Iterator[Telemetry]:
    """The telemetry with its capture under a name that tells nothing, in a folder of its own that goes afterwards.

    A hard link, or a copy where the temporary folder is on another file system; never a symbolic link, which would
    say where it leads. TMPDIR says where, as everywhere.
    """
    if telemetry.capture is None:
        yield telemetry
        return
    with tempfile.TemporaryDirectory(prefix="") as folder:
        path = Path(folder) / NEUTRAL
        try:
            os.link(telemetry.capture, path)
        except OSError:
            shutil.copyfile(telemetry.capture, path)
        yield replace(telemetry, capture=path)


def _need(one: Detector, telemetry: Telemetry) -> None:
    lacking = [table for table in one.needs if table not in telemetry]
    if lacking:
        raise Unsupported(f"view {telemetry.view} has no table {', '.join(lacking)}, which {one.name} needs")
