"""Baselines on request: learned with the truth shut, merged once each, and put beside what is judged."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest

from detector.baseline import Baseline, learn
from detector.contract import open_telemetry, view
from lab.baselines import beside, learned_from, merged_files, print_baseline, read_baseline
from lab.errors import EvidenceError
from lab.recording import Recording, open_recording
from lab.stages.flows import play


@contextmanager
def quiet(_title):
    yield lambda _done, _total: None


@pytest.fixture
def recording(tiny, tmp_path):
    folder = tmp_path / "rec"
    play(tiny, folder)
    return folder


def lesson(*paths, view="full", allow_partial=False):
    return learned_from(paths, view, allow_partial=allow_partial, progress=quiet)


def test_a_recording_is_learned_with_its_truth_shut(recording, monkeypatch):
    whole = lesson(recording)
    assert whole.devices == 2
    monkeypatch.setattr(Recording, "truth", lambda _self: pytest.fail("the truth was opened"))
    shutil.rmtree(recording / "truth")
    with pytest.raises(EvidenceError, match="truth"):
        open_recording(recording)
    assert lesson(recording) == whole


def test_a_damaged_telemetry_is_refused_or_named(recording, capsys):
    whole = lesson(recording)
    (recording / "telemetry" / "device_state.parquet").write_bytes(b"PAR1")
    with pytest.raises(EvidenceError, match=r"device_state\.parquet"):
        lesson(recording)
    partial = lesson(recording, allow_partial=True)
    assert partial.devices == whole.devices
    assert partial.spans[0][1] < whole.spans[0][1]  # no state says any longer that it went on
    assert "PARTIAL EVIDENCE" in capsys.readouterr().err


def test_the_same_recording_given_twice_counts_once(recording, tmp_path, capsys):
    copy = shutil.copytree(recording, tmp_path / "copy")
    assert lesson(recording, copy) == lesson(recording)
    assert "counted once" in capsys.readouterr().err


def test_files_are_merged_and_what_they_share_is_told(recording, tmp_path, capsys):
    found = lesson(recording)
    found.write(tmp_path / "a")
    assert merged_files([tmp_path / "a", tmp_path / "a"], [found]) == found
    assert "2 recordings of these had been learned already" in capsys.readouterr().err


def test_a_baseline_lies_beside_telemetry_of_its_view_only(recording, tmp_path, capsys):
    telemetry = open_telemetry(recording / "telemetry")
    learn(telemetry).write(tmp_path / "a")
    known = read_baseline(tmp_path / "a", "full")
    assert beside(recording, telemetry, known).baseline == known
    assert "the baseline knows 2 of 2 devices and 3 of 3 apps" in capsys.readouterr().err
    with pytest.raises(LookupError, match=r"found a baseline of view full, expected no-sni.*--view no-sni"):
        read_baseline(tmp_path / "a", "no-sni")


def test_a_baseline_that_knows_nobody_is_warned_of(recording, made_elsewhere, capsys):
    beside(recording, open_telemetry(recording / "telemetry"), made_elsewhere)
    assert "another enterprise's?" in capsys.readouterr().err


@pytest.fixture
def made_elsewhere(recording):
    """What a recording of other phones would teach."""
    narrow = view("no-app")(open_telemetry(recording / "telemetry"))
    return Baseline("full", learn(narrow).parts)


@pytest.mark.parametrize("made", ["absent", "folder"])
def test_what_is_no_recording_is_named(tmp_path, made):
    path = tmp_path / made
    if made == "folder":
        path.mkdir()
    with pytest.raises(FileNotFoundError, match=r"no recording|no such") as caught:
        lesson(path)
    assert caught.value.filename == str(path)


def test_nothing_to_learn_is_said(tiny, tmp_path, capsys, timeline_of, talk):
    play(timeline_of([talk([(0, 9, 9, 1000)], inbound=True)]), tmp_path / "rec")
    assert lesson(tmp_path / "rec").devices == 0
    assert "nothing to learn" in capsys.readouterr().err


def test_a_baseline_is_shown_without_steering_the_terminal(recording, capsys):
    about = lesson(recording).summary()
    about["categories"][0]["category"] = "evil\x1b[2J[bold]"
    print_baseline(about)
    shown = capsys.readouterr().out
    assert "2 devices" in shown
    assert "\x1b[2J" not in shown
    assert "[bold]" in shown
