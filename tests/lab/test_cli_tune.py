"""The tuner from the command line: exit codes, and one tuning of a real detector on what is really played."""

import json

import pytest
from typer.testing import CliRunner

from detector.contract import detector
from lab.cli import app


def ask(*words):
    return CliRunner().invoke(app, ["tune", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["core", "--detector", "silent"], 2, "found no knob"),
        (["core", "--detector", "nobody"], 2, "unknown detector"),
        (["nowhere"], 2, "nor is there a suite"),
        (["core", "--budget", "0"], 2, "--budget: found 0"),
        (["core", "--seeds", "1"], 2, "--seeds: found 1"),
        (["imap-poll-drafts"], 2, "held out"),
        (["https-poll-5m", "--seeds", "2"], 3, "6 device-days cannot support a budget of 0.001"),
        (["core", "--seeds", "9000"], 2, "--seeds: found 9,000"),
    ],
)
def test_exit_codes(words, code, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = ask(*words)
    assert (answer.exit_code, answer.stdout) == (code, "")
    assert said in answer.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_what_the_detector_reads(tmp_path, torch_file):
    """A suite of one poll a minute: the beacon score is far above all else, and its bar goes up to there."""
    scenario = torch_file("1d", 1, beside=["periodic-sync"])
    (tmp_path / "tiny.toml").write_text(scenario)
    answer = ask(
        tmp_path / "tiny.toml",
        *("--detector", "rita", "--budget", 0.5, "--seeds", 2, "--run", tmp_path / "run", "-o", tmp_path / "rita.txt"),
        "--json",
    )
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    (knob,) = told["knobs"]
    spelled = (tmp_path / "rita.txt").read_text().strip()
    assert told["use"] == spelled
    assert detector(spelled).knobs[0].value == knob["threshold"] > 0.7
    assert knob["confirmed"] == knob["inner"]
    assert (knob["inner"]["found"], knob["outer"]) == (2, None)
