"""A Sigma detection as a SQL relation: the events of its log source for which its condition holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.rule import SigmaRule

from detector.sigma.sources import STATED, TEXTS, Column, Source, source_of
from detector.sigma.terms import Parameters, Terms

#: How a column that another rule groups or counts by is written, given the name of its field.
Asked = Mapping[str, str]


@dataclass
class Matching:
    """One rule over its log source; ``late`` and ``stated`` once a field of that kind was used."""

    rule: SigmaRule
    source: Source
    parameters: Parameters
    late: bool = field(default=False)
    stated: bool = field(default=False)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it cannot do without."""
        return (*self.source.tables, *(("device_state",) if self.stated else ()))

    def column(self, name: str) -> Column:
        """The column of a field; ValueError with the nearest of those there are."""
        column = self.source.fields.get(name)
        if column is None:
            near = get_close_matches(name, self.source.fields, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ValueError(
                f"field {name}: unknown here, expected one of {', '.join(sorted(self.source.fields))}{hint}"
            )
        self.late = self.late or column.late
        self.stated = self.stated or column.stated
        return column

    def relation(self, asked: Asked) -> str:
        """SELECT of the matched events: who, began, known, and what is ``asked`` for under its alias."""
        where = " OR ".join(self._condition(each) for each in self.rule.detection.parsed_condition)
        more = "".join(f", {self._asked(name)} AS {alias}" for alias, name in asked.items())
        known = "ended" if self.late else "known"
        chosen = f"device, uid, package, peer, began, {known} AS known{more}"
        relation = STATED.format(relation=self.source.relation) if self.stated else self.source.relation
        return f"SELECT {chosen} FROM ({relation}) WHERE {where}"  # noqa: S608 - no text of a rule is in it

    def _asked(self, name: str) -> str:
        column = self.column(name)
        if column.kind == TEXTS:
            return f"array_to_string({column.sql}, ' ')"
        return f"CAST({column.sql} AS VARCHAR)"

    def _condition(self, condition: object) -> str:
        terms = Terms(self.parameters, self.column)
        parsed = condition.parsed  # type: ignore[attr-defined]  # a SigmaCondition
        return f"({_built(parsed, terms.condition)})"


def matching(rule: SigmaRule, parameters: Parameters) -> Matching:
    """The rule over its log source; ValueError where we have none such."""
    at = rule.logsource
    return Matching(rule, source_of(at.category, at.product, at.service), parameters)


def _built(node: object, leaf: Callable[..., str]) -> str:
    if isinstance(node, ConditionAND | ConditionOR):
        word = " AND " if isinstance(node, ConditionAND) else " OR "
        return "(" + word.join(_built(one, leaf) for one in node.args) + ")"
    if isinstance(node, ConditionNOT):
        return f"(NOT {_built(node.args[0], leaf)})"
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return leaf(node.field, node.value)
    if isinstance(node, ConditionValueExpression):
        found = f"detection: found the keyword '{node.value}'"
        raise ValueError(f"{found}, expected a field: flows have no message to search")  # noqa: TRY004 - a rule's fault
    raise ValueError("detection: found an empty condition, expected one that names a selection with a field")
