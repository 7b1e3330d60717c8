"""A scenario as an enterprise: more phones, of which no more are infected, and what its views show of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from detector.contract import Telemetry, open_telemetry
from detector.contract import view as view_named
from lab.authoring.plans import AppPlan, Scenario
from lab.recording import Recording


def enterprise(scenario: Scenario, devices: int) -> Scenario:
    """The scenario with at least that many phones; what is labelled stays on as many as its file says.

    An app of all phones is on all of them again, one of some on the same share, rounded.
    """
    if devices <= scenario.devices:
        return scenario
    return replace(scenario, devices=devices, apps=tuple(_spread(app, scenario.devices, devices) for app in scenario.apps))


def _spread(app: AppPlan, before: int, now: int) -> AppPlan:
    if any(one.label for one in app.behaviours):
        return app
    return replace(app, on=max(app.on, round(app.on * now / before)))


def sights(  # noqa: PLR0917 - a case is all of these
    recording: Recording,
    scenario: Scenario,
    seed: int,
    views: Sequence[str],
    days: float,
    poison: float,
    scratch: Path,
) -> Iterator[tuple[str, Telemetry]]:
    """What each view shows of a recording."""
    telemetry = open_telemetry(recording.telemetry)
    yield from ((view, view_named(view)(telemetry)) for view in views)
