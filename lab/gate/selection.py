"""Which rows of a scorecard a threshold speaks of. Pure.

A row that has no such setting matches no condition on it, not even "!=": what is not known of it is not known.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lab.gate.grammar import ALARM_KEYS, Filter, Threshold
from lab.scoring.controls import CONTROLS

Row = Mapping[str, Any]
Case = tuple[str, int, str]  # scenario, seed, stage
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: Settings that say which protocol a behaviour speaks; beside them the words of its kind (dns-poll: dns).
SPEAKING = ("protocol", "carrier", "channel")
NO_KEYS = ("reasons", "start", "end", "decided_at", "verdict", "score", "severity", "peer", "duplicates")


@dataclass(frozen=True)
class Card:
    """A scorecard that was found to be evidence, with its rows at hand."""

    content: Row
    name: str = "scorecard"
    skip: frozenset[str] = field(default_factory=frozenset)  # scenarios that patch-only thresholds leave out

    @cached_property
    def settings(self) -> dict[tuple[str, int, str, str], Row]:
        """The settings of each incident, by scenario, seed, stage and incident."""
        rows = self.content["played"]
        return {(row["scenario"], row["seed"], row["stage"], row["incident"]): row["settings"] for row in rows}

    @cached_property
    def incidents(self) -> dict[tuple[str, str], list[Row]]:
        """The rows of incidents, by detector and view."""
        return _by_cell(self.content["incidents"])

    @cached_property
    def judgements(self) -> dict[tuple[str, str], list[Row]]:
        """The rows of judgements, by detector and view."""
        return _by_cell(self.content["judgements"])

    @property
    def scenarios(self) -> frozenset[str]:
        """The scenarios of which anything was judged."""
        return frozenset(row["scenario"] for row in self.content["judgements"])

    @property
    def keys(self) -> set[str]:
        """What an incident of this scorecard can be filtered by."""
        own = {key for row in self.content["incidents"][:1] for key in row} - {*NO_KEYS}
        return own | {"protocol", *ALARM_KEYS} | {key for row in self.content["played"] for key in row["settings"]}

    def cells(self, threshold: Threshold, detectors: Sequence[str], views: Sequence[str]) -> list[tuple[str, str]]:
        """The detectors and views that the threshold is judged for, each by itself; controls only if it names them."""
        found = []
        for name, whole in self.content["detectors"].items():
            for view in whole["views"]:
                wanted = (_named(threshold, "detector", name, detectors), _named(threshold, "view", view, views))
                if all(wanted) and (name not in CONTROLS or _names(threshold, "detector")):
                    found.append((name, view))
        return found

    def met(self, threshold: Threshold, cell: tuple[str, str]) -> list[Row]:
        """The rows of incidents of that cell that the threshold speaks of."""
        return [row for row in self.incidents.get(cell, []) if self._chosen(threshold, row)]

    def cost(self, threshold: Threshold, cell: tuple[str, str]) -> list[Row]:
        """The rows of judgements of that cell that the threshold speaks of."""
        rows = self.judgements.get(cell, [])
        return [row for row in rows if self._asked(threshold, row) and all(_holds(f, row) for f in threshold.filters)]

    def _chosen(self, threshold: Threshold, row: Row) -> bool:
        if not self._asked(threshold, row):
            return False
        settings = self.settings[row["scenario"], row["seed"], row["stage"], row["incident"]]
        return all(_holds(one, {**settings, **row}, settings) for one in threshold.filters)

    def _asked(self, threshold: Threshold, row: Row) -> bool:
        new = row["scenario"] not in self.skip if threshold.patch else True
        return new and threshold.analytic in {None, row["analytic"]}


def spoken(behaviour: str, settings: Row) -> set[str]:
    """The protocols of an incident: what its settings name, and the words of its kind."""
    return {str(settings[name]) for name in SPEAKING if name in settings} | {*behaviour.split("-")}


def _holds(condition: Filter, row: Row, settings: Row | None = None) -> bool:
    if condition.key == "protocol" and settings is not None:
        shared = bool(spoken(row["behaviour"], settings) & {str(one) for one in condition.values})
        return shared == (condition.op == "=")
    value = row.get(condition.key)
    if value is None or isinstance(value, list):
        return False
    value = str(value).lower() if isinstance(value, bool) else value
    known = [one for one in condition.values if isinstance(one, str) == isinstance(value, str)]
    if not known:
        return condition.op == "!="
    results = [_COMPARE[condition.op](value, one) for one in known]
    return all(results) if condition.op == "!=" else any(results)


def _names(threshold: Threshold, key: str) -> bool:
    return any(one.key == key for one in threshold.filters)


def _named(threshold: Threshold, key: str, value: str, usual: Sequence[str]) -> bool:
    """Whether the threshold is about this detector or view: by its own words, else by what the gate says of all."""
    if _names(threshold, key):
        return all(_holds(one, {key: value}) for one in threshold.filters if one.key == key)
    return not usual or value in usual


def _by_cell(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["detector"], row["view"]), []).append(row)
    return found
