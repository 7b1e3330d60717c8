"""Runs over a stage and detectors made for the purpose: what ends how, what is on disk, what is never a pass."""

import dataclasses
import json
import struct
from types import SimpleNamespace

import pyarrow as pa
import pytest

from detector.contract import Telemetry, Unsupported
from lab.errors import EvidenceError, ScenarioError, StageError
from lab.recording import seal, tool_versions, write_parquet
from lab.running import look, trial
from lab.running.run import load_run, read_run, score_folder
from lab.running.trial import Plan, attempt, run_suite
from lab.score import CONTROLS
from lab.truth import write_truth

PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1, 0, 4, 4) + b"abcd"
PACKAGES = {"device": ["phone-01"], "uid": [10101], "package": ["com.example.torch"], "category": ["tools"]}
EACH = 1 + len(CONTROLS)  # trials of a case: the detector under test and the controls
NOTHING = dict.fromkeys(CONTROLS, 0)
PACKAGES |= {"sanctioned": [False], "roles": [[]]}


@dataclasses.dataclass
class Fake:
    """A detector that does what its function does."""

    look: object
    name: str = "fake"
    version: str = "7"
    needs: tuple = ()

    def detect(self, telemetry):
        return self.look(telemetry)


def crashing(_telemetry):
    yield from ()
    raise ZeroDivisionError("by 0")


def refusing(_telemetry):
    raise Unsupported("no flows here")


def write_recording(folder, truth, scenario, seed):
    (folder / "telemetry").mkdir(parents=True)
    (folder / "truth").mkdir()
    (folder / "telemetry/capture.pcap").write_bytes(PCAP)
    write_parquet(folder / "telemetry/packages.parquet", pa.table(PACKAGES))
    write_truth(truth, folder / "truth")
    spoken = {
        "incident": [i.incident for i in truth.incidents] + [None],
        "behaviour": [i.behaviour for i in truth.incidents] + ["web-browsing"],
        "start": [truth.start for _ in truth.incidents] + [0],
        "end": [truth.start for _ in truth.incidents] + [0],
    }
    write_parquet(folder / "truth/flows.parquet", pa.table(spoken))
    about = {
        "scenario": scenario.name,
        "scenario_sha256": scenario.sha256,
        "twin_of": "",
        "seed": seed,
        "stage": "wire",
    }
    seal(folder, {**about, "start": truth.start, "span_s": truth.span / 1e6, "speed": 1.0})


@pytest.fixture
def lab(make, monkeypatch):
    """A lab whose stage writes tiny recordings; ``lab.detectors`` may be added to, ``lab.played`` counts."""
    finding = make.finding(decided_at=make.START + make.HOUR)
    loud = [finding, make.finding(package="com.example.news")]
    state = SimpleNamespace(
        played=[],
        packets=1,
        truth=None,
        detectors={
            **{name: Fake(lambda _: []) for name in CONTROLS},
            "always": Fake(lambda _: loud),
            "builtin": Fake(lambda _: [finding]),
        },
    )

    def record(_stage, scenario, seed, folder, **_options):
        state.played.append((scenario.name, seed))
        if scenario.name == "broken":
            raise StageError("cannot be played")
        one = make.incident(contacts=1)
        write_recording(folder, state.truth or make.truth(one, contacts={one.incident: (one.start,)}), scenario, seed)

    def named(name):
        if name not in state.detectors:
            raise LookupError(f"unknown detector '{name}'")
        return state.detectors[name]

    def views(name):
        return lambda telemetry: dataclasses.replace(telemetry, view=name)

    monkeypatch.setattr(trial, "record", record)
    monkeypatch.setattr(trial, "stage_names", lambda: ["wire"])
    for module in (trial, look):
        monkeypatch.setattr(module, "detector_named", named)
        monkeypatch.setattr(module, "view_named", views)
    monkeypatch.setattr(trial, "open_telemetry", lambda _path: Telemetry({}, (0, 1), packets=state.packets))
    return state


def scenario(name="polling-plain"):
    return SimpleNamespace(name=name, sha256="0" * 64)


def plan(*scenarios, **changes):
    return Plan("core", scenarios or (scenario(),), **{"seeds": (1,), **changes})


def statuses(rows):
    return {(row["detector"], row["view"]): row["status"] for row in rows}


def run(plan, folder):
    return run_suite(plan, folder, workers=1)


def test_a_run_from_nothing_to_a_scorecard(lab, tmp_path):
    rows = run(plan(seeds=(1, 2)), tmp_path)
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
        run(plan(), tmp_path / name)
        score_folder(tmp_path / name)
    for name in ("run.json", "scorecard.json", "report.html"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_crash_is_a_failed_trial_and_nothing_else_changes(lab, tmp_path):
    run(plan(), tmp_path / "well")
    lab.detectors["crash"] = Fake(crashing)
    rows = run(plan(detectors=("crash", "builtin")), tmp_path / "ill")
    assert statuses(rows)["crash", "full"] == "failed"
    assert "ZeroDivisionError: by 0 (test_trial.py, line" in rows[0]["reason"]
    well, ill = score_folder(tmp_path / "well"), score_folder(tmp_path / "ill")
    assert ill.trials == {"scored": EACH, "unsupported": 0, "failed": 1}
    assert ill.detectors["builtin"] == well.detectors["builtin"]
    assert ill.detectors["crash"]["views"]["full"]["analytics"] == {}
    assert well.refusal is None
    assert f"1 of {EACH + 1} trials failed" in ill.refusal


def test_unsupported_is_not_failed(lab, tmp_path):
    lab.detectors["refuse"] = Fake(refusing)
    lab.detectors["needy"] = Fake(lambda _: [], needs=("exchanges",))
    rows = run(plan(detectors=("refuse", "needy")), tmp_path)
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
        run(plan(wishes={"real_tls": True}), tmp_path)
    assert lab.played == []
    assert list(tmp_path.iterdir()) == []


def test_a_stage_that_fails_fails_all_its_trials_only(lab, tmp_path):
    rows = run(plan(scenario("broken"), scenario()), tmp_path)
    assert [row["status"] for row in rows] == ["failed"] * EACH + ["scored"] * EACH
    assert rows[0]["reason"].startswith("recording: StageError: cannot be played")
    assert f"{EACH} of {2 * EACH} trials failed" in score_folder(tmp_path).refusal


def test_packets_that_vanish_fail_the_trial(lab, tmp_path):
    lab.packets = 0
    rows = run(plan(), tmp_path)
    assert {row["status"] for row in rows} == {"failed"}
    assert "read 0 packets, 1 were written" in rows[0]["reason"]


def test_a_nonsense_finding_fails_the_trial(lab, make, tmp_path):
    lab.detectors["odd"] = Fake(lambda _: [make.finding(severity="critical")])
    rows = run(plan(detectors=("odd", "builtin")), tmp_path)
    assert (rows[0]["status"], rows[1]["status"]) == ("failed", "scored")
    assert "severity: found 'critical', expected one of informational, low, medium, high" in rows[0]["reason"]


def test_findings_survive_the_file(lab, make, tmp_path):
    odd = make.finding(package="com.\u2028x\x85\n", peer="a b", uid=None)
    lab.detectors["sql:a/../b"] = Fake(lambda _: [odd])
    run(plan(detectors=("sql:a/../b",)), tmp_path)
    (loaded,) = [one for one in load_run(tmp_path) if one.detector == "sql:a/../b"]
    assert loaded.findings == (odd,)
    assert [path.parent.parent.parent.name for path in tmp_path.rglob("full.jsonl")] == ["findings"] * EACH


@pytest.mark.parametrize(
    ("name", "other"),
    [("_sources_sha256", lambda: "other code"), ("tool_versions", lambda: {**tool_versions(), "h11": "9"})],
)
def test_recordings_are_used_again_until_code_or_a_tool_differs(lab, tmp_path, monkeypatch, name, other):
    run(plan(), tmp_path)
    run(plan(), tmp_path)
    assert len(lab.played) == 1
    monkeypatch.setattr(trial, name, other)
    with pytest.raises(FileExistsError):  # this stage refuses to replace: it was asked to play again
        write_recording(tmp_path / "recordings/polling-plain-s1", None, None, 1)
    run(plan(), tmp_path)
    assert len(lab.played) == 2


def test_a_damaged_recording_is_not_used_again(lab, tmp_path):
    run(plan(), tmp_path)
    (tmp_path / "recordings/polling-plain-s1/telemetry/capture.pcap").write_bytes(PCAP[:-1])
    run(plan(), tmp_path)
    assert len(lab.played) == 2


def test_a_misspelt_name_stops_before_anything_is_played(lab, tmp_path):
    with pytest.raises(LookupError, match="unknown detector 'biultin'"):
        run(plan(detectors=("biultin",)), tmp_path)
    with pytest.raises(LookupError, match="unknown stage 'wier'"):
        run(plan(stage="wier"), tmp_path)
    with pytest.raises(ScenarioError, match="nothing to run"):
        run(plan(seeds=()), tmp_path)
    assert lab.played == []


def test_progress_counts_cases(lab, tmp_path):
    told = []
    run_suite(plan(seeds=(1, 2)), tmp_path, workers=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_an_interrupt_is_not_a_status(lab, tmp_path):
    def interrupted(_telemetry):
        raise KeyboardInterrupt

    score_folder_before = run(plan(), tmp_path) and score_folder(tmp_path)
    lab.detectors["builtin"] = Fake(interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(plan(), tmp_path)
    assert score_folder_before.refusal is None
    assert not (tmp_path / "scorecard.json").exists()
    with pytest.raises(EvidenceError, match="never finished"):
        read_run(tmp_path)


def test_an_attempt_keeps_its_reason_short():
    def fail():
        raise ValueError("x" * 10_000)

    assert len(attempt(fail).reason) == trial.REASON_AT_MOST


def test_what_a_detector_cannot_judge_is_left_out(lab, make, tmp_path):
    both = make.truth(
        make.incident(contacts=0), make.incident(incident="r", analytic="AN1702", behaviour="socks-relay")
    )
    lab.truth = both
    lab.detectors["partial"] = Fake(lambda _: [make.finding()])
    lab.detectors["partial"].judges = lambda telemetry: ("AN1793",) if telemetry.view == "full" else ()
    rows = run(plan(detectors=("partial", "builtin"), views=("full", "dns-only")), tmp_path)
    told = {(row["detector"], row["view"]): row["judged"] for row in read_run(tmp_path)["trials"]}
    assert told["partial", "full"] == ["AN1793"]
    assert told["builtin", "full"] == ["AN1793", "AN1702"]
    assert told["partial", "dns-only"] == []
    assert statuses(rows)["partial", "dns-only"] == "unsupported"
    card = score_folder(tmp_path).to_json()
    judged = card["detectors"]["partial"]["views"]["full"]["analytics"]
    assert judged["AN1793"]["recall"] == 1.0
    assert (judged["AN1702"]["recall"], judged["AN1702"]["false_alarms"]) == (None, None)
    whole = card["detectors"]["builtin"]["views"]["full"]["analytics"]["AN1702"]  # the control: who judges, misses
    assert (whole["recall"], whole["false_alarms"]) == (0.0, 0)
    spots = {(one["detector"], one["view"], one["analytic"]): one["why"] for one in card["blind_spots"]}
    assert (spots["partial", "full", "AN1702"], spots["builtin", "full", "AN1702"]) == ("unsupported", "unseen")
    assert "cannot judge" in (tmp_path / "report.html").read_text()


def test_a_finding_of_what_it_does_not_judge_fails_the_trial(lab, make, tmp_path):
    lab.detectors["odd"] = Fake(lambda _: [make.finding(analytic="AN1702", peer=None)])
    lab.detectors["odd"].judges = lambda _telemetry: ("AN1793",)
    rows = run(plan(detectors=("odd",)), tmp_path)
    assert rows[0]["status"] == "failed"
    assert "found AN1702, but the detector judges AN1793 here" in rows[0]["reason"]


def test_a_scenario_named_twice_stops_before_anything_is_played(lab, tmp_path):
    run(plan(), tmp_path)
    with pytest.raises(ScenarioError, match="polling-plain-s1 is named twice"):
        run(plan(scenario(), scenario("other"), scenario()), tmp_path)
    with pytest.raises(ScenarioError, match="polling-plain-s2 is named twice"):
        run(plan(seeds=(2, 2)), tmp_path)
    assert (len(lab.played), len(read_run(tmp_path)["trials"])) == (1, EACH)  # the run that was there stands
