"""The process in which Sigma rules are read and turned into queries: their YAML and conditions may be hostile.

``python -I -m detector.sigma.compiling`` with {"files": [[name, text], ...], "analytic": given or null} as JSON on
stdin; the answer is {"faults": [...], "rules": [{"query": ..., "knob": name or null}, ...]}.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError, SigmaRegularExpressionError, SigmaRuleLocation
from sigma.rule import SigmaRule

from detector.rule_analytic import KEY, analytic_of
from detector.sigma.correlating import Statement, correlation, plain
from detector.sql.query import Query
from detector.sql.worker import checked

Rule = SigmaRule | SigmaCorrelationRule


def main() -> None:
    """Does the job on stdin."""
    job = json.load(sys.stdin)
    print(json.dumps(compiled([(name, text) for name, text in job["files"]], job["analytic"])))  # noqa: T201 - it answers there


def compiled(files: Sequence[tuple[str, str]], given: str | None) -> dict[str, Any]:
    """The queries of all rules that speak for themselves, or all faults of all files."""
    faults: list[str] = []
    rules = _read(files, faults)
    made: list[dict[str, Any]] = []
    for rule in _speaking(rules):
        where = _where(rule)
        try:
            statement, analytic = _statement(rule, given, where)
            query = _query(rule, statement, analytic)
        except (ValueError, LookupError, RecursionError) as fault:
            faults += [line if line.startswith(where) else f"{where}: {line}" for line in _said(fault).split("\n")]
            continue
        faults += [f"{where}: {fault}" for fault in query[1]]
        made.append({"query": query[0].to_json(), "knob": _slug(rule) if statement.measure else None})
    if not made and not faults:
        faults = [
            f"{files[0][0]}: found no rule that speaks for itself, expected one with a detection or a correlation"
        ]
    names = [each["query"]["rule"] for each in made]
    faults += [f"found two rules named '{name}', expected one" for name in sorted(set(names)) if names.count(name) > 1]
    return {"faults": faults, "rules": made}


def _read(files: Sequence[tuple[str, str]], faults: list[str]) -> list[Rule]:
    """All rules of all files, those that correlations refer to joined to them."""
    parts = []
    for name, text in files:
        place = SigmaRuleLocation(Path(name))
        try:
            part = SigmaCollection.from_yaml(text, source=place, collect_errors=True, resolve_references=False)
        except (yaml.YAMLError, SigmaError, RecursionError, AttributeError, TypeError, ValueError) as fault:
            faults.append(f"{name}: found no Sigma rule: {_said(fault)}")
            continue
        parts.append(part)
        faults += [f"{name}: {_said(fault)}{_hint(fault)}" for fault in part.errors]
    if faults:
        return []
    try:
        whole = SigmaCollection.merge(parts)
        whole.resolve_rule_references()
    except SigmaError as fault:
        where = fault.source.path if fault.source else files[0][0]
        faults.append(f"{where}: {_said(fault)}; a correlation finds rules of the same file or folder by name or id")
        return []
    return list(whole.rules)


def _speaking(rules: Sequence[Rule]) -> list[Rule]:
    """The rules that have findings of their own: a correlation speaks for those it refers to, unless it generates."""
    spoken = {
        id(reference.rule)
        for rule in rules
        if isinstance(rule, SigmaCorrelationRule) and not rule.generate
        for reference in rule.rules or ()
    }
    return [rule for rule in rules if id(rule) not in spoken]


def _statement(rule: Rule, given: str | None, where: str) -> tuple[Statement, str]:
    said = rule.custom_attributes.get(KEY)
    tags = [f"{tag.namespace}.{tag.name}" for tag in rule.tags]
    analytic = analytic_of(
        tags, said=None if said is None else str(said), given=given, rule=where, line="'tags: [attack.t1437]'"
    )
    return correlation(rule, analytic) if isinstance(rule, SigmaCorrelationRule) else plain(rule, analytic), analytic


def _query(rule: Rule, statement: Statement, analytic: str) -> tuple[Query, list[str]]:
    """The query, and what DuckDB has to say against it."""
    query = Query(_slug(rule), statement.text, analytic, statement.parameters.values, statement.measure)
    answer = checked(query)
    return replace(query, tables=tuple(answer["tables"]), optional=statement.optional), answer["faults"]


def _where(rule: Rule) -> str:
    return f"{rule.source.path if rule.source else '?'}: {_slug(rule)}"


def _slug(rule: Rule) -> str:
    """The rule's name, else its title in small letters and hyphens, else its id."""
    return rule.name or re.sub(r"[^a-z0-9]+", "-", (rule.title or "").lower()).strip("-") or str(rule.id)


def _hint(fault: SigmaError) -> str:
    known = isinstance(fault, SigmaRegularExpressionError)
    return "; expected an expression of RE2, which has no look-around and no back-reference" if known else ""


def _said(fault: BaseException) -> str:
    """What an exception says, without the path that pySigma adds."""
    if isinstance(fault, RecursionError):
        return "nested too deeply"
    text = str(fault.args[0]) if isinstance(fault, SigmaError) and fault.args else str(fault)
    return (
        "\n".join(" ".join(line.split()) for line in text.split("\n") if line.strip())
        if isinstance(fault, LookupError)
        else " ".join(text.split())
    )


if __name__ == "__main__":
    main()
