"""The published schema: it is what the models say, it holds for real scorecards, and for nothing with a key more."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
from typer.testing import CliRunner

from detector.contract import ANALYTICS, SCHEMA_VERSION
from lab.cli import app
from lab.gate.accepting import accept
from lab.gate.faults import VERDICTS
from lab.gate.specimen import card_of, specimen
from lab.score import LISTED_AT_MOST, TrialResult
from lab.scoring.card import Analytic, Card, Incident, schema, text
from lab.truth import Background

FILE = Path(__file__).parents[3] / "docs/scorecard.schema.json"
SOFTWARE = {"droidrange": "0", "python": "3", "attack": "19.1"}


def faults(card):
    found = jsonschema.Draft202012Validator(json.loads(FILE.read_text())).iter_errors(card)
    return [f"{'/'.join(map(str, one.absolute_path))}: {one.message}" for one in found]


def made(trials):
    card = card_of(trials)
    card["evidence"]["software"] = SOFTWARE
    return card


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A scorecard that was played, learned for, and scored under two views."""
    out = tmp_path_factory.mktemp("run")
    words = ["run", "smoke-poll", "--stage", "flows", "--view", "full", "--view", "dns-only", "--devices", "2"]
    answer = CliRunner().invoke(app, [*words, "--learn", "6h", "-o", str(out), "--json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_the_file_is_what_the_models_say():
    assert json.loads(FILE.read_text()) == json.loads(text()), (
        "write it anew: .venv/bin/python -m lab.scoring.card > docs/scorecard.schema.json"
    )
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_real_scorecard_holds(real):
    assert faults(real) == []
    assert {"devices", "learn_s"} <= real.keys()
    Card.model_validate(real)


def test_failed_unsupported_and_unheld_trials_hold():
    trials: list[TrialResult] = specimen()
    trials[0] = replace(trials[0], status="failed", findings=(), truth=None, reason="lost")
    trials[1] = replace(trials[1], status="unsupported", findings=(), reason="no sockets")
    trials[2] = replace(trials[2], judged=("AN1793",), findings=trials[2].findings[:1], held_out=True)
    assert faults(made(trials)) == []
    assert faults(made([replace(one, status="failed", findings=()) for one in trials])) == []


def test_an_accepted_baseline_holds(tmp_path):
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(made(specimen())))
    for reason in ("first release", "second release"):
        accept(path, reason, tmp_path / "baseline.json")
    assert faults(json.loads((tmp_path / "baseline.json").read_text())) == []


def test_no_object_of_the_schema_is_open():
    kinds = [schema(), *schema()["$defs"].values()]
    assert len(kinds) > 20
    assert all(one["additionalProperties"] is False for one in kinds)


PLACES = [(), ("evidence",), ("trials",), ("incidents", 0), ("false_alarms", 0), ("judgements", 0), ("played", 0)]
CELL = ("detectors", "builtin", "views", "full")
PLACES += [CELL, (*CELL, "analytics", "AN1793"), (*CELL, "analytics", "AN1793", "by_behaviour", "http-poll")]


@pytest.mark.parametrize("place", PLACES)
def test_a_key_that_the_schema_does_not_name_is_a_fault(real, place):
    content = json.loads(json.dumps(real))
    there = content
    for step in place:
        there = there[step]
    there["a_newcomer"] = 1
    assert ["a_newcomer" in fault for fault in faults(content)] == [True]


@pytest.mark.parametrize(
    ("key", "value"),
    [("schema_version", 2), ("seeds", 0), ("trials", {}), ("suite", None), ("budget_per_device_day", -1)],
)
def test_a_wrong_value_is_a_fault(real, key, value):
    assert faults({**real, key: value})


def test_words_are_those_of_the_code(real):
    assert set(get_args(Analytic)) == set(ANALYTICS)
    assert set(get_args(Incident.model_fields["verdict"].annotation)) == set(VERDICTS)
    assert schema()["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert str(LISTED_AT_MOST) in schema()["properties"]["false_alarms"]["description"]


def test_alerts_on_a_background_hold():
    trials: list[TrialResult] = specimen()
    found = next(place for place, one in enumerate(trials) if any(finding.alert for finding in one.findings))
    stranger = replace(trials[found].findings[0], device="192.168.7.23", alert=True)
    merged = replace(trials[found].truth, background=Background())
    trials[found] = replace(trials[found], findings=(*trials[found].findings, stranger), truth=merged)
    card = made(trials)
    assert sum(row["alerts"] for row in card["background"]) == 1
    assert faults(card) == []
    card["background"][0]["certain"] = False
    assert faults(card) != []
