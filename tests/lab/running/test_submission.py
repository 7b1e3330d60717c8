"""Findings made elsewhere: whose they are, under which view, and beside which controls."""

import json

import pytest

from detector.contract import Failed, open_telemetry, rfc3339
from lab.errors import EvidenceError
from lab.recording import open_recording
from lab.running.submission import score_findings
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.score import CONTROLS
from lab.stages import play


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submission") / "rec"
    play("wire", compile_scenario(load_scenario(find_scenario("smoke-poll")), 7), folder)
    return folder


@pytest.fixture
def hit(make, recording):
    """A finding that names the recording's incident, with whatever is changed."""
    truth = open_recording(recording).truth()
    incident = truth.incidents[0]
    known = {"device": incident.device, "uid": incident.uid, "package": incident.package, "peer": incident.peers[0]}
    known |= {"first_seen": incident.start, "decided_at": incident.end, "last_seen": incident.end, "detector": "mine"}
    return lambda **changes: make.finding(**{**known, **changes})


def written(path, *findings):
    path.write_text("".join(json.dumps(finding.to_json()) + "\n" for finding in findings))
    return path


def cells(card, analytic="AN1793", view="full"):
    return {name: whole["views"][view]["analytics"][analytic] for name, whole in card.to_json()["detectors"].items()}


def test_findings_are_scored_beside_the_controls(recording, hit, tmp_path):
    found = cells(score_findings(recording, written(tmp_path / "f", hit())))
    assert set(found) == {"mine", *CONTROLS}
    assert [found[name]["recall"] for name in ("mine", "always", "silent")] == [1.0, 1.0, 0.0]
    assert found["always"]["false_alarms"] > found["mine"]["false_alarms"] == 0


def test_the_view_decides_what_may_be_left_unsaid(recording, hit, tmp_path):
    path = written(tmp_path / "f", hit(uid=None, package=None, peer="198.18.0.0", analytic="AN1793"))
    nobody = written(tmp_path / "g", hit(uid=None, package=None, device=_address(recording, hit)))
    assert cells(score_findings(recording, path))["mine"]["recall"] == 0.0
    card = score_findings(recording, nobody, view="no-app")
    assert cells(card, view="no-app")["mine"]["recall"] == 1.0
    always = [row for row in card.to_json()["false_alarms"] if row["detector"] == "always"]
    assert always
    assert {row["package"] for row in always} == {None}  # the control saw through the same view


def _address(recording, hit):
    return open_recording(recording).truth().devices[hit().device]


def test_an_empty_file_is_silence_and_not_nobody(recording, tmp_path):
    found = cells(score_findings(recording, written(tmp_path / "f")))
    assert set(found) == {"findings", *CONTROLS}
    assert (found["findings"]["recall"], found["findings"]["false_alarms"]) == (0.0, 0)
    named = cells(score_findings(recording, tmp_path / "f", detectors=("zeek", "rita")))
    assert set(named) == {"rita", "zeek", *CONTROLS}
    assert named["zeek"]["recall"] == 0.0


def test_a_silent_one_stands_beside_one_that_spoke(recording, hit, tmp_path):
    found = cells(score_findings(recording, written(tmp_path / "f", hit()), detectors=("zeek",)))
    assert (found["mine"]["recall"], found["zeek"]["recall"]) == (1.0, 0.0)


def test_nobody_speaks_for_a_control(recording, hit, tmp_path):
    found = cells(score_findings(recording, written(tmp_path / "f", hit(detector="silent"), hit())))
    assert found["silent"]["recall"] == 0.0


def test_partial_findings_are_refused(recording, hit, tmp_path):
    path = written(tmp_path / "f", hit(), hit(partial=True))
    with pytest.raises(EvidenceError, match="1 of 2 findings are marked partial"):
        score_findings(recording, path)


def test_an_unknown_view_is_refused(recording, tmp_path):
    with pytest.raises(LookupError, match="unknown view 'nosni'"):
        score_findings(recording, written(tmp_path / "f"), view="nosni")


def test_findings_about_what_is_held_out_are_marked(recording, hit, tmp_path, monkeypatch):
    findings = written(tmp_path / "f.jsonl", hit())
    assert score_findings(recording, findings).to_json()["held_out"] == []
    monkeypatch.setattr("lab.running.submission.held_out", lambda: frozenset({"smoke-poll"}))
    card = score_findings(recording, findings).to_json()
    assert card["held_out"] == ["smoke-poll"]
    assert all(row["held_out"] for row in card["incidents"])


def eve(recording, incident, **alert):
    """An EVE alert about the first flow of an incident's app."""
    telemetry = open_telemetry(recording / "telemetry")
    rows = telemetry["flows"].to_pylist()
    row = next(one for one in rows if one["package"] == incident.package and one["name"] in incident.peers)
    return {
        "timestamp": rfc3339(row["start"]).replace("Z", "+0000"),
        "event_type": "alert",
        "src_ip": row["server"],
        "src_port": row["server_port"],
        "dest_ip": row["client"],
        "dest_port": row["client_port"],
        "proto": row["proto"].upper(),
        "alert": {"signature_id": 7, "signature": "polls", "severity": 1, **alert},
    }


def test_alerts_of_another_tool_are_scored_beside_the_controls(recording, tmp_path):
    incident = open_recording(recording).truth().incidents[0]
    path = tmp_path / "eve.json"
    row = eve(recording, incident, metadata={"mitre_technique_id": ["T1437"]})
    path.write_text('\n{"event_type": "stats", "timestamp": "x"}\n' + json.dumps(row) + "\n")
    found = cells(score_findings(recording, path))
    assert set(found) == {"findings", *CONTROLS}
    assert (found["findings"]["recall"], found["findings"]["false_alarms"]) == (1.0, 0)
    named = cells(score_findings(recording, path, detectors=("siem", "zeek")))
    assert (named["siem"]["recall"], named["zeek"]["recall"]) == (1.0, 0.0)


def test_what_an_alert_does_not_say_stands_behind_the_name(recording, tmp_path):
    incident = open_recording(recording).truth().incidents[0]
    path = tmp_path / "eve.json"
    path.write_text(json.dumps(eve(recording, incident)))
    with pytest.raises(Failed, match=r'sid 7 "polls": found no technique'):
        score_findings(recording, path)
    card = score_findings(recording, tmp_path / "eve.json?analytic=AN1793")
    assert cells(card)["findings"]["recall"] == 1.0
    assert cells(card, analytic="AN1702")["findings"]["trials"]["scored"] == 0, "it was said to judge nothing else"


def test_a_file_about_another_recording_is_no_evidence(recording, tmp_path):
    path = tmp_path / "rita.csv"
    path.write_text("Severity,Source IP,FQDN,Beacon Score\nHigh,203.0.113.5,nowhere.example,90%\n")
    with pytest.raises(Failed, match="about another recording"):
        score_findings(recording, path)
