"""The command line of baselines: results on stdout, JSON alone, errors with the next command and the right code."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from lab import baselines
from lab.cli import app
from lab.stages.flows import play


def ask(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def recording(tiny, tmp_path):
    folder = tmp_path / "rec"
    play(tiny, folder)
    return folder


@pytest.fixture
def file(recording, tmp_path):
    path = tmp_path / "b.baseline"
    assert ask("baseline", "learn", recording, "-o", path).exit_code == 0
    return path


@pytest.mark.parametrize("command", ["learn", "show", "merge"])
def test_every_command_has_help(command):
    assert "--json" in ask("baseline", command, "--help").stdout


def test_learning_is_told_and_shown_again(recording, tmp_path):
    answer = ask("baseline", "learn", recording, "-o", tmp_path / "b", "--json")
    assert answer.exit_code == 0, answer.stderr
    about = json.loads(answer.stdout)
    assert (about["view"], about["devices"], about["recordings"]) == ("full", 2, 1)
    assert json.loads(ask("baseline", "show", tmp_path / "b", "--json").stdout) == about
    assert "2 devices" in ask("baseline", "show", tmp_path / "b").stdout


def test_what_was_learned_before_is_kept_and_counts_once(recording, file, tmp_path):
    answer = ask("baseline", "learn", recording, "--merge", file, "-o", file, "--json")
    assert json.loads(answer.stdout)["recordings"] == 1
    assert "counted once" in answer.stderr
    again = ask("baseline", "merge", file, file, "-o", tmp_path / "c", "--json")
    assert json.loads(again.stdout)["recordings"] == 1
    assert (tmp_path / "c").read_bytes() == file.read_bytes()


def test_views_do_not_mix(recording, file, tmp_path):
    answer = ask("baseline", "learn", recording, "--view", "no-app", "--merge", file, "-o", tmp_path / "c")
    assert answer.exit_code == 2
    assert "full, no-app" in answer.stderr
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [(b"{}", 2, "expected a baseline"), (b"PK\x03\x04 cut", 3, "cut"), (None, 2, "no such baseline")],
)
def test_what_is_no_baseline_is_refused(recording, tmp_path, content, code, said):
    path = tmp_path / "x"
    if content is not None:
        path.write_bytes(content)
    words = (("baseline", "show", path), ("detect", recording, "--baseline", path))
    for answer in (ask(*some) for some in words):
        assert answer.exit_code == code
        assert said in answer.stderr
        assert "droidrange baseline learn" in answer.stderr
        assert answer.stdout == ""


def test_a_place_that_cannot_be_written_is_refused_before_the_work(recording, tmp_path, monkeypatch):
    monkeypatch.setattr(baselines, "learn", lambda _telemetry: pytest.fail("work was begun"))
    capture = tmp_path / "evidence.pcap"
    capture.write_bytes(b"a week of work")
    for out in (tmp_path, tmp_path / "absent" / "b", capture):
        answer = ask("baseline", "learn", recording, "-o", out)
        assert answer.exit_code == 2
        assert "--out" in answer.stderr
    assert capture.read_bytes() == b"a week of work"


def test_an_unknown_view_and_an_absent_recording_are_named(recording, tmp_path):
    answer = ask("baseline", "learn", recording, "--view", "nonesuch", "-o", tmp_path / "b")
    assert (answer.exit_code, "known are" in answer.stderr) == (2, True)
    answer = ask("baseline", "learn", tmp_path / "absent", "-o", tmp_path / "b")
    assert (answer.exit_code, "absent" in answer.stderr) == (2, True)


def test_an_interrupt_leaves_what_was_there(recording, file, monkeypatch):
    before = file.read_bytes()

    def stopped(_telemetry):
        raise KeyboardInterrupt

    monkeypatch.setattr(baselines, "learn", stopped)
    answer = ask("baseline", "learn", recording, "-o", file)
    assert answer.exit_code == 130
    assert file.read_bytes() == before
    assert sorted(path.name for path in file.parent.iterdir()) == ["b.baseline", "rec"]


def test_detect_says_how_much_the_baseline_knows(recording, file):
    answer = ask("detect", recording, "--baseline", file, "--detector", "silent", "--json")
    assert answer.exit_code == 0
    assert answer.stdout == ""
    assert "the baseline knows 2 of 2 devices" in answer.stderr


def test_detect_refuses_the_baseline_of_another_view(recording, file):
    answer = ask("detect", recording, "--baseline", file, "--view", "no-app", "--detector", "silent")
    assert answer.exit_code == 2
    assert "--view no-app" in answer.stderr
