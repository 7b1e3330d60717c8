"""The sheet of one scenario: world, apps with every setting, promises, its twin and what differs, when they speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from detector.contract import rfc3339
from lab.authoring.kinds import behaviour_class
from lab.authoring.plans import TECHNIQUES, AppPlan, BehaviourPlan, Scenario
from lab.catalogue.kind_sheet import setting_rows, with_unit, written
from lab.catalogue.listing import catalogue, row_of
from lab.catalogue.nearby import around, imitators
from lab.catalogue.subjects import subjects
from lab.catalogue.timing import strips
from lab.inspection import STRIP
from lab.network import PLAIN
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.shelf import shelf
from lab.timeline import ALWAYS_ON, NAME_LOOKUP, Timeline

Row = dict[str, Any]
SYSTEM = frozenset({NAME_LOOKUP, ALWAYS_ON})  # what phones say themselves, for whichever app


def show(name: str, seed: int) -> Row:
    """One scenario, by name or path: what it is made of, how its twins differ, and who speaks when in that seed."""
    path = find_scenario(name)
    scenario = load_scenario(path)
    known = around([path])
    row = _row(scenario, known)
    timeline = compile_scenario(scenario, seed)
    twins = [load_scenario(known[twin]) for twin in row["twins"] if twin in known]
    return {
        **row,
        "seed": seed,
        "start": rfc3339(scenario.start),
        "state": asdict(scenario.phones),
        "network": asdict(scenario.network),
        "background": asdict(scenario.background),
        "apps": [_app(app) for app in scenario.apps],
        "expectations": [_promise(one) for one in scenario.expectations],
        "differences": {twin.name: differences(scenario, twin) for twin in twins},
        "strips": [one for each in (scenario, *twins) for one in _strips(each, seed, each is scenario, timeline)],
        "speakers": _speakers(timeline, {app.package for app in scenario.apps}),
    }


def _row(scenario: Scenario, known: Mapping[str, Path]) -> Row:
    """The catalogue's row; that of a file elsewhere, beside the bundled ones, if it is none of them.

    Its twins are sought in the file's own folder, too.
    """
    rows = catalogue()
    found = next((row for row in rows if row["name"] == scenario.name), None)
    if found is not None and load_scenario(shelf()[scenario.name]).sha256 == scenario.sha256:
        return found
    twins = [scenario.twin_of] if scenario.twin_of else imitators(known).get(scenario.name, [])
    return row_of(scenario, {}, ()) | {"twins": twins}


def _app(app: AppPlan) -> Row:
    moments = {"installed": app.installed, "moves": app.moves, "removed": app.removed}
    return {
        **{name: getattr(app, name) for name in ("package", "label", "category", "sanctioned", "exempt", "on")},
        "roles": list(app.roles),
        **{f"{name}_s": None if value is None else value / 1e6 for name, value in moments.items()},
        "behaviours": [_behaviour(plan) for plan in app.behaviours],
    }


def _behaviour(plan: BehaviourPlan) -> Row:
    values = [row | {"value": getattr(plan.behaviour, row["name"])} for row in setting_rows(behaviour_class(plan.kind))]
    named = {"kind": plan.kind, "analytic": plan.label or None, "technique": TECHNIQUES.get(plan.label)}
    return named | {"settings": values}


def _promise(one: Any) -> Row:
    bounds = {measure: {"at_least": low, "at_most": high} for measure, (low, high) in one.bounds.items()}
    return {"behaviour": one.behaviour, "package": one.package or None, **bounds}


def differences(here: Scenario, there: Scenario) -> list[Row]:
    """What two scenarios do not share, one row each: what each is about first, then its apps, then the rest.

    ``subject`` is true of the rows on what one of them is about. Its app may stand in both: then it has no row.
    """
    both = _about(here), _about(there)
    rows = [_difference("about", *both) | {"subject": True}] if both[0] != both[1] else []
    rows += [_difference(what, *pair) for what, pair in _worlds(here, there).items() if pair[0] != pair[1]]
    packages = [{app.package: app for app in one.apps} for one in (here, there)]
    about = [{app.package for app, _ in subjects(one)} for one in (here, there)]
    for package in dict.fromkeys([*packages[0], *packages[1]]):
        said = [_in_short(apps[package]) if package in apps else "not there" for apps in packages]
        if said[0] != said[1]:
            subject = any(package in mine for mine in about)
            rows.append(_difference(package, *said) | {"subject": subject})
    return sorted(rows, key=lambda row: not row["subject"])


def _about(scenario: Scenario) -> str:
    pairs = [f"{app.package} {plan.kind} ({plan.label or 'benign'})" for app, plan in subjects(scenario)]
    return "; ".join(dict.fromkeys(pairs))


def _difference(what: str, here: object, there: object) -> Row:
    return {"what": what, "here": str(here) or "none", "there": str(there) or "none", "subject": False}


def _worlds(here: Scenario, there: Scenario) -> dict[str, tuple[object, object]]:
    worlds = [
        {
            "span": written(one.span / 1e6, "s"),
            "devices": one.devices,
            "start": rfc3339(one.start),
            "profiles": ", ".join(one.phones.profiles),
            **{name: getattr(one.phones, name) for name in ("networks", "private_dns", "vpn")},
            "background": one.background.apps,
            "network": in_conditions(asdict(one.network)),
        }
        for one in (here, there)
    ]
    return {what: (worlds[0][what], worlds[1][what]) for what in worlds[0]}


def in_conditions(network: Mapping[str, Any]) -> str:
    """The conditions of a network that are not the ordinary ones, in a few words."""
    return ", ".join(f"{name} {value:g}" for name, value in network.items() if value != getattr(PLAIN, name))


def _in_short(app: AppPlan) -> str:
    """An app in a few words: who it is, and every setting that is not the default."""
    words = [
        app.category,
        *app.roles,
        *(["sanctioned"] if app.sanctioned else []),
        *(["exempt from Doze"] if app.exempt else []),
    ]
    words.append(f"on {app.on}")
    lives = {"installed": app.installed or None, "moves": app.moves, "removed": app.removed}
    words += [f"{name} {written(value / 1e6, 's')}" for name, value in lives.items() if value is not None]
    return "; ".join([", ".join(words), *map(in_short, app.behaviours)])


def in_short(plan: BehaviourPlan) -> str:
    """A behaviour in a few words: its kind, its label and every setting that is not the default."""
    rows = setting_rows(behaviour_class(plan.kind))
    given = [(row, getattr(plan.behaviour, row["name"])) for row in rows]
    said = [f"{row['name']} {with_unit(value, row['unit'])}" for row, value in given if value != row["default"]]
    return " ".join([plan.kind, *([plan.label] if plan.label else []), *([f"({', '.join(said)})"] if said else [])])


def _strips(scenario: Scenario, seed: int, own: bool, timeline: Timeline) -> list[Row]:  # noqa: FBT001 - private, one caller
    wanted = dict.fromkeys((app.package, plan.kind) for app, plan in subjects(scenario))
    played = timeline if own else compile_scenario(scenario, seed)
    return [{"scenario": scenario.name, **asdict(one)} for one in strips(played, wanted)]


def _speakers(timeline: Timeline, own: set[str]) -> list[Row]:
    """Each app, device and behaviour with its exchanges over the whole span, in STRIP cells.

    ``system``: the phone's own look-ups and tunnel; ``background``: an app of the library; neither: the scenario's own.
    """
    said, times = timeline.conversations, timeline.exchanges.time
    app, behaviour = (column[timeline.exchanges.conversation] for column in (said.app, said.behaviour))
    incidents = np.full((len(timeline.apps), len(timeline.behaviours)), -1)
    np.maximum.at(incidents, (said.app, said.behaviour), said.incident)
    cell = np.clip((times - timeline.start) * STRIP // timeline.span, 0, STRIP - 1).astype(np.int64)
    pair = app.astype(np.int64) * len(timeline.behaviours) + behaviour
    pairs, place = np.unique(pair, return_inverse=True)
    counts = np.bincount(place * STRIP + cell, minlength=len(pairs) * STRIP).reshape(-1, STRIP)
    rows = []
    for number, strip in zip(pairs.tolist(), counts, strict=True):
        who, what = divmod(number, len(timeline.behaviours))
        one, incident = timeline.apps[who], int(incidents[who, what])
        system = timeline.behaviours[what] in SYSTEM
        labelled = incident >= 0 and not system
        rows.append(
            {
                "device": timeline.devices[one.device].name,
                "package": one.package,
                "category": one.category,
                "behaviour": timeline.behaviours[what],
                "analytic": timeline.incidents[incident].analytic if labelled else None,
                "background": one.package not in own and not system,
                "system": system,
                "exchanges": int(strip.sum()),
                "strip": strip.tolist(),
            }
        )
    return rows
