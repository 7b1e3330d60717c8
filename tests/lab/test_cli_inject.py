"""Injection from the command line: merged, detected, scored; and what a user should know is said."""

import json

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.cli_inject import warnings


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def merged(backgrounds, smoke_recording, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    into = backgrounds.background(60).save(folder / "home.pcap")
    answer = ask("inject", smoke_recording, "--into", into, "-o", folder / "merged", "--json")
    assert answer.exit_code == 0, answer.stderr
    return folder, json.loads(answer.stdout), answer.stderr


def test_a_merged_recording_is_detected_and_scored(merged):
    folder, about, said = merged
    assert about["background"]["flows"] == 120
    assert "outside the capture's span" in said
    found = ask("detect", folder / "merged", "--detector", "always", "--view", "no-app", "-o", folder / "all.jsonl")
    assert found.exit_code == 0, found.stderr
    blamed = {json.loads(line)["device"] for line in (folder / "all.jsonl").read_text().splitlines()}
    assert "192.168.7.23" in blamed  # the background's phone is under the detector's eyes, too
    scored = ask("score", folder / "merged", "--findings", folder / "all.jsonl", "--view", "no-app", "--json")
    assert scored.exit_code == 0, scored.stderr
    card = json.loads(scored.stdout)
    assert {row["device"] for row in card["false_alarms"]} <= set(about["devices"])
    assert {row["detector"]: row["alerts"] for row in card["background"]}["always"] > 0


def test_words_for_a_person(backgrounds, smoke_recording, tmp_path):
    into = backgrounds.background(9).save(tmp_path / "home.pcap")
    answer = ask("inject", smoke_recording, "--into", into, "-o", tmp_path / "m", "--at", "2026-10-26T10:00:00+01:00")
    assert answer.exit_code == 0, answer.stderr
    assert "in the manner of 192.168.7.23" in answer.stdout
    assert "droidrange detect" in answer.stdout


@pytest.mark.parametrize(
    ("words", "code", "fault"),
    [
        (("--as-device", "192.168.7.9"), 2, "expected NAME=IP"),
        (("--as-device", "a=1.2.3.4", "--as-device", "a=1.2.3.5"), 2, "two addresses"),
        (("--at", "noon"), 2, "expected RFC 3339"),
    ],
)
def test_a_wrong_wish_is_refused(backgrounds, smoke_recording, tmp_path, words, code, fault):
    into = backgrounds.background(9).save(tmp_path / "home.pcap")
    answer = ask("inject", smoke_recording, "--into", into, "-o", tmp_path / "m", *words)
    assert (answer.exit_code, fault in answer.stderr) == (code, True)
    assert not (tmp_path / "m").exists()


def test_a_damaged_background_is_three_unless_partial_is_allowed(backgrounds, smoke_recording, tmp_path):
    into = backgrounds.background(9).save(tmp_path / "home.pcap")
    into.write_bytes(into.read_bytes()[:-5])
    words = ("inject", smoke_recording, "--into", into, "-o", tmp_path / "m")
    refused = ask(*words)
    assert (refused.exit_code, "found end of file" in refused.stderr) == (3, True)
    allowed = ask(*words, "--allow-partial")
    assert (allowed.exit_code, "PARTIAL BACKGROUND" in allowed.stderr) == (0, True)


def test_nothing_to_warn_of():
    about = {"background": {"partial": None}, "overlap": {"before": 0, "within": 3, "after": 0}, "left_behind": 0}
    assert list(warnings(about)) == []
    assert len(list(warnings({**about, "left_behind": 2}))) == 1
