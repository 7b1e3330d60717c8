"""What is learned of an enterprise before a trial: its past, seen through each view, becomes that view's baseline.

No truth of the past may come in here, nor how it was made: what is learned is what a sensor showed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from detector.contract import Telemetry, learned, open_telemetry
from detector.contract import view as view_named
from lab.recording import Recording, recording_hash
from lab.running.attempt import Ended, attempt

if TYPE_CHECKING:
    from detector.contract import Baseline

NOTHING: Ended[Baseline] = Ended("scored", "", None)  # where nothing was to be learned


@dataclass(frozen=True)
class Lessons:
    """What became of learning in each view; ``digest`` is the hash of the past's recording, None without one."""

    digest: str | None = None
    views: Mapping[str, Ended[Baseline]] = field(default_factory=dict)

    def of(self, view: str) -> Ended[Baseline]:
        """What became of it in that view."""
        return self.views.get(view, NOTHING)


def lessons(views: Sequence[str], take: Callable[[], Recording]) -> Lessons:
    """What is learned in each view of the recording that is taken; a fault is a value, except a ScenarioError."""
    read = attempt(lambda: _read(take()))
    if read.value is None:
        return Lessons(None, {view: Ended(read.status, read.reason, None) for view in views})
    digest, telemetry = read.value
    return Lessons(digest, {view: attempt(partial(_lesson, view, telemetry)) for view in views})


def _read(past: Recording) -> tuple[str, Telemetry]:
    return recording_hash(past.folder), open_telemetry(past.telemetry)


def _lesson(view: str, telemetry: Telemetry) -> Baseline:
    return learned(view_named(view)(telemetry))
