"""What a scenario is about: its labelled behaviours, or those that a benign one promises; and their protocols.

Read off the plan alone: nothing is compiled, drawn or played here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import cast

import numpy as np

from lab.authoring.blame import plan_of
from lab.authoring.plans import AppPlan, BehaviourPlan, Scenario
from lab.behaviours import SECOND, BehaviourKind, Window

LOOKED_UP = "dns"
UNNAMED = frozenset({"literal", "lan", "group"})


def subjects(scenario: Scenario) -> list[tuple[AppPlan, BehaviourPlan]]:
    """The labelled behaviours with their apps; in a benign scenario those with an ``[[expect]]``; else all."""
    every = [(app, plan) for app in scenario.apps for plan in app.behaviours]
    labelled = [(app, plan) for app, plan in every if plan.label]
    wanted = {(one.package, one.behaviour) for one in scenario.expectations}
    expected = [(app, plan) for app, plan in every if {(app.package, plan.kind), ("", plan.kind)} & wanted]
    return labelled or expected or every


def spoken(scenario: Scenario) -> set[str]:
    """The protocols a scenario's own apps may speak, TLS as ``+tls``, whatever the seed; apps of its background not."""
    return protocols_of(plan.behaviour for app in scenario.apps for plan in app.behaviours)


def protocols_of(behaviours: Iterable[BehaviourKind]) -> set[str]:
    """The protocols that these may speak, and ``dns`` where a name is looked up for them."""
    found: set[str] = set()
    for behaviour in behaviours:
        said, named = _speaks(behaviour)
        found |= said | ({LOOKED_UP} if named else set())
    return found


def speaks(behaviours: Iterable[BehaviourKind]) -> set[str]:
    """The protocols that these may speak themselves, without the look-ups made for them."""
    return {protocol for behaviour in behaviours for protocol in _speaks(behaviour)[0]}


def _speaks(behaviour: BehaviourKind) -> tuple[frozenset[str], bool]:
    """What it may speak, and whether a name is looked up for it; settings are frozen, so that it is asked once."""
    return _planned(cast("Hashable", behaviour))


@lru_cache(maxsize=4096)
def _planned(settings: Hashable) -> tuple[frozenset[str], bool]:
    """A plan names its speeches before it knows when there is something to say, so that an empty minute suffices."""
    never = np.zeros((0, 2), dtype=np.int64)
    quiet = Window(60 * SECOND, never, never, never, never, never)
    batch = plan_of(cast("BehaviourKind", settings), np.random.default_rng(0), quiet)
    said = frozenset(f"{one.protocol}+tls" if one.tls else one.protocol for one in batch.speeches)
    return said, any(peer.reach not in UNNAMED for peer in batch.peers)
