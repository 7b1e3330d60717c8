"""A run on disk is proved before it is judged: the same run, damaged in every part, is no evidence."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.errors import EvidenceError
from lab.gate.evidence import read_card


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "smoke"
    answer = ask("run", "smoke", "-o", folder)
    assert answer.exit_code == 0, answer.stderr
    return folder


@pytest.fixture
def run(played, tmp_path):
    shutil.copytree(played, tmp_path / "run")
    return tmp_path / "run"


def first(run, pattern):
    return min(run.glob(pattern))


def truncated(run):
    path = first(run, "recordings/*/telemetry/capture.pcap")
    path.write_bytes(path.read_bytes()[:-1000])


def cut_short(run):
    path = first(run, "findings/*/builtin/full.jsonl")
    path.write_bytes(path.read_bytes() + b"{}\n")


def incomplete(run):
    path = first(run, "recordings/*/recording.json")
    path.write_text(path.read_text().replace('"complete": true', '"complete": false'))


def polished(run):
    path = run / "scorecard.json"
    path.write_text(
        path.read_text()
        .replace('"missed"', '"detected"')
        .replace('"budget_per_device_day": 0.001', '"budget_per_device_day": 9')
    )


def older(run):
    path = run / "run.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 0'))


DAMAGE = {
    "a truncated capture": truncated,
    "findings that changed": cut_short,
    "a recording not complete": incomplete,
    "a scorecard edited by hand": polished,
    "a run of another version": older,
    "a recording gone": lambda run: shutil.rmtree(first(run, "recordings/smoke*")),
    "findings gone": lambda run: first(run, "findings/*/builtin/full.jsonl").unlink(),
    "no run.json": lambda run: (run / "run.json").unlink(),
    "no scorecard": lambda run: (run / "scorecard.json").unlink(),
    "a truth changed": lambda run: first(run, "recordings/*/truth/incidents.parquet").write_bytes(b"PAR1"),
}


def test_a_whole_run_is_read_from_its_files(run):
    assert read_card(run) == json.loads((run / "scorecard.json").read_text())
    assert read_card(run / "scorecard.json") == read_card(run)


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_run_is_no_evidence(run, kind):
    assert ask("gate", run, "-t", "false_alarms <= 1000").exit_code == 0
    DAMAGE[kind](run)
    answer = ask("gate", run, "-t", "false_alarms <= 1000")
    assert answer.exit_code == 3, answer.output
    assert "error: " in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_faults_are_told(run):
    path = run / "scorecard.json"
    path.write_text('{"schema_version": 7}')
    with pytest.raises(EvidenceError, match="found schema_version 7, expected 1"):
        read_card(path)
    path.write_text('{"schema_version": NaN}')
    with pytest.raises(EvidenceError, match="found NaN, which is no number"):
        read_card(path)


def test_a_failed_trial_stops_the_gate(run):
    content = json.loads((run / "run.json").read_text())
    row = next(one for one in content["trials"] if one["detector"] == "builtin")
    row.update(status="failed", reason="boom", judged=[], findings_sha256=None)
    (run / "run.json").write_text(json.dumps(content))
    assert ask("score", run).exit_code == 3
    answer = ask("gate", run, "-t", "false_alarms <= 1000")
    assert (answer.exit_code, "1 of 10 trials failed" in answer.stderr) == (3, True)
