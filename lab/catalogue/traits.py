"""Rows of traits: one app, or one app and a host, with its label and the part it plays in a pair of twins.

What the traits are is said in app_traits.py and peer_traits.py, what becomes of them in columns.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.authoring.plans import Scenario
from lab.timeline import Timeline

FIRST_UID = 10_000  # AID_APP_START: what is below belongs to the system, such as its resolver


@dataclass(frozen=True)
class Row:
    """One app, or one app and host: whose it is, and whether it is labelled."""

    pair: str  # the malicious scenario, for its twin too
    scenario: str
    seed: int
    package: str
    malicious: bool
    acts: bool  # whether it plays its app's part here, if that has one (``parts_of``)
    traits: Mapping[str, Any]


def parts_of(scenarios: Iterable[Scenario]) -> dict[str, frozenset[str]]:
    """For each scenario with a twin, and each twin, the packages that play the part: labelled, or imitating those.

    Imitating are the apps that only the twin has, and those labelled in the other and innocent here.
    """
    known = {one.name: one for one in scenarios}
    found: dict[str, frozenset[str]] = {}
    for twin in known.values():
        other = known.get(twin.twin_of)
        if other is None:
            continue
        guilty = frozenset(app.package for app in other.apps if any(row.label for row in app.behaviours))
        common = {app.package for app in other.apps} - guilty
        found[other.name] = guilty
        found[twin.name] = frozenset(app.package for app in twin.apps if app.package not in common)
    return found


def row_of(
    scenario: Scenario,
    timeline: Timeline,
    package: str,
    traits: Mapping[str, Any],
    *,
    malicious: bool,
    acts: bool = True,
) -> Row:
    """The row of a package of that timeline."""
    pair = scenario.twin_of or scenario.name
    return Row(pair, scenario.name, timeline.seed, package, malicious, acts, traits)
