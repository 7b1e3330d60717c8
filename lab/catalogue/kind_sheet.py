"""What there is to write scenarios with: kinds of behaviour with their settings, protocols with their options.

Everything is read off the sources and the scenarios on disk, so that a new file is here at once.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from lab.authoring.background import library
from lab.authoring.kinds import behaviour_class, behaviour_names, protocol_module, protocol_names
from lab.authoring.plans import Scenario
from lab.catalogue.subjects import speaks
from lab.errors import ScenarioError
from lab.scenario import load_scenario
from lab.shelf import shelf

Row = dict[str, Any]
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def duration(value_s: float) -> str:
    """Seconds as a scenario file writes them, in the largest unit that they fill.

    >>> [duration(s) for s in (300, 5400, 86400, 39, 0.25, 0)]
    ['5m', '90m', '1d', '39s', '250ms', '0s']
    """
    if 0 < value_s < 1:
        return f"{value_s * 1000:g}ms"
    for size, unit in UNITS:
        if value_s and value_s % size == 0:
            return f"{value_s / size:g}{unit}"
    return f"{value_s:g}s"


def written(value: object, unit: str) -> str:
    """A setting's value as a scenario file writes it.

    >>> written(300.0, "s"), written(True, ""), written("fixed", ""), written(0.5, "")
    ('5m', 'true', 'fixed', '0.5')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return duration(value) if unit == "s" else f"{value:.12g}"
    return str(value)


def with_unit(value: object, unit: str) -> str:
    """A setting's value in a sentence.

    >>> with_unit(300.0, "s"), with_unit(420, "B"), with_unit("none", "B"), with_unit(0.5, "")
    ('5m', '420 B', 'none', '0.5')
    """
    counted = isinstance(value, (int, float)) and unit not in {"", "s"}
    return f"{written(value, unit)} {unit}" if counted else written(value, unit)


def setting_rows(kind: type[Any]) -> list[Row]:
    """The settings of a kind, in the order of its file: default (null: it must be given), unit, bounds, source."""
    return [_setting(found) for found in fields(kind)]


def _setting(found: Field[Any]) -> Row:
    known = {name: found.metadata.get(name) for name in ("minimum", "maximum")}
    default = None if found.default is MISSING else found.default
    words = {"unit": found.metadata.get("unit", ""), "source": found.metadata.get("source", "")}
    return {
        "name": found.name,
        "default": default,
        **words,
        **known,
        "choices": list(found.metadata.get("choices", ())),
    }


def range_of(row: Mapping[str, Any]) -> str:
    """What a setting may be, in words: its choices or its bounds."""
    if row["choices"]:
        return " | ".join(row["choices"])
    if isinstance(row["default"], bool):
        return "true | false"
    low, high = (None if row[key] is None else written(row[key], row["unit"]) for key in ("minimum", "maximum"))
    unit = f" {row['unit']}" if row["unit"] not in ("", "s") else ""
    if low is None and high is None:
        return unit.strip() or "-"
    return f"{'' if low is None else low} to {'' if high is None else high}{unit}".strip()


def behaviour_rows() -> list[Row]:
    """One row for each kind: what it is, what it speaks by default, who uses it.

    ScenarioError lists the faults of all files that cannot be loaded.
    """
    _refuse_broken()
    users = _users()
    return [_behaviour(kind, users) for kind in behaviour_names()]


def _refuse_broken() -> None:
    faults: list[str] = []
    for kind in behaviour_names():
        try:
            behaviour_class(kind)
        except ScenarioError as wrong:
            faults += wrong.faults
    if faults:
        raise ScenarioError(faults)


def behaviour_sheet(kind: str) -> Row:
    """A kind with its whole description, its settings and the scenarios that use it; LookupError if there is none."""
    made = behaviour_class(kind)
    users = _users()
    named = {use: sorted(found.get(kind, ())) for use, found in users.items()}
    description = inspect.cleandoc(inspect.getmodule(made).__doc__ or "")
    return _behaviour(kind, users) | {"description": description, "settings": setting_rows(made), "used_by": named}


def _behaviour(kind: str, users: Mapping[str, Mapping[str, set[str]]]) -> Row:
    made = behaviour_class(kind)
    return {
        "kind": kind,
        "summary": (inspect.getmodule(made).__doc__ or "").strip().split("\n", 1)[0],
        "protocols": sorted(_spoken(made)),
        "settings": [one.name for one in fields(made)],
        "uses": {use: len(found.get(kind, ())) for use, found in users.items()},
    }


def _spoken(made: type[Any]) -> set[str]:
    """What a kind speaks by default; nothing is known of one that has no default for some setting."""
    return speaks([made()]) if all(one.default is not MISSING for one in fields(made)) else set()


def _users() -> dict[str, dict[str, set[str]]]:
    """Who uses a kind: by labelled or benign in scenarios, or in the library of apps; kind -> names."""
    found: dict[str, dict[str, set[str]]] = {"labelled": {}, "benign": {}, "library": {}}
    for scenario in _scenarios():
        for plan in (plan for app in scenario.apps for plan in app.behaviours):
            found["labelled" if plan.label else "benign"].setdefault(plan.kind, set()).add(scenario.name)
    for app in library():
        for row in app.rows:
            found["library"].setdefault(row["kind"], set()).add(app.package)
    return found


def _scenarios() -> Iterator[Scenario]:
    yield from (load_scenario(path) for path in shelf().values())


def protocol_rows() -> list[Row]:
    """One row for each protocol: what it is, over which transport, which options its file reads, how often spoken."""
    spoken: dict[str, set[str]] = {}
    for scenario in _scenarios():
        for one in speaks(plan.behaviour for app in scenario.apps for plan in app.behaviours):
            spoken.setdefault(one.removesuffix("+tls"), set()).add(scenario.name)
    return [_protocol(name) | {"scenarios": len(spoken.get(name, ()))} for name in protocol_names()]


def protocol_sheet(name: str) -> Row:
    """A protocol with its whole description and the kinds that speak it by default; LookupError if there is none."""
    module = protocol_module(name)
    kinds = [kind for kind in behaviour_names() if {name, f"{name}+tls"} & _spoken(behaviour_class(kind))]
    about = {"description": inspect.cleandoc(module.__doc__ or ""), "messages": inspect.getdoc(module.messages) or ""}
    return _protocol(name) | about | {"spoken_by": kinds}


def _protocol(name: str) -> Row:
    module = protocol_module(name)
    summary = (module.__doc__ or "").strip().split("\n", 1)[0]
    options = sorted(set(_options(ast.parse(inspect.getsource(module)))))
    return {"protocol": name, "summary": summary, "transport": module.TRANSPORT, "options": options}


def _options(tree: ast.AST) -> Iterator[str]:
    """The names that a source asks its options for: ``options.get("x")``, ``options["x"]``, in a loop too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.GeneratorExp) and any(_asks(one) for one in ast.walk(node.elt)):
            yield from (text for loop in node.generators for text in _texts(ast.walk(loop.iter)))
        if (isinstance(node, ast.Call) and _asks(node) and node.args) or (
            isinstance(node, ast.Subscript) and _is_options(node.value)
        ):
            yield from _texts([node.args[0] if isinstance(node, ast.Call) else node.slice])


def _asks(node: ast.AST) -> bool:
    is_get = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
    return is_get and _is_options(node.func.value)  # type: ignore[attr-defined]  # is_get has looked


def _is_options(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) == "options"


def _texts(nodes: Iterable[ast.AST]) -> Iterator[str]:
    yield from (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
