"""Runs over a stage and detectors made for the purpose: what ends how, what is on disk, what is never a pass."""

import json

import pytest

from detector.contract import Unsupported
from lab.errors import EvidenceError, ScenarioError
from lab.recording import tool_versions
from lab.running import trial
from lab.running.run import load_run, read_run, score_folder
from lab.running.trial import run_suite
from lab.score import CONTROLS

EACH = 1 + len(CONTROLS)  # trials of a case: the detector under test and the controls
NOTHING = dict.fromkeys(CONTROLS, 0)


def crashing(_telemetry):
    yield from ()
    raise ZeroDivisionError("by 0")


def refusing(_telemetry):
    raise Unsupported("no flows here")


def statuses(rows):
    return {(row["detector"], row["view"]): row["status"] for row in rows}


def test_a_run_from_nothing_to_a_scorecard(lab, tmp_path):
    rows = lab.run(lab.plan(seeds=(1, 2)), tmp_path)
    assert [row["status"] for row in rows] == ["scored"] * 2 * EACH
    card = score_folder(tmp_path).to_json()
    assert card["trials"] == {"scored": 2 * EACH, "unsupported": 0, "failed": 0}
    cells = {name: whole["views"]["full"]["analytics"]["AN1793"] for name, whole in card["detectors"].items()}
    assert {name: cell["recall"] for name, cell in cells.items()} == {**NOTHING, "always": 1.0, "builtin": 1.0}
    assert {name: cell["false_alarms"] for name, cell in cells.items()} == {**NOTHING, "always": 2, "builtin": 0}
    assert cells["builtin"]["contacts_to_detect"] == {"p50": 1, "p90": 1, "n": 2}
    assert cells["builtin"]["device_days"] == 4.0
    assert json.loads((tmp_path / "scorecard.json").read_text()) == card
    assert "com.example.torch" in (tmp_path / "report.html").read_text()


def test_two_runs_leave_the_same_bytes(lab, tmp_path):
    for name in ("a", "b"):
        lab.run(lab.plan(), tmp_path / name)
        score_folder(tmp_path / name)
    for name in ("run.json", "scorecard.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_reasons_are_asked_for_unless_nobody_wants_them(lab, tmp_path):
    asked = []
    told = lab.fake(lambda _telemetry: [])
    told.explain = lambda _telemetry, about: asked.append(about)
    lab.detectors["tells"] = told
    lab.run(lab.plan(detectors=("tells",), explained=False), tmp_path / "bare")
    assert asked == []
    lab.run(lab.plan(detectors=("tells",)), tmp_path / "whole")
    assert len(asked) == 1


def test_a_crash_is_a_failed_trial_and_nothing_else_changes(lab, tmp_path):
    lab.run(lab.plan(), tmp_path / "well")
    lab.detectors["crash"] = lab.fake(crashing)
    rows = lab.run(lab.plan(detectors=("crash", "builtin")), tmp_path / "ill")
    assert statuses(rows)["crash", "full"] == "failed"
    assert "ZeroDivisionError: by 0 (test_trial.py, line" in rows[0]["reason"]
    well, ill = score_folder(tmp_path / "well"), score_folder(tmp_path / "ill")
    assert ill.trials == {"scored": EACH, "unsupported": 0, "failed": 1}
    assert ill.detectors["builtin"] == well.detectors["builtin"]
    assert ill.detectors["crash"]["views"]["full"]["analytics"] == {}
    assert well.refusal is None
    assert f"1 of {EACH + 1} trials failed" in ill.refusal


def test_unsupported_is_not_failed(lab, tmp_path):
    lab.detectors["refuse"] = lab.fake(refusing)
    lab.detectors["needy"] = lab.fake(lambda _: [], needs=("exchanges",))
    rows = lab.run(lab.plan(detectors=("refuse", "needy")), tmp_path)
    assert {row["reason"] for row in rows if row["status"] == "unsupported"} == {
        "no flows here",
        "view full has no table exchanges, which fake needs",
    }
    assert (
        score_folder(tmp_path).refusal == "This run is no evidence for needy, refuse: not one trial of it was scored."
    )


def test_what_would_end_every_play_is_said_once_and_no_trial_is_held(lab, tmp_path, monkeypatch):
    def ready(stage, **wishes):
        raise LookupError(f"2 labs are up on {stage}; choose one with --lab, not {wishes}")

    monkeypatch.setattr(trial, "ready", ready)
    with pytest.raises(LookupError, match=r"2 labs are up on wire; choose one with --lab, not \{'real_tls': True\}"):
        lab.run(lab.plan(wishes={"real_tls": True}), tmp_path)
    assert lab.played == []
    assert list(tmp_path.iterdir()) == []


def test_a_stage_that_fails_fails_all_its_trials_only(lab, tmp_path):
    rows = lab.run(lab.plan(lab.scenario("broken"), lab.scenario()), tmp_path)
    assert [row["status"] for row in rows] == ["failed"] * EACH + ["scored"] * EACH
    assert rows[0]["reason"].startswith("recording: StageError: cannot be played")
    assert f"{EACH} of {2 * EACH} trials failed" in score_folder(tmp_path).refusal


def test_packets_that_vanish_fail_the_trial(lab, tmp_path):
    lab.packets = 0
    rows = lab.run(lab.plan(), tmp_path)
    assert {row["status"] for row in rows} == {"failed"}
    assert "read 0 packets, 1 were written" in rows[0]["reason"]


def test_a_nonsense_finding_fails_the_trial(lab, make, tmp_path):
    lab.detectors["odd"] = lab.fake(lambda _: [make.finding(severity="critical")])
    rows = lab.run(lab.plan(detectors=("odd", "builtin")), tmp_path)
    assert (rows[0]["status"], rows[1]["status"]) == ("failed", "scored")
    assert "severity: found 'critical', expected one of informational, low, medium, high" in rows[0]["reason"]


def test_findings_survive_the_file(lab, make, tmp_path):
    odd = make.finding(package="com.\u2028x\x85\n", peer="a b", uid=None)
    lab.detectors["sql:a/../b"] = lab.fake(lambda _: [odd])
    lab.run(lab.plan(detectors=("sql:a/../b",)), tmp_path)
    (loaded,) = [one for one in load_run(tmp_path) if one.detector == "sql:a/../b"]
    assert loaded.findings == (odd,)
    assert [path.parent.parent.parent.name for path in tmp_path.rglob("full.jsonl")] == ["findings"] * EACH


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("trial.sources_sha256", lambda: "other code"),
        ("sources.tool_versions", lambda: {**tool_versions(), "h11": "9"}),
    ],
)
def test_recordings_are_used_again_until_code_or_a_tool_differs(lab, tmp_path, monkeypatch, name, other):
    lab.run(lab.plan(), tmp_path)
    lab.run(lab.plan(), tmp_path)
    assert len(lab.played) == 1
    monkeypatch.setattr(f"lab.running.{name}", other)
    with pytest.raises(FileExistsError):  # this stage refuses to replace: it was asked to play again
        lab.write(tmp_path / "recordings/polling-plain-s1", None, None, 1)
    lab.run(lab.plan(), tmp_path)
    assert len(lab.played) == 2


def test_a_damaged_recording_is_not_used_again(lab, tmp_path):
    lab.run(lab.plan(), tmp_path)
    (tmp_path / "recordings/polling-plain-s1/telemetry/capture.pcap").write_bytes(lab.pcap[:-1])
    lab.run(lab.plan(), tmp_path)
    assert len(lab.played) == 2


def test_a_misspelt_name_stops_before_anything_is_played(lab, tmp_path):
    with pytest.raises(LookupError, match="unknown detector 'biultin'"):
        lab.run(lab.plan(detectors=("biultin",)), tmp_path)
    with pytest.raises(LookupError, match="unknown stage 'wier'"):
        lab.run(lab.plan(stage="wier"), tmp_path)
    with pytest.raises(ScenarioError, match="nothing to run"):
        lab.run(lab.plan(seeds=()), tmp_path)
    assert lab.played == []


def test_progress_counts_cases(lab, tmp_path):
    told = []
    run_suite(lab.plan(seeds=(1, 2)), tmp_path, workers=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_an_interrupt_is_not_a_status(lab, tmp_path):
    def interrupted(_telemetry):
        raise KeyboardInterrupt

    score_folder_before = lab.run(lab.plan(), tmp_path) and score_folder(tmp_path)
    lab.detectors["builtin"] = lab.fake(interrupted)
    with pytest.raises(KeyboardInterrupt):
        lab.run(lab.plan(), tmp_path)
    assert score_folder_before.refusal is None
    assert not (tmp_path / "scorecard.json").exists()
    with pytest.raises(EvidenceError, match="never finished"):
        read_run(tmp_path)


def test_a_scenario_named_twice_stops_before_anything_is_played(lab, tmp_path):
    lab.run(lab.plan(), tmp_path)
    with pytest.raises(ScenarioError, match="polling-plain-s1 is named twice"):
        lab.run(lab.plan(lab.scenario(), lab.scenario("other"), lab.scenario()), tmp_path)
    with pytest.raises(ScenarioError, match="polling-plain-s2 is named twice"):
        lab.run(lab.plan(seeds=(2, 2)), tmp_path)
    assert (len(lab.played), len(read_run(tmp_path)["trials"])) == (1, EACH)  # the run that was there stands
