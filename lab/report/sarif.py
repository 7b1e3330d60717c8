"""A scorecard as SARIF 2.1.0: a result for each incident, detector and view, and for each false alarm. Pure.

Detected is ``pass``, missed ``fail``, unseen and unsupported ``notApplicable``, a failed trial ``open``; only ``fail``
has a level. A result points at the detector's rules, since those are what is to be changed. ATT&CK is a taxonomy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.report.attack import ANALYTICS, ATTACK_VERSION, WEB, Technique, technique_of
from lab.report.cases import Again, Case, cells, stray
from lab.report.escaping import sarif_text
from lab.report.words import plain
from lab.score import refusal

Row = Mapping[str, Any]
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
TAXONOMY = "MITRE ATT&CK Mobile"
KINDS = {"detected": "pass", "missed": "fail", "unseen": "notApplicable", "unsupported": "notApplicable"}
#: The rules of a result, by the end of their ids: what it is called, what it says, and the level where it fails.
RULES = {
    "incident": ("IncidentDetected", "An incident in the recording is detected.", "error"),
    "false-alarm": ("NoFalseAlarm", "Nothing but an incident is alerted on.", "warning"),
}
TRIAL = ("trial", "TrialScored", "Every trial ends with a score.", "error")


@dataclass(frozen=True)
class RuleFile:
    """Where a detector's rules stand: URI reference, the base it is relative to (empty: none), first line if known."""

    uri: str
    base: str = ""
    line: int = 0


Places = Mapping[tuple[str, str], RuleFile]  # by detector and analytic


def sarif(card: Row, found: Sequence[Case], again: Again, places: Places, before: Sequence[Row] = ()) -> bytes:
    """The log, UTF-8 JSON. ``before``: the results of a baseline; with any, each result says what became of it."""
    results = list(results_of(card, found, again, places))
    software = card["evidence"].get("software", {})
    run = {
        "tool": {"driver": _driver(str(software.get("droidrange", "unknown")))},
        "automationDetails": {"id": f"droidrange/{plain(card['suite'])}/"},
        "invocations": [_invocation(card, found)],
        "originalUriBaseIds": {
            "SRCROOT": {"description": {"text": "The directory droidrange was run in."}},
            "DROIDRANGE": {"description": {"text": "Where droidrange itself is installed."}},
        },
        "taxonomies": [_taxonomy()],
        "columnKind": "utf16CodeUnits",
        "results": _compared(results, before) if before else results,
        "properties": {
            "suite": plain(card["suite"]),
            "seeds": card["seeds"],
            "budget_per_device_day": card["budget_per_device_day"],
            "trials": dict(card["trials"]),
        },
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def results_of(card: Row, found: Sequence[Case], again: Again, places: Places) -> Iterator[dict[str, Any]]:
    """The results of a scorecard, in the order of its cases, then of its false alarms."""
    for case in found:
        yield _of_case(case, places)
    tested, twice = cells(card), dict[str, int]()
    for row in card["false_alarms"]:
        if (row["detector"], row["view"]) in tested:
            yield _of_alarm(row, again(row, card), places, twice)


def _of_case(case: Case, places: Places) -> dict[str, Any]:
    rule = f"{case.analytic}/incident" if case.analytic else TRIAL[0]
    kind = KINDS.get(case.status, "open")
    if not case.incident and case.status == "unsupported":
        kind = "notApplicable"
    lines = [f"{case.name}: {case.headline}", *case.told, f"Again: {case.command}"]
    about = {
        "status": case.status,
        **{name: getattr(case, name) for name in ("detector", "view", "scenario", "seed", "stage", "command")},
        **{name: case.row.get(name) for name in ("score", "time_to_detect_s", "contacts_to_detect") if case.row},
    }
    name = (rule, kind, case.detector, case.view, case.scenario, case.seed, case.stage, case.incident)
    return {**_result(rule, kind, lines, name), **_where(case, places), "properties": _plain(about)}


def _of_alarm(row: Row, command: str, places: Places, twice: dict[str, int]) -> dict[str, Any]:
    rule = f"{row['analytic']}/false-alarm"
    keys = ("detector", "view", "scenario", "seed", "stage")
    lines = [
        f"False alarm of {row['analytic']}: {stray(row)}, {row['kind']}, score {row['score']:.2f}",
        f"Again: {command}",
    ]
    about = {**{key: row[key] for key in (*keys, "score", "kind", "category")}, "status": "alarm", "command": command}
    name = (rule, "fail", *(row[key] for key in (*keys, "device", "package", "peer")))
    twice[repr(name)] = twice.get(repr(name), 0) + 1
    case = Case(
        "alarm",
        **{key: row[key] for key in keys},
        incident=stray(row),
        analytic=row["analytic"],
        behaviour="",
        why="",
        command=command,
    )
    made = _result(rule, "fail", lines, (*name, twice[repr(name)]))
    return {**made, **_where(case, places), "properties": _plain(about)}


def _result(rule: str, kind: str, lines: Sequence[str], name: Iterable[object]) -> dict[str, Any]:
    """What a result says; ``name`` is what it has in common with the same result of another run."""
    return {
        "ruleId": rule,
        "kind": kind,
        "level": RULES[rule.partition("/")[2]][2] if kind == "fail" else "none",
        "message": {"text": "\n".join(sarif_text(line) for line in lines)},
        "partialFingerprints": {"droidrange/v1": hashlib.sha256(json.dumps([*name]).encode()).hexdigest()},
    }


def _where(case: Case, places: Places) -> dict[str, Any]:
    """Where the rules stand, what in the recording it is about, and its techniques."""
    logical = plain(f"{case.scenario}/seed-{case.seed}/{case.incident}")
    place: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": logical, "kind": "object"}]}
    if at := _rules(case, places):
        file = {"uri": at.uri, **({"uriBaseId": at.base} if at.base else {})}
        region = {"region": {"startLine": at.line}} if at.line else {}
        place["physicalLocation"] = {"artifactLocation": file, **region}
    taxa = [_reference(one) for one in technique_of(case.analytic, case.behaviour)]
    return {"locations": [place], **({"taxa": taxa} if taxa else {})}


def _rules(case: Case, places: Places) -> RuleFile | None:
    """The detector's rules for the analytic; of a trial without a score, which has none, the detector's file."""
    any_of_it = (RuleFile(at.uri, at.base) for (name, _), at in places.items() if name == case.detector)
    return places.get((case.detector, case.analytic)) or next(any_of_it, None)


def _plain(about: Row) -> dict[str, Any]:
    return {key: plain(value) if isinstance(value, str) else value for key, value in about.items()}


def _compared(results: Sequence[dict[str, Any]], before: Sequence[Row]) -> list[dict[str, Any]]:
    """Each result with what it is against the baseline; what is only there follows as absent."""
    old = {_print(row): row for row in before}
    told = []
    for row in results:
        was = old.pop(_print(row), None)
        state = "new" if was is None else "unchanged" if was["message"] == row["message"] else "updated"
        told.append({**row, "baselineState": state})
    return [*told, *({**row, "baselineState": "absent"} for row in old.values())]


def _print(row: Row) -> str:
    found: str = row["partialFingerprints"]["droidrange/v1"]
    return found


def _driver(version: str) -> dict[str, Any]:
    rules = [
        _rule(f"{analytic}/{end}", *RULES[end], about=about) for analytic, about in ANALYTICS.items() for end in RULES
    ]
    return {
        "name": "droidrange",
        "version": version,
        "rules": [*rules, _rule(*TRIAL)],
        "supportedTaxonomies": [{"name": TAXONOMY, "index": 0}],
    }


def _rule(ident: str, name: str, says: str, level: str, about: Technique | None = None) -> dict[str, Any]:
    told = {"text": says}
    made: dict[str, Any] = {"id": ident, "name": name, "shortDescription": told, "fullDescription": told}
    made["help"] = {"text": f"{says} Each result ends with the command that plays its recording again."}
    made["defaultConfiguration"] = {"level": level}
    if about:
        made["helpUri"] = about.page
        made["relationships"] = [{"target": _reference(about), "kinds": ["relevant"]}]
        made["properties"] = {"tags": [about.analytic, about.strategy, about.technique]}
    return made


def _reference(one: Technique) -> dict[str, Any]:
    return {"id": one.technique, "toolComponent": {"name": TAXONOMY, "index": 0}}


def _taxonomy() -> dict[str, Any]:
    return {
        "name": TAXONOMY,
        "version": ATTACK_VERSION,
        "organization": "The MITRE Corporation",
        "shortDescription": {"text": "Techniques of adversaries against mobile devices."},
        "informationUri": "https://attack.mitre.org/matrices/mobile/",
        "isComprehensive": False,
        "taxa": [{"id": one.technique, "name": one.name, "helpUri": one.page} for one in (*ANALYTICS.values(), WEB)],
    }


def _invocation(card: Row, found: Sequence[Case]) -> dict[str, Any]:
    stop = refusal(card)
    told = [stop] if stop else []
    told += [f"{case.name}, seed {case.seed}: failed: {case.why}" for case in found if case.status == "failed"]
    notes = [{"level": "error", "message": {"text": sarif_text(text)}} for text in told]
    return {"executionSuccessful": not told, "toolExecutionNotifications": notes}
