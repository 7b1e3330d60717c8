import json
import shutil
import struct
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.scenario import find_scenario
from lab.score import CONTROLS

ASK = CliRunner()


def ask(*words):
    return ASK.invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings") / "smoke-poll"
    answer = ask("record", "smoke-poll", "--seed", 7, "-o", folder)
    assert answer.exit_code == 0, answer.stderr
    return folder


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    answer = ask("run", "smoke", "--view", "full", "--view", "no-app", "-o", folder)
    assert answer.exit_code == 0, answer.stderr
    return folder


def test_help_is_fast_because_nothing_heavy_is_imported():
    code = "import sys, lab.cli; print(sorted({'numpy','pyarrow','scapy','pydantic','rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("command", ["run", "record", "detect", "inspect", "score", "report", "doctor", "scenario"])
def test_every_command_has_help(command):
    answer = ask(command, "--help")
    assert answer.exit_code == 0
    assert "--help" in answer.output


def test_the_version_is_printed():
    assert ask("--version").stdout.strip()


def test_the_same_seed_gives_the_same_recording(recording, tmp_path):
    first = ask("record", "smoke-poll", "--seed", 7, "-o", tmp_path / "again", "--json")
    other = ask("record", "smoke-poll", "--seed", 8, "-o", tmp_path / "other", "--json")
    digest = json.loads(first.stdout)["sha256"]
    assert digest != json.loads(other.stdout)["sha256"]
    names = sorted(str(path.relative_to(recording)) for path in recording.rglob("*") if path.is_file())
    assert all((tmp_path / "again" / name).read_bytes() == (recording / name).read_bytes() for name in names)
    assert "telemetry/capture.pcap" in names


@pytest.mark.parametrize(("stage", "left"), [("flows", ["loss"]), ("wire", None)])
def test_what_a_stage_does_not_play_is_said(stage, left, tmp_path):
    source = find_scenario("smoke-poll").read_text() + "\n[network]\nloss = 0.01\n"
    (tmp_path / "smoke-poll.toml").write_text(source)
    answer = ask("record", tmp_path / "smoke-poll.toml", "--stage", stage, "-o", tmp_path / "one", "--json")
    assert answer.exit_code == 0, answer.stderr
    manifest = json.loads((tmp_path / "one/recording.json").read_text())
    assert manifest.get("not_played") == left
    assert json.loads(answer.stdout).get("not_played") == left
    assert ("not played on stage flows: loss (one)" in answer.stderr) == (stage == "flows")


@pytest.mark.parametrize("words", [("run", "smoke"), ("scenario", "check", "smoke")])
def test_an_absurd_number_of_seeds_is_refused_at_once(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = ask(*words, "--seeds", 99_999_999_999)
    assert answer.exit_code == 2
    assert "--seeds: found 99,999,999,999, expected at most" in answer.stderr
    assert not list(tmp_path.iterdir())


def test_a_recording_is_not_overwritten_unasked(recording):
    again = ask("record", "smoke-poll", "--seed", 7, "-o", recording)
    assert again.exit_code in (2, 3)
    assert "--force" in again.stderr
    assert ask("record", "smoke-poll", "--seed", 7, "-o", recording, "--force").exit_code == 0


def test_detect_writes_a_file_that_score_reads(recording, tmp_path):
    findings = tmp_path / "findings.jsonl"
    assert ask("detect", recording, "-o", findings).exit_code == 0
    card = json.loads(ask("score", recording, "--findings", findings, "--json").stdout)
    assert card["detectors"]["builtin"]["views"]["full"]["analytics"]["AN1793"]["recall"] == 1.0


def test_score_takes_the_view_and_adds_the_controls(recording, tmp_path):
    findings = tmp_path / "findings.jsonl"
    assert ask("detect", recording, "--view", "no-app", "-o", findings).exit_code == 0
    blind = json.loads(ask("score", recording, "--findings", findings, "--view", "no-app", "--json").stdout)
    assert set(blind["detectors"]) == {"builtin", *CONTROLS}
    assert blind["detectors"]["builtin"]["views"]["no-app"]["analytics"]["AN1793"]["recall"] == 1.0
    assert blind["detectors"]["always"]["views"]["no-app"]["analytics"]["AN1793"]["false_alarms"] > 0
    nothing = tmp_path / "nothing.jsonl"
    nothing.write_text("")
    answer = ask("score", recording, "--findings", nothing, "--detector", "mine", "--json")
    assert set(json.loads(answer.stdout)["detectors"]) == {"mine", *CONTROLS}


def test_score_refuses_findings_from_partial_evidence(recording, tmp_path):
    findings = tmp_path / "findings.jsonl"
    assert ask("detect", recording, "-o", findings).exit_code == 0
    assert '"partial": false' in findings.read_text()
    findings.write_text(findings.read_text().replace('"partial": false', '"partial": true'))
    answer = ask("score", recording, "--findings", findings)
    assert (answer.exit_code, "marked partial" in answer.stderr) == (3, True)


def test_a_suite_that_names_a_scenario_twice_is_refused_before_it_is_played(tmp_path):
    suite = tmp_path / "twice.toml"
    suite.write_text('question = "Twice?"\nscenarios = ["smoke-poll", "smoke-checkin", "smoke-poll"]\n')
    answer = ask("run", suite, "-o", tmp_path / "out")
    assert (answer.exit_code, "'smoke-poll'" in answer.stderr) == (2, True), answer.stderr
    assert not (tmp_path / "out").exists()


def test_a_cut_capture_is_refused_with_its_place_and_read_on_request(recording, tmp_path):
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((recording / "telemetry" / "capture.pcap").read_bytes()[:100_000])
    refused = ask("detect", cut)
    assert refused.exit_code == 3
    assert "packet" in refused.stderr
    assert "byte" in refused.stderr
    assert "--allow-partial" in refused.stderr
    answer = ask("detect", cut, "--allow-partial", "--json", "--detector", "always")
    assert answer.exit_code == 0
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert rows
    assert all(row["partial"] for row in rows)


@pytest.mark.parametrize("damage", ["lost", "flipped"])
def test_findings_of_a_damaged_recording_are_marked(recording, tmp_path, damage):
    folder = tmp_path / "damaged"
    shutil.copytree(recording, folder)
    if damage == "lost":
        (folder / "telemetry" / "device_state.parquet").unlink()
    else:
        capture = bytearray((folder / "telemetry" / "capture.pcap").read_bytes())
        capture[-1] ^= 1
        (folder / "telemetry" / "capture.pcap").write_bytes(capture)
    assert ask("detect", folder).exit_code == 3
    rows = [json.loads(line) for line in ask("detect", folder, "--allow-partial", "--json").stdout.splitlines()]
    assert rows
    assert all(row["partial"] for row in rows)


def test_inspect_shows_the_apps(recording):
    seen = json.loads(ask("inspect", recording, "--json").stdout)
    assert seen["packets"] > 100
    assert any(row["package"] for row in seen["destinations"])
    assert ask("inspect", recording).exit_code == 0


def test_a_run_leaves_a_scorecard_and_a_report(run_dir):
    card = json.loads((run_dir / "scorecard.json").read_text())
    assert card["trials"]["failed"] == 0
    assert set(card["detectors"]) == {"builtin", *CONTROLS}
    assert set(card["detectors"]["builtin"]["views"]) == {"full", "no-app"}
    assert "<html" in (run_dir / "report.html").read_text()


def test_a_run_refuses_a_folder_of_something_else(recording):
    answer = ask("run", "smoke", "-o", recording)
    assert (answer.exit_code, "is no run" in answer.stderr) == (2, True)
    assert not (recording / "run.json").exists()


def test_a_scorecard_goes_where_it_is_asked_for(run_dir, tmp_path):
    assert ask("score", run_dir, "-o", tmp_path / "card.json").exit_code == 0
    assert (tmp_path / "card.json").read_bytes() == (run_dir / "scorecard.json").read_bytes()


def test_score_and_report_start_from_files(run_dir, tmp_path):
    before = (run_dir / "scorecard.json").read_bytes()
    assert json.loads(ask("score", run_dir, "--json").stdout) == json.loads(before)
    page = tmp_path / "page.html"
    assert ask("report", run_dir, "-o", page).exit_code == 0
    assert page.read_bytes() == (run_dir / "report.html").read_bytes()


def test_a_crashed_detector_is_no_pass(run_dir, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    shutil.copytree(run_dir, folder)
    content = json.loads((folder / "run.json").read_text())
    for row in content["trials"]:
        row["status"] = "failed"
        row["reason"] = "killed"
    (folder / "run.json").write_text(json.dumps(content))
    answer = ask("score", folder)
    assert answer.exit_code == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["record", "htps-poll-5m"], 2, "did you mean 'https-poll-5m'"),
        (["run", "cor"], 2, "core"),
        (["detect", "absent.pcap"], 2, "absent.pcap"),
        (["detect", "--detector", "bultin", __file__], 2, "did you mean 'builtin'"),
        (["detect", __file__], 3, "expected"),
        (["detect", "--exceptions", "absent.toml", __file__], 2, "no readable file"),
        (["record", "smoke-poll", "--stage", "wired"], 2, "wire"),
        (["score", "/"], 3, "run.json"),
        (["detect"], 2, "Missing argument"),
        (["run", "smoke", "-o", __file__], 2, "is a file, expected a folder"),
        (["run", "smoke", "-o", f"{__file__}/in"], 2, "test_cli.py is a file"),
        (["record", "smoke-poll", "-o", f"{__file__}/in"], 2, "test_cli.py is a file"),
        (["record", "smoke-poll", "-o", __file__], 2, "is a file, expected a folder"),
    ],
)
def test_wrong_words_are_answered_with_the_right_ones(words, code, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = ask(*words)
    assert (answer.exit_code, said in answer.stderr) == (code, True), answer.stderr


def test_an_empty_capture_has_no_finding(tmp_path):
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    answer = ask("detect", empty, "--json")
    assert (answer.exit_code, answer.stdout) == (0, "")


def test_doctor_finds_what_is_needed():
    answer = ask("doctor", "--json")
    assert answer.exit_code == 0
    assert all(check["ok"] for check in json.loads(answer.stdout)["checks"] if check["required"])
