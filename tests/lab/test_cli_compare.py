"""compare and history from the command line: exit codes, and what stdout holds."""

import json

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.gate.specimen import card_of, specimen


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def two(tmp_path):
    from dataclasses import replace

    for name, lost in (("r1", 0), ("r2", 8)):
        trials = [replace(one, findings=() if number < lost else one.findings) for number, one in enumerate(specimen())]
        (tmp_path / name).mkdir()
        (tmp_path / name / "scorecard.json").write_text(json.dumps(card_of(trials)))
    return [tmp_path / name / "scorecard.json" for name in ("r1", "r2")]


def test_compare_informs_and_does_not_break(two):
    answer = ask("compare", *two)
    assert answer.exit_code == 0
    assert "2 significantly worse" in answer.stdout
    assert "lost phone-01/com.example.torch/http-poll (specimen-00, seed 1; specimen, full)" in answer.stdout
    assert "BETTER" in ask("compare", *reversed(two)).stdout


def test_json_is_all_that_stdout_holds(two):
    found = json.loads(ask("compare", *two, "--json").stdout)
    assert [one["metric"] for one in found["changes"] if one["significant"]] == ["recall", "recall"]
    told = json.loads(ask("history", two[0].parents[1], "--json").stdout)
    assert [run["run"] for run in told["runs"]] == ["r1", "r2"]


def test_other_suites_exit_3_unless_told(two):
    content = json.loads(two[1].read_text())
    two[1].write_text(json.dumps({**content, "suite": "full"}))
    answer = ask("compare", *two)
    assert (answer.exit_code, answer.stdout) == (3, "")
    assert "differ in more than detectors: suite: A is of specimen, B of full" in answer.stderr
    assert ask("compare", *two, "--anyway").exit_code == 0


@pytest.mark.parametrize("words", [["compare", "nowhere", "nowhere"], ["history", "nowhere"]])
def test_nothing_there_exits_3(words):
    assert ask(*words).exit_code == 3


def test_usage(two):
    assert ask("compare", two[0]).exit_code == 2
    assert ask("history", two[0].parents[1], "--by", "size").exit_code == 2


def test_history_draws(two):
    answer = ask("history", two[0].parents[1])
    assert answer.exit_code == 0
    assert "█▃" in answer.stdout
    assert ask("history", two[0].parents[1], "--view", "x-ray").exit_code == 3
