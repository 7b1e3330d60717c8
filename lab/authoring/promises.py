"""What is wrong with the ``[[expect]]`` tables of a scenario: they must be about an app and a behaviour that it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.authoring.kinds import behaviour_names
from lab.behaviours import nearest


def promise_faults(document: Mapping[str, Any]) -> Iterator[str]:
    """Faults of each table on the raw document, so that they show beside every other fault.

    Nothing is said of a behaviour while some app's kind is none: it may be the one that is meant.
    """
    apps = {str(app.get("package", "")): _kinds(app) for app in tables(document, "app")}
    every = {kind for kinds in apps.values() for kind in kinds}
    whole = every <= set(behaviour_names())
    for number, expect in enumerate(tables(document, "expect"), 1):
        package, behaviour = expect.get("package", ""), expect.get("behaviour")
        if not isinstance(package, str) or not isinstance(behaviour, str):
            continue  # the table's own faults say so
        if package and package not in apps:
            yield f"expect {number}: package: no app here is called '{package}'{nearest(package, [*apps])}"
        elif whole and behaviour not in every:
            yield f"expect {number}: no app here has the behaviour '{behaviour}'{nearest(behaviour, sorted(every))}"
        elif whole and package and behaviour not in apps[package]:
            known = ", ".join(sorted(apps[package])) or "none"
            yield f"expect {number}: behaviour: '{package}' has no '{behaviour}'; it has {known}"


def tables(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The tables of that name; what is no table counts as an empty one."""
    rows = document.get(key, [])
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []


def _kinds(app: Mapping[str, Any]) -> set[str]:
    return {str(row.get("kind", "")) for row in tables(app, "behaviour")}
