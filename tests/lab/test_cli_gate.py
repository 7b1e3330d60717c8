"""The gate from the command line: exit codes, JSON, and commands that can be pasted."""

import json

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.gate.specimen import card_of, specimen


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(card_of(specimen())))
    return path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["-t", "recall >= 1"], 0),
        (["-t", "time_to_detect_p50 <= 1s"], 1),
        (["-t", "recall{colour=red} >= 1"], 3),
        (["-t", "recal >= 1"], 2),
        (["-t", "recall no-loss"], 2),
        (["--config", "nowhere.toml"], 2),
        (["--baseline", "nowhere.json"], 3),
    ],
)
def test_exit_codes(stored, words, code):
    answer = ask("gate", stored, *words)
    assert answer.exit_code == code, answer.output


def test_nothing_to_judge_is_usage():
    assert ask("gate").exit_code == 2


def test_the_config_is_found_where_the_command_is_given(stored):
    (stored.parent / "gate.toml").write_text('thresholds = ["time_to_detect_p50 <= 1s"]\n')
    assert ask("gate", stored).exit_code == 1
    (stored.parent / "gate.toml").unlink()
    answer = ask("gate", stored)
    assert (answer.exit_code, "defaults of docs/gate.md" in answer.stderr) == (3, True)


def test_json_is_all_that_stdout_holds(stored):
    answer = ask("gate", stored, "-t", "time_to_detect_p50 <= 1s", "--json")
    said = json.loads(answer.stdout)
    assert (answer.exit_code, said["exit_code"], said["gate"]) == (1, 1, "broken")
    assert said["thresholds"][0]["named"][0]["command"].startswith("droidrange run specimen-")


def test_the_self_test_exits_1_and_names_each():
    answer = ask("gate", "--self-test")
    assert answer.exit_code == 1
    assert "10 of 10 planted regressions broke the gate and were named" in answer.stdout
    assert "phone-01/com.example.torch/http-poll (specimen-00, seed 1)" in answer.stdout
    assert json.loads(ask("gate", "--self-test", "--json").stdout)["exit_code"] == 1


def test_the_self_test_wants_a_run(stored):
    assert ask("gate", stored, "--self-test").exit_code == 2


def test_a_baseline_is_accepted_and_held(stored):
    assert ask("baseline", "accept", stored).exit_code == 2
    assert ask("baseline", "accept", stored, "--reason", "").exit_code == 2
    answer = ask("baseline", "accept", stored, "--reason", "first release", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["baseline"]) == (0, "baseline-scorecard.json")
    assert ask("gate", stored, "--baseline", "baseline-scorecard.json", "-t", "recall no-loss").exit_code == 0
