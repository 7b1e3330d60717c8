"""The ``[[behaviour]]`` rows of scenarios and library apps: read, refused with their place, made into plans.

A library's setting may be a range ``{ from = , to = }`` or a choice ``{ of = [ , ] }``, drawn once per app.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

import numpy as np

from lab.authoring.kinds import behaviour_class
from lab.authoring.plans import BehaviourPlan
from lab.authoring.settings import routable, seconds, settings_of
from lab.errors import ScenarioError

NO_SETTINGS = ("kind", "label")
RANGE = {"from", "to"}


def behaviour_plan(kind: str, given: Mapping[str, Any], label: str = "") -> BehaviourPlan:
    """The plan of a row that has no faults."""
    made = _class(kind)
    values, _ = settings_of(made, given)
    return BehaviourPlan(kind, made(**values), label)


_class = cache(behaviour_class)  # of a kind that is known: looked for once per process


def row_faults(row: Mapping[str, Any], place: str) -> Iterator[str]:
    """Faults of a row's kind and settings, on the raw document so that they show beside every other fault."""
    given = {key: value for key, value in row.items() if key not in NO_SETTINGS}
    yield from (f"{place}: {fault}" for fault in routable(given))
    if not isinstance(row.get("kind"), str):
        return  # the table's own faults say so
    try:
        kind = behaviour_class(row["kind"])
    except LookupError as fault:
        yield f"{place}: {fault.args[0]}"
        return
    except ScenarioError as broken:
        yield from broken.faults  # of the kind's own file, whoever uses it
        return
    yield from (f"{place}: {fault}" for fault in settings_of(kind, given)[1])


def range_faults(row: Mapping[str, Any], place: str) -> Iterator[str]:
    """As ``row_faults``, for a row of ranges and choices: each end or choice must be a value, and from the less."""
    options = {key: _options(value) for key, value in row.items()}
    most = max(map(len, options.values()), default=0)
    rows = [{key: values[min(nth, len(values) - 1)] for key, values in options.items()} for nth in range(most)]
    yield from dict.fromkeys(fault for one in rows for fault in row_faults(one, place))
    for name, value in row.items():
        if not _is_range(value):
            continue
        try:
            low, high = (_number(value[end]) for end in ("from", "to"))
        except ValueError:
            yield f"{place}: {name}: found {value!r}, expected from and to as numbers or durations"
            continue
        if low >= high:
            yield f"{place}: {name}: found from {value['from']!r} to {value['to']!r}, expected from below to"


def drawn_plan(rng: np.random.Generator, row: Mapping[str, Any]) -> BehaviourPlan:
    """The plan of a row without faults, with ranges drawn, log-uniform where they begin above 0, and choices made."""
    given = {key: value for key, value in row.items() if key not in NO_SETTINGS}
    return behaviour_plan(row["kind"], {key: _drawn(rng, row["kind"], key, value) for key, value in given.items()})


def _drawn(rng: np.random.Generator, kind: str, name: str, value: Any) -> Any:
    if _is_choice(value):
        return value["of"][int(rng.integers(len(value["of"])))]
    if not _is_range(value):
        return value
    low, high = (_number(value[end]) for end in ("from", "to"))
    found = float(np.exp(rng.uniform(np.log(low), np.log(high))) if low > 0 else rng.uniform(low, high))
    if isinstance(value["from"], str):
        return f"{max(found, low):.3f}s"
    whole = next(field for field in fields(_class(kind)) if field.name == name)
    wanted = int if whole.default is MISSING else type(whole.default)
    return round(found) if wanted is int else found


def _is_range(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == RANGE


def _is_choice(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"of"} and isinstance(value["of"], list) and bool(value["of"])


def _options(value: Any) -> list[Any]:
    if _is_choice(value):
        return list(value["of"])
    return [value["from"], value["to"]] if _is_range(value) else [value]


def _number(value: Any) -> float:
    if isinstance(value, str):
        return seconds(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"found {value!r}, expected a number or a duration")  # noqa: TRY004 - a fault of the author
    return float(value)
