"""The command line of replay: plans, refusals, virtual time, and reports that are JSON alone."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import lab.replay
from lab.cli import app
from lab.cli_replay import report_in_words
from lab.errors import ScenarioError
from lab.replay import Report
from lab.replaying import conversing
from lab.replaying.interfaces import Interface
from lab.replaying.lateness import lateness
from lab.stages.wire import play

INCIDENT = "phone-01/com.example.torchlight/http-poll"


def ask(*words):
    return CliRunner().invoke(app, ["replay", *(str(word) for word in words)])


@pytest.fixture
def recorded(tiny, tmp_path):
    return play(tiny, tmp_path / "tiny")


def test_a_dry_run_says_what_would_go_where_and_sends_nothing(recorded, monkeypatch):
    monkeypatch.setattr(lab.replay, "replay", lambda *_: pytest.fail("sent"))
    answer = ask(recorded, "--dry-run", "--map", "phone-01=10.50.0.1")
    assert answer.exit_code == 0
    assert "10.88.3.4 as 10.50.0.1" in answer.stdout
    assert "nothing was sent" in answer.stdout
    told = json.loads(ask(recorded, "--dry-run", "--json").stdout)
    assert (told["dry_run"], told["interfaces"]) == (True, [])


def test_a_dry_run_refuses_what_a_replay_would(recorded, monkeypatch):
    def refuse(*_):
        raise ScenarioError(["--interface eth0: the default route leaves through it"])

    monkeypatch.setattr(lab.replay, "permitted", refuse)
    answer = ask(recorded, "--dry-run", "-i", "eth0")
    assert answer.exit_code == 2
    assert "default route" in answer.stderr


def test_a_dry_run_of_both_ends_names_and_checks_the_other_one(recorded, monkeypatch):
    asked = []

    def permitted(specs, *_):
        asked.extend(specs)
        return [Interface(specs[0], "", "", "", 1500, True, "", "", False, False, 0)]

    monkeypatch.setattr(conversing, "permitted", permitted)
    monkeypatch.setattr(conversing, "far_end", lambda near: f"space/{near.name}")
    told = json.loads(ask(recorded, "--dry-run", "--json", "--respond", "-i", "dr-wire0").stdout)
    assert told["interfaces"] == asked == ["dr-wire0", "space/dr-wire0"]
    monkeypatch.setattr(conversing, "far_end", lambda _near: None)
    answer = ask(recorded, "--dry-run", "--respond", "-i", "dr-wire0")
    assert answer.exit_code == 2
    assert "expected --peer" in answer.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected --interface"),
        (["--detector", "builtin", "-i", "x"], "without a wire"),
        (["--respond", "--dry-run"], "expected --interface"),
        (["--dry-run", "--only", "nobody"], "expected an incident"),
        (["--dry-run", "--map", "nobody=1.2.3.4"], "expected devices"),
        (["--dry-run", "--speed", "0"], "speed"),
        (["--dry-run", "--loop", "0"], "loop"),
    ],
)
def test_what_cannot_be_is_exit_2(recorded, words, said):
    answer = ask(recorded, *words)
    assert answer.exit_code == 2
    assert said in answer.stderr


def test_a_damaged_recording_is_exit_3(recorded):
    capture = recorded / "telemetry/capture.pcap"
    capture.write_bytes(capture.read_bytes()[:-1])
    assert ask(recorded, "--dry-run").exit_code == 3


def test_virtual_time_keeps_a_capture_and_asks_detectors(recorded, tmp_path):
    out = tmp_path / "replay.pcap"
    told = json.loads(ask(recorded, "--out", out, "--json").stdout)
    assert told["capture"] == str(out)
    assert out.read_bytes() == (recorded / "telemetry/capture.pcap").read_bytes()
    answer = ask(recorded, "--detector", "always", "--json")
    assert answer.exit_code == 0
    findings = [json.loads(line) for line in answer.stdout.splitlines()]
    assert findings
    assert {one["detector"] for one in findings} == {"always"}


@pytest.mark.parametrize("respond", [False, True])
def test_a_report_is_json_alone_and_a_frame_that_did_not_leave_is_exit_3(recorded, monkeypatch, respond):
    asked = {}

    def sent(planned, wires, owned, _advance):
        asked.update(wires=wires, owned=owned)
        return Report(
            planned=len(planned.due),
            sent=len(planned.due) - asked.get("lost", 0),
            counted={"dr-wire0": asked.get("counted", 999)},
        )

    monkeypatch.setattr(conversing if respond else lab.replay, "converse" if respond else "replay", sent)
    words = [recorded, "-i", "dr-wire0", "--peer", "dr-wire2", "--i-own-this-network", "x", *["--respond"] * respond]
    answer = ask(*words, "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["counted"] == {"dr-wire0": 999}
    assert {key: asked[key] for key in ("wires", "owned")} == {"wires": ["dr-wire0", "dr-wire2"], "owned": ["x"]}
    asked["counted"] = 1
    answer = ask(*words)
    assert answer.exit_code == 3
    assert "dropped" in answer.stderr
    asked["lost"] = 2
    answer = ask(*words)
    assert answer.exit_code == 3
    assert "2 of" in answer.stderr


def test_a_report_tells_lateness_in_words():
    import numpy as np

    report = Report(
        planned=2, sent=2, counted={"dr-wire0": 2}, lateness=lateness(np.array([0, 10**9]), np.array([0, 10**9]))
    )
    text = "\n".join(report_in_words(report.to_json()))
    assert "sent 2 of 2 frames, 0 failed" in text
    assert "drift      0.000 ms" in text
