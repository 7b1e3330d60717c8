"""Sigma rules and correlation rules as statements whose rows are findings (detector/sql/columns.py).

A correlation (specification 2.1, correlation rules) counts over a window that ends at each matching event: events,
distinct values of a field, or distinct rules. What it has counted most is how strict it could be and still fire: that
is its knob. What reached half of it, is told as a near miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.rule import SigmaRule

from detector.sigma.matching import Matching, matching
from detector.sigma.terms import Parameters
from detector.sql.query import BAR

SPAN = "span"
TEMPORAL = "TEMPORAL"
MEASURES: Mapping[str, str] = {
    "EVENT_COUNT": "count(*)",
    "VALUE_COUNT": "count(DISTINCT counted)",
    TEMPORAL: "count(DISTINCT rule)",
}
#: A rule's level as a finding's severity and score; no probability, an order.
LEVELS: Mapping[str, tuple[str, float]] = {
    "INFORMATIONAL": ("informational", 0.2),
    "LOW": ("low", 0.4),
    "MEDIUM": ("medium", 0.6),
    "HIGH": ("high", 0.8),
    "CRITICAL": ("high", 1.0),
}
_PLAIN = """WITH matched AS ({relation})
SELECT device, uid, package, {peer} AS peer,
  min(began) AS first_seen, max(known) AS last_seen, min(known) AS decided_at,
  {score} AS score, {alert} AS alert, {severity} AS severity, count(*) AS events,
  {title} || ': ' || count(*) || ' events' AS text
FROM matched GROUP BY device, uid, package{group}"""
_COUNTED = """WITH matched AS ({relation}),
counted AS (SELECT *, {measure} OVER seen AS measure, min(began) OVER seen AS since FROM matched
  WINDOW seen AS (PARTITION BY {keys} ORDER BY known RANGE BETWEEN $span PRECEDING AND CURRENT ROW)),
judged AS (SELECT *, measure >= $bar AS fires FROM counted)
SELECT device,
  CASE WHEN count(uid) = count(*) AND min(uid) = max(uid) THEN min(uid) END AS uid,
  CASE WHEN count(package) = count(*) AND min(package) = max(package) THEN min(package) END AS package,
  {peer} AS peer,
  coalesce(min(since) FILTER (fires), arg_max(since, measure)) AS first_seen,
  coalesce(max(known) FILTER (fires), arg_max(known, measure)) AS last_seen,
  coalesce(min(known) FILTER (fires), arg_max(known, measure)) AS decided_at,
  max(measure) / (max(measure) + $bar) AS score,
  max(measure) >= $bar AS alert,
  CASE WHEN max(measure) >= $bar THEN {severity} ELSE 'informational' END AS severity,
  {title} || ': ' || max(measure) || {unit} AS text,
  max(measure) AS {name}
FROM judged GROUP BY {groups}
HAVING max(measure) >= {least}"""


@dataclass(frozen=True)
class Statement:
    """A rule in SQL, its parameters, the knob's column where it has one, and the tables it must have or may use."""

    text: str
    parameters: Parameters
    measure: str | None
    tables: tuple[str, ...]
    optional: tuple[str, ...]


def plain(rule: SigmaRule, analytic: str) -> Statement:
    """A rule that fires at every matching event: a finding per device, app and destination."""
    parameters = Parameters()
    one = matching(rule, parameters)
    severity, score = LEVELS[rule.level.name if rule.level else "MEDIUM"]
    relayed = analytic == "AN1702"
    text = _PLAIN.format(
        relation=one.relation({}),
        peer="NULL" if relayed else "peer",
        group="" if relayed else ", peer",
        score=parameters.add(score),
        alert=parameters.add(severity != "informational"),
        severity=parameters.add(severity),
        title=parameters.add(rule.title or "rule"),
    )
    return Statement(text, parameters, None, *_tables([one]))


def correlation(rule: SigmaCorrelationRule, analytic: str) -> Statement:
    """A correlation rule: a finding per group and device; ValueError for what is not supported, with what is."""
    kind, condition = rule.type.name, rule.condition
    if kind not in MEASURES:
        raise ValueError(f"correlation type: found {kind.lower()}, expected {', '.join(MEASURES).lower()}")
    if not isinstance(condition, SigmaCorrelationCondition):
        raise ValueError(f"correlation condition: found '{condition.to_dict()}', expected gte or gt with a number")  # noqa: TRY004 - a rule's fault
    rules = [reference.rule for reference in rule.rules or ()]
    if any(isinstance(one, SigmaCorrelationRule) for one in rules):
        raise ValueError("correlation rules: found a correlation of correlations, expected rules with a detection")
    if not rule.group_by:
        raise ValueError("correlation: found no group-by, expected fields such as device and package")
    parameters = Parameters({BAR: _bar(rule, condition), SPAN: rule.timespan.seconds * 1_000_000})
    parts = [matching(one, parameters) for one in rules if isinstance(one, SigmaRule)]
    fields = _counted(condition) if rule.type is SigmaCorrelationType.VALUE_COUNT else []
    relation = " UNION ALL ".join(
        f"SELECT *, {number} AS rule{_value(fields)} FROM ({one.relation(_asked(rule, one, fields))})"  # noqa: S608 - no text of a rule
        for number, one in enumerate(parts)
    )
    keys = [f"g{number}" for number in range(len(rule.group_by))]
    severity = LEVELS[rule.level.name if rule.level else "MEDIUM"][0]
    text = _COUNTED.format(
        relation=relation,
        measure=MEASURES[kind],
        keys=", ".join(keys),
        groups=", ".join([*keys, "device"]),
        peer="NULL" if analytic == "AN1702" else "mode(peer)",
        severity=parameters.add(severity),
        title=parameters.add(rule.title or "rule"),
        unit=parameters.add(f" within {rule.timespan.spec}"),
        name=kind.lower(),
        least="$bar" if kind == TEMPORAL else "$bar / 2",
    )
    return Statement(text, parameters, None if kind == TEMPORAL else kind.lower(), *_tables(parts))


def _bar(rule: SigmaCorrelationRule, condition: SigmaCorrelationCondition) -> float:
    """How much must be counted at least."""
    if rule.type is SigmaCorrelationType.TEMPORAL:
        return len({reference.reference for reference in rule.rules or ()})
    more = {SigmaCorrelationConditionOperator.GTE: 0, SigmaCorrelationConditionOperator.GT: 1}.get(condition.op)
    if more is None or condition.count + more < 1:
        found = f"{condition.op.name.lower()} {condition.count}"
        raise ValueError(f"correlation condition: found {found}, expected gte or gt of 1 or more: few have no moment")
    return condition.count + more


def _counted(condition: SigmaCorrelationCondition) -> list[str]:
    said = condition.fieldref
    return [said] if isinstance(said, str) else list(said or ())


def _value(fields: Iterable[str]) -> str:
    marks = [f"n{number}" for number, _ in enumerate(fields)]
    return (
        f", concat_ws(chr(31), {', '.join(marks)}) AS counted"
        if len(marks) > 1
        else "".join(f", {mark} AS counted" for mark in marks)
    )


def _asked(rule: SigmaCorrelationRule, one: Matching, fields: Iterable[str]) -> dict[str, str]:
    """Aliases of the fields to group by and to count, as this rule calls them."""
    named = {f"g{number}": name for number, name in enumerate(rule.group_by or ())}
    named |= {f"n{number}": name for number, name in enumerate(fields)}
    return {mark: _called(rule, one.rule, name) for mark, name in named.items()}


def _called(rule: SigmaCorrelationRule, base: SigmaRule, name: str) -> str:
    """The field that an alias stands for in a rule, or the name itself."""
    alias = rule.aliases.aliases.get(name)
    if alias is None:
        return name
    for reference, field in alias.mapping.items():
        if reference.reference in (base.name, str(base.id)):
            return field
    raise ValueError(
        f"correlation aliases: {name}: found nothing for the rule '{base.name or base.title}', expected a field"
    )


def _tables(parts: Iterable[Matching]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    needed = sorted({name for one in parts for name in one.tables})
    optional = {name for one in parts for name in one.source.optional} - set(needed)
    return tuple(needed), tuple(sorted(optional))
