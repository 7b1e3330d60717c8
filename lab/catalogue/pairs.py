"""Pairs: what a malicious scenario owes by itself, and what it and the benign one that imitates it must share."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from detector.contract import rfc3339
from lab.authoring.plans import Scenario
from lab.catalogue.kind_sheet import written
from lab.catalogue.subjects import speaks, subjects
from lab.errors import ScenarioError

NO_PROMISE = "expect: found none about a labelled behaviour, expected one: every malicious scenario needs one"


def lone_faults(scenario: Scenario) -> list[str]:
    """A malicious scenario promises something of what is labelled: else nobody knows that it is there."""
    labelled = {(app.package, plan.kind) for app in scenario.apps for plan in app.behaviours if plan.label}
    kinds = {kind for _, kind in labelled}
    promised = any(
        (one.package, one.behaviour) in labelled or (not one.package and one.behaviour in kinds)
        for one in scenario.expectations
    )
    return [NO_PROMISE] if labelled and not promised else []


def pair_faults(twin: Scenario, original: Scenario) -> list[str]:
    """What is wrong with a pair: the original must be malicious, its twin not, and their worlds the same."""
    place = f"twin_of '{original.name}'"
    if twin.analytics:
        return [f"{place}: but this scenario has a labelled behaviour itself"]
    if not original.analytics:
        return [f"{place}: which has no labelled behaviour"]
    mine, its = _world(twin), _world(original)
    return [
        f"{place}: {what}: found {_said(mine[what])}, expected {_said(its[what])} as there: twins share their world"
        for what in mine
        if mine[what] != its[what]
    ]


def pair_notice(twin: Scenario, original: Scenario) -> str:
    """What is worth a look but no fault: honest apps of that sort may speak otherwise."""
    try:
        mine, its = (speaks(plan.behaviour for _, plan in subjects(one)) for one in (twin, original))
    except ScenarioError:  # a plan fails: that is told when it is played
        return ""
    if mine & its:
        return ""
    speech = [", ".join(sorted(one)) or "nothing" for one in (mine, its)]
    return f"twin_of '{original.name}': speaks {speech[0]}, that one {speech[1]}: no protocol in common"


def _world(scenario: Scenario) -> dict[str, Any]:
    world = {
        "span": written(scenario.span / 1e6, "s"),
        "devices": scenario.devices,
        "start": rfc3339(scenario.start),
    }
    parts = {
        "state": asdict(scenario.phones),
        "network": asdict(scenario.network),
        "background": asdict(scenario.background),
    }
    return world | {f"{table}: {name}": value for table, part in parts.items() for name, value in part.items()}


def _said(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
