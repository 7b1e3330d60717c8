"""Evidence that is none: each of these exits 3 from the command line, never 0 and never 1."""

import json

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.gate.faults import faults

LINES = ("recall >= 0.5", "false_alarms <= 1000")


def cell(card):
    return card["detectors"]["specimen"]["views"]["full"]


def polling(card):
    return cell(card)["analytics"]["AN1793"]


def without(part):
    return lambda card: card.pop(part)


def put(place, value):
    """What sets a value deep inside: put(("trials", "failed"), 1)."""

    def change(card):
        found = card
        for step in place[:-1]:
            found = found[step]
        found[place[-1]] = value

    return change


def unsupported(card):
    """As if no trial had been supported: nothing was scored."""
    trials = {"scored": 0, "unsupported": card["trials"]["scored"], "failed": 0}
    card["trials"], cell(card)["trials"], cell(card)["analytics"] = trials, dict(trials), {}
    place = {"scenario": "specimen-00", "seed": 1, "stage": "flows", "view": "full", "detector": "specimen"}
    card["unscored"] = [{**place, "status": "unsupported", "reason": "no table"}] * trials["unsupported"]
    card["incidents"], card["judgements"] = [], []


def failed(card):
    card["trials"]["failed"] = cell(card)["trials"]["failed"] = 1
    card["unscored"] = [{"scenario": "x", "seed": 1, "status": "failed", "reason": "boom"}]


def empty(card):
    card.update(trials={"scored": 0, "unsupported": 0, "failed": 0}, detectors={}, incidents=[], judgements=[])


INCIDENT = ("incidents", 0)
SPOILT = {
    "empty suite": empty,
    "all unsupported": unsupported,
    "a trial failed": failed,
    "schema of another version": put(("schema_version",), 2),
    "no schema": without("schema_version"),
    "NaN score": put((*INCIDENT, "score"), float("nan")),
    "NaN recall": put(("detectors", "specimen", "views", "full", "analytics", "AN1793", "recall"), float("nan")),
    "infinite delay": put((*INCIDENT, "time_to_detect_s"), float("inf")),
    "NaN device-days": put(("judgements", 0, "device_days"), float("nan")),
    "no incidents part": without("incidents"),
    "no judgements part": without("judgements"),
    "no played part": without("played"),
    "no trials": without("trials"),
    "no budget": without("budget_per_device_day"),
    "no detectors": without("detectors"),
    "no evidence part": without("evidence"),
    "no software": put(("evidence", "software"), {}),
    "no recordings": put(("evidence", "recordings"), {}),
    "a recording without a hash": put(("evidence", "recordings", "specimen-00-s1"), None),
    "a scenario without a hash": lambda card: card["evidence"]["scenarios"].pop("specimen-03"),
    "rows cut off": lambda card: card["incidents"].pop(),
    "judgements cut off": lambda card: card["judgements"].pop(),
    "played cut off": lambda card: card["played"].pop(),
    "an incident twice": lambda card: card["incidents"].append(card["incidents"][0]),
    "a judgement twice": lambda card: card["judgements"].append(card["judgements"][0]),
    "a verdict made up": put((*INCIDENT, "verdict"), "found"),
    "a verdict polished": lambda card: polling(card).update(detected=13),
    "a miss without a trace": put((*INCIDENT, "verdict"), "missed"),
    "detected in no time": put((*INCIDENT, "time_to_detect_s"), None),
    "detected before time": put((*INCIDENT, "time_to_detect_s"), -1.0),
    "alarms below nothing": put(("judgements", 0, "false_alarms"), -1),
    "alarms hidden": lambda card: polling(card).update(false_alarms=None),
    "half an alarm": put(("judgements", 0, "false_alarms"), 0.5),
    "days invented": lambda card: polling(card).update(device_days=9000.0),
    "a summary lost": lambda card: cell(card)["analytics"].pop("AN1793"),
    "trials do not add up": put(("trials", "scored"), 99),
    "unscored not told": put(("trials", "unsupported"), 1),
    "a list for an object": lambda card: card.update(detectors=[]),
    "text for a number": put(("judgements", 0, "device_days"), "two"),
    "nothing for a row": put((*INCIDENT,), None),
}
BYTES = {
    "truncated file": lambda text: text[: len(text) // 2],
    "empty file": lambda _: "",
    "no JSON": lambda _: "scorecard",
    "a list": lambda _: "[]",
    "nested beyond reading": lambda _: "[" * 100_000,
}


def run_gate(path, *more, lines=LINES):
    asked = [word for line in lines for word in ("-t", line)]
    return CliRunner().invoke(app, ["gate", str(path), *asked, *more])


@pytest.fixture
def stored(gates, tmp_path):
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(gates.card(gates.trials())))
    return path


def test_the_whole_one_is_held(stored, gates):
    assert faults(gates.card(gates.trials())) == []
    assert run_gate(stored).exit_code == 0, run_gate(stored).output
    assert run_gate(stored, lines=["false_alarms <= 0", "recall >= 1"]).exit_code == 0
    assert run_gate(stored, lines=["time_to_detect_p90 <= 1s"]).exit_code == 1


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_scorecard_is_no_evidence(stored, kind):
    card = json.loads(stored.read_text())
    SPOILT[kind](card)
    stored.write_text(json.dumps(card))
    result = run_gate(stored)
    assert result.exit_code == 3, result.output
    assert faults(card) != []
    whole = stored.with_name("whole.json")
    assert "Traceback" not in result.output
    whole.write_text(stored.read_text())
    assert run_gate(whole, "--baseline", str(stored)).exit_code == 3


def test_a_fault_says_where_it_is(gates):
    card = gates.card(gates.trials())
    card["incidents"][3]["score"] = float("inf")
    assert faults(card) == ["incidents[3].score: found inf, expected a number"]
    card["incidents"][3]["score"] = 0.9
    card["incidents"][3]["time_to_detect_s"] = -0.5
    assert len(faults(card)) == 1
    card["incidents"][3]["time_to_detect_s"] = 0.0
    assert faults(card) == []


def test_an_analytic_without_an_incident_has_none(gates):
    from dataclasses import replace

    polls = [
        replace(one, findings=one.findings[:1], truth=replace(one.truth, incidents=one.truth.incidents[:1]))
        for one in gates.trials()
    ]
    card = gates.card(polls)
    assert faults(card) == []
    cell(card)["analytics"]["AN1702"]["incidents"] = 1
    assert faults(card) == ["specimen full AN1702: incidents says 1, its rows say 0"]


@pytest.mark.parametrize("kind", BYTES)
def test_a_damaged_file_is_no_evidence(stored, kind):
    stored.write_text(BYTES[kind](stored.read_text()))
    result = run_gate(stored)
    assert result.exit_code == 3, result.output
    assert "Traceback" not in result.output


def test_what_is_not_there_is_no_evidence(stored, tmp_path):
    assert run_gate(tmp_path / "nothing.json").exit_code == 3
    assert run_gate(tmp_path).exit_code == 3  # a folder that is no run
    assert run_gate(stored, "--baseline", str(tmp_path / "nothing.json")).exit_code == 3


@pytest.mark.parametrize(
    "line",
    [
        "recall{period<=1s} >= 0.5",
        "recall{behaviour=dns-poll} >= 0.5",
        "recall{colour=red} >= 0.5",
        "recall{view=netflow} >= 0.5",
        "recall{view=full|netflow} >= 0.5",
        "recall{detector=rita} >= 0.5",
        "false_alarms{scenario=other} <= 1",
        "warn recall{period<=1s} >= 0.5",
        "off recall >= 0.5",
        "polling.pr_auc > controls",
        "time_to_detect_p90{scenario=other} <= 2h",
    ],
)
def test_a_threshold_that_measures_nothing_is_no_pass(stored, line):
    result = run_gate(stored, lines=[line])
    assert result.exit_code == 3, result.output
    assert "NO EVIDENCE" in result.output
