"""The tuner from the command line: what is refused before anything is played, and with which exit code."""

import pytest
from typer.testing import CliRunner

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
