"""Whether a scenario compiles to the same timeline again: what a behaviour draws must come from its own generator."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from lab.authoring.plans import Scenario
from lab.errors import ScenarioError
from lab.scenario import compile_scenario
from lab.timeline import ALWAYS_ON, NAME_LOOKUP, Timeline

VALUES = ("devices", "apps", "hosts", "speeches", "behaviours", "incidents", "listeners")
SYSTEM = (NAME_LOOKUP, ALWAYS_ON)  # follows from what apps do
TABLES = ("conversations", "exchanges", "states")


def compiled_again(scenario: Scenario, seed: int, first: Timeline) -> None:
    """Compiles once more; ScenarioError names the behaviours whose times differ, or what else does."""
    again = compile_scenario(scenario, seed)
    if not (wrong := _differing(first, again)):
        return
    kinds = [kind for kind in first.behaviours if not np.array_equal(_times(first, kind), _times(again, kind))]
    kinds = [kind for kind in kinds if kind not in SYSTEM] or kinds
    what = f"behaviour {', '.join(kinds)}" if kinds else f"its {wrong}"
    raise ScenarioError([f"{what} differs when compiled again with seed {seed}: draw from the rng given, nothing else"])


def _differing(one: Timeline, other: Timeline) -> str:
    for name in VALUES:
        if getattr(one, name) != getattr(other, name):
            return name
    for name in TABLES:
        mine, its = getattr(one, name), getattr(other, name)
        for column in fields(mine):
            if not np.array_equal(getattr(mine, column.name), getattr(its, column.name)):
                return f"{name} ({column.name})"
    return ""


def _times(timeline: Timeline, kind: str) -> np.ndarray:
    """When the exchanges of a kind take place, and how long they are, (4, m)."""
    if kind not in timeline.behaviours:
        return np.zeros((4, 0), dtype=np.int64)
    words = timeline.exchanges
    mine = timeline.conversations.behaviour[words.conversation] == timeline.behaviours.index(kind)
    return np.stack([words.time, words.up, words.down, words.delay])[:, mine]
