"""SARIF 2.1.0. The schema is ours, a subset: what the standard requires of what we write (facts: formats, C.3)."""

import json
from dataclasses import replace

import jsonschema
import pytest

from lab.report.sarif import RuleFile, results_of, sarif

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
REFERENCE = {
    "type": "object",
    "required": ["id", "toolComponent"],
    "properties": {"id": {"enum": ["T1437", "T1437.001", "T1604"]}},
}
PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "properties": {
        "artifactLocation": {"required": ["uri"], "properties": {"uri": {"type": "string", "format": "uri-reference"}}},
        "region": {"required": ["startLine"], "properties": {"startLine": {"type": "integer", "minimum": 1}}},
    },
}
RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "kind", "level", "partialFingerprints", "locations"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "kind": {"enum": ["pass", "fail", "review", "open", "informational", "notApplicable"]},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "baselineState": {"enum": ["new", "unchanged", "updated", "absent"]},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "locations": {"type": "array", "items": {"type": "object", "properties": {"physicalLocation": PHYSICAL}}},
        "taxa": {"type": "array", "minItems": 1, "uniqueItems": True, "items": REFERENCE},
        "properties": {"type": "object"},
    },
    "if": {"properties": {"kind": {"const": "fail"}}},
    "else": {"properties": {"level": {"const": "none"}}},  # 3.27.10
}
DRIVER = {
    "type": "object",
    "required": ["name", "rules"],
    "properties": {"rules": {"type": "array", "uniqueItems": True, "items": {"type": "object", "required": ["id"]}}},
}
RUN = {
    "type": "object",
    "required": ["tool", "results", "taxonomies", "invocations"],
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": DRIVER}},
        "results": {"type": "array", "items": RESULT},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"]}},
        "taxonomies": {"type": "array", "items": {"required": ["name", "taxa"]}},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {"version": {"const": "2.1.0"}, "runs": {"type": "array", "minItems": 1, "items": RUN}},
}
PLACES = {
    ("specimen", "AN1793"): RuleFile("rules/mine%20too.toml", "SRCROOT", 12),
    ("specimen", "AN1702"): RuleFile("x"),
}


def log(exports, card, before=None):
    old = list(results_of(before, exports.cases(before), exports.again, PLACES)) if before else []
    return json.loads(sarif(card, exports.cases(card), exports.again, PLACES, old))


def results(exports, card, before=None):
    return log(exports, card, before)["runs"][0]["results"]


def test_the_log_is_what_the_standard_asks_for(exports):
    for card in (exports.card(), exports.clean()):
        jsonschema.validate(log(exports, card), SCHEMA)
    jsonschema.validate(log(exports, exports.card(), exports.clean()), SCHEMA)


def test_every_rule_of_a_result_is_defined_and_every_print_is_one(exports):
    run = log(exports, exports.card())["runs"][0]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {one["ruleId"] for one in run["results"]} == rules - {"AN1702/false-alarm"}
    prints = [one["partialFingerprints"]["droidrange/v1"] for one in run["results"]]
    assert len(set(prints)) == len(prints)
    taxa = {one["id"] for one in run["taxonomies"][0]["taxa"]}
    assert {one["id"] for result in run["results"] for one in result.get("taxa", ())} == taxa


@pytest.mark.parametrize(
    "change", [{"level": "error", "kind": "pass"}, {"kind": "lost"}, {"message": {}}, {"colour": 1}]
)
def test_a_breach_is_found(exports, change):
    made = log(exports, exports.card())
    made["runs"][0]["results"][0] |= change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(made, SCHEMA)


def test_kinds_and_levels(exports):
    found = results(exports, exports.card())
    kinds = [(one["properties"]["status"], one["kind"], one["level"]) for one in found]
    assert {one: kinds.count(one) for one in dict.fromkeys(kinds)} == {
        ("missed", "fail", "error"): 2,
        ("failed", "open", "none"): 3,
        ("unsupported", "notApplicable", "none"): 3,
        ("detected", "pass", "none"): 13,
        ("unseen", "notApplicable", "none"): 2,
        ("alarm", "fail", "warning"): 1,
    }


def test_a_result_points_at_the_rules_and_at_the_recording(exports):
    missed = results(exports, exports.card())[0]
    where = missed["locations"][0]
    assert where["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/mine%20too.toml", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 12},
    }
    told = where["logicalLocations"][0]["fullyQualifiedName"]
    assert told == "specimen-00/seed-1/phone-01/com.example.torch/http-poll"
    assert [one["id"] for one in missed["taxa"]] == ["T1437", "T1437.001"]
    assert "Again: droidrange run specimen-00 " in missed["message"]["text"]


def test_failed_trials_are_notifications(exports):
    whole = log(exports, exports.card())["runs"][0]["invocations"][0]
    assert whole["executionSuccessful"] is False
    assert whole["toolExecutionNotifications"][0]["message"]["text"].startswith("This run is no evidence")
    assert len(whole["toolExecutionNotifications"]) == 4
    clean = log(exports, exports.clean())["runs"][0]["invocations"][0]
    assert clean == {"executionSuccessful": True, "toolExecutionNotifications": []}


def test_against_a_baseline(exports):
    states = [
        (one["properties"]["status"], one["baselineState"]) for one in results(exports, exports.card(), exports.clean())
    ]
    counts = {one: states.count(one) for one in dict.fromkeys(states)}
    assert counts[("missed", "new")] == 2
    assert counts[("alarm", "new")] == 1
    assert counts[("detected", "unchanged")] == 13
    assert counts[("detected", "absent")] == 24 - 13
    same = results(exports, exports.card(), exports.card())
    assert {one["baselineState"] for one in same} == {"unchanged"}


def test_what_is_detected_later_is_updated(exports):
    later = exports.clean()
    later["incidents"][0]["time_to_detect_s"] += 7200
    states = [one["baselineState"] for one in results(exports, later, exports.clean())]
    assert (states.count("updated"), states.count("unchanged")) == (1, 23)


def test_two_alarms_of_one_app_are_two(exports):
    card = exports.card()
    card["false_alarms"] *= 2
    alarms = [one for one in results(exports, card) if one["properties"]["status"] == "alarm"]
    assert len({one["partialFingerprints"]["droidrange/v1"] for one in alarms}) == 2


def test_hostile_text_is_no_link_and_no_control(exports):
    for text in exports.texts:
        card = exports.card(text)
        made = json.loads(sarif(card, exports.cases(card), exports.again, {}))
        jsonschema.validate(made, SCHEMA)
        told = [one["message"]["text"] for one in made["runs"][0]["results"]]
        assert not any("](" in one or "{0}" in one for one in told)
        assert all(char.isprintable() or char == "\n" for one in told for char in one)


def test_every_result_of_a_detector_with_a_rule_file_has_a_place_in_it(exports):
    """GitHub refuses the whole file for one result without a physical location; some failed trials have no analytic."""
    card = exports.card()
    nameless = [replace(one, analytic="") for one in exports.cases(card) if one.status == "failed"]
    found = results_of({**card, "false_alarms": []}, nameless, exports.again, PLACES)
    places = [one["locations"][0]["physicalLocation"] for one in found]
    assert places == [{"artifactLocation": {"uri": "rules/mine%20too.toml", "uriBaseId": "SRCROOT"}}] * len(nameless)
    assert places


def test_every_rule_has_the_help_that_github_asks_for(exports):
    rules = log(exports, exports.clean())["runs"][0]["tool"]["driver"]["rules"]
    assert all(one["help"]["text"].startswith(one["shortDescription"]["text"]) for one in rules)
