"""A scenario as an enterprise: its fleet on record, the days before, and what each view shows of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from detector.contract import Telemetry, learned, open_telemetry
from detector.contract import view as view_named
from lab.authoring.plans import Scenario
from lab.recording import Recording, open_recording
from lab.running.record import PAST_STAGE, record
from lab.world.past import Past

DAY_US = 86_400_000_000


def sights(
    recording: Recording, scenario: Scenario, past: Past | None, views: Sequence[str], scratch: Path
) -> Iterator[tuple[str, Telemetry]]:
    """What each view shows of a recording, with the baseline that the same view of its past teaches, if it has one."""
    telemetry = open_telemetry(recording.telemetry)
    before = None if past is None else open_telemetry(_past(recording, scenario, past, scratch).telemetry)
    for view in views:
        narrow = view_named(view)
        baseline = None if before is None else learned(narrow(before))
        yield view, replace(narrow(telemetry), baseline=baseline)


def past_of(days: float, poison: float, novel: float) -> Past | None:
    """The past of so many days, None for none; ScenarioError as Past has it."""
    return Past(round(days * DAY_US), poison, novel) if days else None


def _past(recording: Recording, scenario: Scenario, past: Past, scratch: Path) -> Recording:
    seed = recording.seed
    return open_recording(record(PAST_STAGE, scenario, seed, scratch / "before", replace=True, past=past))
