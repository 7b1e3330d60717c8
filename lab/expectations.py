"""What a scenario says must be seen, held against a timeline: proves the scenario, no detector involved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lab.behaviours import Bool, Int64
from lab.scenario import Expectation, Scenario
from lab.timeline import Timeline


def unmet(scenario: Scenario, timeline: Timeline) -> list[str]:
    """Every expectation that does not hold, as a sentence with what was found; empty when all hold."""
    return [fault for one in scenario.expectations for fault in _unmet(one, timeline)]


def _unmet(expectation: Expectation, timeline: Timeline) -> Iterator[str]:
    kind = timeline.behaviours.index(expectation.behaviour)
    mine = timeline.conversations.behaviour == kind
    for number, app in enumerate(timeline.apps):
        if expectation.package in ("", app.package) and bool(np.any(mine & (timeline.conversations.app == number))):
            found = measured(timeline, mine & (timeline.conversations.app == number))
            where = f"{timeline.devices[app.device].name}/{app.package}/{expectation.behaviour}"
            for what, (least, most) in expectation.bounds.items():
                if (least is not None and found[what] < least) or (most is not None and found[what] > most):
                    yield f"{where}: {found[what]} {what}, expected {_bounds(least, most)}"
    if not mine.any():
        yield f"{expectation.behaviour}: no conversation at all"


def measured(timeline: Timeline, which: Bool) -> dict[str, int]:
    """Contacts (exchanges), conversations and bytes of the marked conversations."""
    said: Int64 = which[timeline.exchanges.conversation]
    spoken = int((timeline.exchanges.up + timeline.exchanges.down)[said].sum())
    return {"contacts": int(said.sum()), "conversations": int(which.sum()), "bytes": spoken}


def _bounds(least: float | None, most: float | None) -> str:
    low, high = ("" if bound is None else f"{bound:g}" for bound in (least, most))
    return f"at least {low}" if not high else f"at most {high}" if not low else f"{low} to {high}"
