"""Sweeps: the same scenarios with one setting of what is labelled turned, and their twins turned alike.

Data in, data out: nothing is read, drawn or played. A key names whose setting: ``polling.jitter`` and ``relay.delay``
of every behaviour labelled so, ``app.torch.behaviour.jitter`` of one app, by its package or the last part of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from lab.authoring.plans import AppPlan, BehaviourPlan, Scenario
from lab.authoring.settings import settings_of
from lab.behaviours import nearest
from lab.errors import ScenarioError

LABELS: Mapping[str, str] = {"polling": "AN1793", "relay": "AN1702"}
EXPECTED = "expected polling.SETTING, relay.SETTING or app.NAME.behaviour.SETTING, then =VALUE,VALUE,..."
#: What honest timers call a setting of agents: the share of a period within which a contact may fall.
TWINS_WORD: Mapping[str, str] = {"jitter": "flex"}
LONGEST = 100  # characters of a scenario's name
MOST_AXES = 2


@dataclass(frozen=True)
class Axis:
    """One setting that is turned: its key as given, whose it is, and the texts of its values."""

    key: str
    label: str  # analytic, or "" where an app is named
    app: str
    setting: str
    texts: tuple[str, ...]

    def of(self, app: AppPlan, plan: BehaviourPlan) -> bool:
        """Whether this is a labelled behaviour that the key names."""
        named = app.package == self.app or app.package.rsplit(".", 1)[-1] == self.app
        return bool(plan.label) and (named if self.app else plan.label == self.label)


@dataclass(frozen=True)
class Sweep:
    """The scenarios of every cell, in order, and the axes as a scorecard has them.

    ``left_out``: scenarios without what is turned. ``unlike``: what could not be turned alike in which twin, and why.
    """

    scenarios: tuple[Scenario, ...]
    axes: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()


def axis_of(text: str) -> Axis:
    """The axis in ``KEY=VALUE,VALUE,...``; ScenarioError says what was expected.

    >>> axis_of("polling.jitter=0,0.5").texts, axis_of("app.spy.behaviour.period=5m").app
    (('0', '0.5'), 'spy')
    """
    key, equals, values = text.partition("=")
    texts = tuple(one.strip() for one in values.split(","))
    if not equals or not all(texts):
        raise ScenarioError([f"--vary: found {text!r}, {EXPECTED}"])
    if again := [one for number, one in enumerate(texts) if one in texts[:number]]:
        raise ScenarioError([f"--vary {key}: found {again[0]} twice, expected each value once"])
    where, _, setting = key.strip().rpartition(".")
    app = re.fullmatch(r"app\.(.+)\.behaviour", where)
    if not setting or (where not in LABELS and not app):
        raise ScenarioError([f"--vary: found the key {key!r}, {EXPECTED}"])
    return Axis(key.strip(), LABELS.get(where, ""), app[1] if app else "", setting, texts)


def swept(scenarios: Sequence[Scenario], asked: Iterable[str]) -> Sweep:
    """Every scenario that has what is turned, and each of its twins, in every cell of the sweep.

    Scenarios without it are left out, and named. ScenarioError lists every value that a setting cannot have, at its
    key; for more than two axes, an axis given twice, or none of the scenarios having what is turned.
    """
    axes = [axis_of(text) for text in asked]
    if len(axes) > MOST_AXES or len({one.key for one in axes}) < len(axes):
        raise ScenarioError([f"--vary: found {', '.join(one.key for one in axes)}, expected one or two different keys"])
    guilty = [one for one in scenarios if all(any(_owners(one, axis)) for axis in axes)]
    if not guilty:
        raise ScenarioError(
            [_nobody(scenarios, axis) for axis in axes if not _known(scenarios, axis)] or [_apart(axes)]
        )
    if faults := sorted({fault for axis in axes for one in guilty for fault in _faults(one, axis)}):
        raise ScenarioError(faults)
    names = {one.name for one in guilty}
    twins = [one for one in scenarios if one.twin_of in names]
    cells = [dict(zip(axes, texts, strict=True)) for texts in product(*(axis.texts for axis in axes))]
    made = tuple(_turned(one, cell) for cell in cells for one in (*guilty, *twins))
    rest = tuple(one.name for one in scenarios if one not in guilty and one not in twins)
    unlike = tuple(told for twin in twins for axis in axes for told in _unlike(twin, axis))
    return Sweep(made, tuple(_told(axis, guilty) for axis in axes), rest, unlike)


def _owners(scenario: Scenario, axis: Axis) -> Iterator[BehaviourPlan]:
    """The labelled behaviours that the key names and that have the setting."""
    for app in scenario.apps:
        for plan in app.behaviours:
            if axis.of(app, plan) and axis.setting in _settings(plan):
                yield plan


def _settings(plan: BehaviourPlan) -> list[str]:
    # a behaviour is always a dataclass: its protocol cannot say so
    return [one.name for one in fields(plan.behaviour)]  # type: ignore[arg-type]


def _known(scenarios: Iterable[Scenario], axis: Axis) -> bool:
    return any(any(_owners(one, axis)) for one in scenarios)


def _nobody(scenarios: Sequence[Scenario], axis: Axis) -> str:
    plans = [plan for one in scenarios for app in one.apps for plan in app.behaviours if axis.of(app, plan)]
    if not plans:
        return f"--vary {axis.key}: found no labelled behaviour of that name in what is played"
    known = sorted({name for plan in plans for name in _settings(plan)})
    hint = nearest(axis.setting, known) or f"; known are {', '.join(known)}"
    return f"--vary {axis.key}: unknown setting '{axis.setting}'{hint}"


def _apart(axes: Sequence[Axis]) -> str:
    keys = " and ".join(axis.key for axis in axes)
    return f"--vary: found no scenario with both {keys}, expected one that has all that is turned"


def _faults(scenario: Scenario, axis: Axis) -> Iterator[str]:
    for plan in _owners(scenario, axis):
        for text in axis.texts:
            _, wrong = _value(plan, axis.setting, text)
            yield from (f"--vary {axis.key}={text}: {fault}, in {scenario.name}" for fault in wrong)


def _value(plan: BehaviourPlan, setting: str, text: str) -> tuple[Any, list[str]]:
    """The value of a setting that a text means, and what is wrong with it."""
    (field,) = [one for one in fields(plan.behaviour) if one.name == setting]  # type: ignore[arg-type]  # as above
    raw: Any = text
    if field.metadata.get("unit") != "s" and type(field.default) is not str:
        raw = {"true": True, "false": False}.get(text, text)
        for kind in (int, float):
            if raw is text:
                raw = _number(text, kind)
    values, faults = settings_of(type(plan.behaviour), {setting: raw})
    return values.get(setting), [fault for fault in faults if fault.startswith(f"{setting}:")]


def _number(text: str, kind: type[int | float]) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text


def _turned(scenario: Scenario, cell: Mapping[Axis, str]) -> Scenario:
    """A scenario, or a twin, in one cell, under a name and a hash of its own."""
    mark = ".".join(f"{axis.setting}-{re.sub(r'[^a-z0-9.-]', '-', text.lower())}" for axis, text in cell.items())
    turned = tuple(f"{axis.key}={text}" for axis, text in cell.items())
    return replace(
        scenario,
        name=_short(f"{scenario.name}.{mark}"),
        varied_from=scenario.name,
        turned=turned,
        twin_of=_short(f"{scenario.twin_of}.{mark}") if scenario.twin_of else "",
        sha256=hashlib.sha256("\n".join((scenario.sha256, *turned)).encode()).hexdigest(),
        apps=tuple(_app(scenario, app, cell) for app in scenario.apps),
    )


def _short(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}.{digest}"


def _app(scenario: Scenario, app: AppPlan, cell: Mapping[Axis, str]) -> AppPlan:
    plans = []
    for plan in app.behaviours:
        alike = (app.package, plan.kind) in scenario.alike
        made = plan
        for axis, text in cell.items():
            if axis.of(app, plan) and axis.setting in _settings(plan):
                made = _set(made, axis.setting, text)
            elif alike and (name := _same(plan, axis.setting)) and not _value(plan, name, text)[1]:
                made = _set(made, name, text)
        plans.append(made)
    return replace(app, behaviours=tuple(plans))


def _unlike(twin: Scenario, axis: Axis) -> Iterator[str]:
    """What of a twin stays as it is, although what it imitates is turned."""
    for app in twin.apps:
        for plan in app.behaviours:
            if (app.package, plan.kind) not in twin.alike:
                continue
            name = _same(plan, axis.setting)
            if not name:
                yield f"{twin.name}: {plan.kind} has no setting '{axis.setting}'"
                continue
            for text in axis.texts:
                yield from (f"{twin.name}: {fault}" for fault in _value(plan, name, text)[1])


def _same(plan: BehaviourPlan, setting: str) -> str:
    """What the behaviour that imitates calls the setting; empty if it has none."""
    known = _settings(plan)
    return next((name for name in (setting, TWINS_WORD.get(setting, "")) if name in known), "")


def _set(plan: BehaviourPlan, setting: str, text: str) -> BehaviourPlan:
    value, _ = _value(plan, setting, text)
    # as in _settings: always a dataclass
    return replace(plan, behaviour=replace(plan.behaviour, **{setting: value}))  # type: ignore[type-var]


def _told(axis: Axis, guilty: Iterable[Scenario]) -> dict[str, Any]:
    """The axis as a scorecard has it: durations in seconds, as truth has them."""
    plan = next(plan for one in guilty for plan in _owners(one, axis))
    (field,) = [one for one in fields(plan.behaviour) if one.name == axis.setting]  # type: ignore[arg-type]  # as above
    values = [_value(plan, axis.setting, text)[0] for text in axis.texts]
    ordered = values if any(isinstance(one, str) for one in values) else sorted(values)
    return {"name": axis.key, "unit": field.metadata.get("unit", ""), "values": ordered}
