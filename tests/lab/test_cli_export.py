"""Export from the command line: where files go, exit codes, and what stdout holds."""

import json
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.gate.specimen import card_of, specimen


def ask(*words):
    return CliRunner().invoke(app, ["export", *(str(word) for word in words)])


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "scorecard.json"
    path.write_text(json.dumps(card_of(specimen())))
    return path


def test_one_file_goes_to_stdout(stored):
    answer = ask(stored, "--format", "sarif")
    assert (answer.exit_code, json.loads(answer.stdout)["version"]) == (0, "2.1.0")
    assert ET.fromstring(ask(stored, "-f", "junit").stdout.encode()).get("tests") == "24"


def test_one_file_goes_where_out_says(stored, tmp_path):
    answer = ask(stored, "-f", "csv", "-o", "a.csv")
    assert (answer.exit_code, answer.stdout) == (0, "a.csv\n")
    assert (tmp_path / "a.csv").read_text().startswith("record,suite,")


def test_several_go_into_a_folder(stored, tmp_path):
    answer = ask(stored, "-f", "junit", "-f", "parquet", "-f", "navigator", "-o", "made", "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {
        "written": ["made/junit.xml", "made/rows.parquet", "made/navigator-specimen-full.json"]
    }
    assert all((tmp_path / one).is_file() for one in json.loads(answer.stdout)["written"])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["-f", "xls"], 2),
        (["-f", "parquet"], 2),
        (["-f", "junit", "-f", "sarif"], 2),
        (["-f", "junit", "--json"], 2),
        (["-f", "junit", "--detector", "nobody"], 3),
        (["-f", "sarif", "--baseline", "nowhere.json"], 3),
    ],
)
def test_exit_codes(stored, words, code):
    assert ask(stored, *words).exit_code == code


def test_a_missing_or_damaged_scorecard_is_no_evidence(stored):
    assert ask("nowhere", "-f", "junit").exit_code == 3
    stored.write_text(stored.read_text()[:-200])
    assert ask(stored, "-f", "junit").exit_code == 3


def test_a_run_that_is_no_evidence_is_written_and_exits_3(stored):
    from dataclasses import replace

    trials = specimen()
    trials[0] = replace(trials[0], status="failed", findings=(), reason="crashed")
    stored.write_text(json.dumps(card_of(trials)))
    answer = ask(stored, "-f", "junit")
    assert answer.exit_code == 3
    assert ET.fromstring(answer.stdout.encode()).get("errors") == "3"
    assert "This run is no evidence: 1 of 12 trials failed." in answer.stderr


def test_a_baseline_says_what_is_new(stored, tmp_path):
    from dataclasses import replace

    trials = specimen()
    trials[0] = replace(trials[0], findings=())
    (tmp_path / "now.json").write_text(json.dumps(card_of(trials)))
    found = json.loads(ask("now.json", "-f", "sarif", "--baseline", stored).stdout)["runs"][0]["results"]
    assert [one["baselineState"] for one in found if one["kind"] == "fail"] == ["new", "new"]


def test_a_recording_goes_into_a_new_folder(smoke_recording, tmp_path):
    answer = ask(smoke_recording, "-f", "zeek-labeled", "-o", tmp_path / "made", "--json")
    assert answer.exit_code == 0
    written = json.loads(answer.stdout)["written"]
    assert str(tmp_path / "made/zeek/conn.log") in written
    again = ask(smoke_recording, "-f", "zeek-labeled", "-o", tmp_path / "made")
    assert (again.exit_code, "not empty" in again.output) == (2, True)


@pytest.mark.parametrize(
    "words", [["-f", "zeek-labeled"], ["-f", "junit", "-o", "x"], ["-f", "zeek-labeled", "-o", "x", "--view", "full"]]
)
def test_what_does_not_fit_a_recording(smoke_recording, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert ask(smoke_recording, *words).exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["-f", "zeek-labeled", "-o", "x"], ["-f", "junit", "--rules", "x"], ["-f", "junit", "--with-truth"]]
)
def test_what_does_not_fit_a_scorecard(stored, words):
    assert ask(stored, *words).exit_code == 2
