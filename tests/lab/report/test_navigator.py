"""Layers of the Navigator. The schema is ours, a subset: what layers/spec/v4.5 requires (facts: formats, C.3)."""

import json

import jsonschema
import pytest

from lab.report.navigator import layer

PAIRS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "additionalProperties": False,
        "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
    },
}
COLOR = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
TECHNIQUE = {
    "type": "object",
    "required": ["techniqueID"],
    "additionalProperties": False,
    "properties": {
        "techniqueID": {"type": "string", "pattern": r"^T\d{4}(\.\d{3})?$"},
        "tactic": {"type": "string"},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
        "color": COLOR,
        "comment": {"type": "string"},
        "enabled": {"type": "boolean"},
        "metadata": PAIRS,
        "links": {"type": "array", "items": {"type": "object", "required": ["label", "url"]}},
        "showSubtechniques": {"type": "boolean"},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["name", "versions", "domain"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "versions": {
            "type": "object",
            "required": ["attack", "navigator", "layer"],
            "properties": {"attack": {"pattern": r"^\d+$"}, "navigator": {"type": "string"}, "layer": {"const": "4.5"}},
        },
        "domain": {"enum": ["mobile-attack"]},
        "description": {"type": "string"},
        "filters": {"type": "object", "properties": {"platforms": {"items": {"enum": ["Android", "iOS"]}}}},
        "sorting": {"enum": [0, 1, 2, 3]},
        "techniques": {"type": "array", "items": TECHNIQUE},
        "gradient": {
            "type": "object",
            "required": ["colors", "minValue", "maxValue"],
            "properties": {"colors": {"items": COLOR}, "minValue": {"const": 0}, "maxValue": {"const": 1}},
        },
        "legendItems": {"type": "array", "items": {"required": ["label", "color"], "properties": {"color": COLOR}}},
        "metadata": PAIRS,
        "showTacticRowBackground": {"type": "boolean"},
        "selectTechniquesAcrossTactics": {"type": "boolean"},
        "selectSubtechniquesWithParent": {"type": "boolean"},
        "expandedSubtechniques": {"enum": ["none", "all", "annotated"]},
    },
}
CELL = ("specimen", "full")


def read(card, cell=CELL):
    return json.loads(layer(card, cell))


def techniques(card):
    return {one["techniqueID"]: one for one in read(card)["techniques"]}


def test_a_layer_is_what_the_format_asks_for(exports):
    for card in (exports.card(), exports.clean()):
        jsonschema.validate(read(card), SCHEMA)


@pytest.mark.parametrize(("key", "value"), [("domain", "enterprise-attack"), ("colour", "red"), ("name", None)])
def test_a_breach_is_found(exports, key, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**read(exports.clean()), key: value}, SCHEMA)


def test_the_score_is_recall_at_the_budget(exports):
    card = exports.card()
    found = card["detectors"]["specimen"]["views"]["full"]["analytics"]["AN1793"]
    one = techniques(card)["T1437"]
    assert one["score"] == found["recall_at_budget"] != found["recall"]
    told = {pair["name"]: pair["value"] for pair in one["metadata"]}
    assert (told["analytic"], told["detection strategy"]) == ("AN1793", "DET0685")
    assert told["recall"] == "78 % of 9"
    assert told["recall 95 %"] == "45 to 94 %"
    assert told["false alarms per device-day"] == "0.0556"


def test_web_protocols_has_a_recall_and_no_score(exports):
    one = techniques(exports.clean())["T1437.001"]
    assert "score" not in one
    assert {"name": "recall", "value": "100 % of 12"} in one["metadata"]


def test_what_was_not_judged_has_no_score(exports):
    card = exports.clean()
    cell = card["detectors"]["specimen"]["views"]["full"]["analytics"]
    cell["AN1702"]["trials"]["scored"], cell["AN1702"]["recall_at_budget"] = 0, None
    assert techniques(card)["T1604"]["comment"] == "measured: cannot judge"
    del cell["AN1793"]
    assert "score" not in techniques(card)["T1437"]
    assert "T1437.001" not in techniques(card)


def test_hostile_text_stays_text(exports):
    for text in exports.texts:
        found = read(exports.card(text), ("specimen" + text, "full"))
        jsonschema.validate(found, SCHEMA)
        assert "\x1b" not in json.dumps(found, ensure_ascii=False)
