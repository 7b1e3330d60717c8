"""Detection from the command line: findings as words, JSON lines or a file, and why an incident was found."""

import json

import pytest
from typer.testing import CliRunner

from lab.cli import app


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings") / "smoke-poll"
    answer = ask("record", "smoke-poll", "--seed", 7, "--stage", "flows", "-o", folder)
    assert answer.exit_code == 0, answer.stderr
    return folder


def test_detect_prints_json_lines_and_nothing_else(recording):
    answer = ask("detect", recording, "--json")
    assert answer.exit_code == 0
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert any(row["analytic"] == "AN1793" and row["alert"] for row in rows)


def test_detect_explains_an_incident_and_refuses_a_word_that_is_none(recording, tmp_path):
    (row,) = (json.loads(line) for line in ask("detect", recording, "--explain", "all", "--json").stdout.splitlines())
    assert row["incident"].endswith("/http-poll")
    assert row["outcome"] == "alert"
    shown = ask("detect", recording, "--explain", row["incident"]).stdout
    assert shown.startswith(f"{row['incident']}: AN1793 by builtin, view full")
    assert "nothing to explain" in ask("detect", recording, "--explain", "missed").stdout
    assert ask("detect", recording, "--explain", "all", "-o", tmp_path / "x.jsonl").stdout == ""
    assert json.loads((tmp_path / "x.jsonl").read_text()) == row
    refused = ask("detect", recording, "--explain", "nobody")
    assert (refused.exit_code, "expected an incident" in refused.stderr) == (2, True)


def test_findings_are_words_for_a_person_and_none_where_a_file_takes_them(recording, tmp_path):
    shown = ask("detect", recording)
    assert shown.stdout.startswith("ALERT ")
    assert "1 alert" in shown.stdout.splitlines()[-1]
    assert ask("detect", recording, "-o", tmp_path / "x.jsonl").stdout == ""
    rows = [json.loads(line) for line in ask("detect", recording, "--json").stdout.splitlines()]
    assert [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()] == rows
