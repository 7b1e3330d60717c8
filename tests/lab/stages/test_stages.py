"""Stages are found by the name of their file."""

from __future__ import annotations

import pytest

from lab.errors import ScenarioError
from lab.recording import open_recording
from lab.stages import play, plays_alone, ready, stage_names, wishes_of


def test_the_files_are_the_registry():
    assert "wire" in stage_names()
    assert not {"--init--", "link", "frames", "segments"} & set(stage_names())


def test_an_unknown_stage_answers_with_the_known_ones(tiny, tmp_path):
    with pytest.raises(LookupError, match=r"no stage 'wires'; known: .*wire.*; did you mean 'wire'\?"):
        play("wires", tiny, tmp_path / "rec")
    assert list(tmp_path.iterdir()) == []


def test_play_plays(tiny, tmp_path):
    assert open_recording(play("wire", tiny, tmp_path / "rec")).stage == "wire"


def test_a_wish_of_another_stage_is_refused(tiny, tmp_path):
    with pytest.raises(ScenarioError, match="stage wire: found --speed, which it does not have; it has --real-tls"):
        play("wire", tiny, tmp_path / "rec", speed=60)
    assert list(tmp_path.iterdir()) == []
    assert wishes_of("wire") == ("real_tls",)


def test_virtual_time_needs_no_machine_to_itself():
    assert not plays_alone("wire")


def test_only_the_live_stage_has_anything_to_ask_before_it_plays(monkeypatch):
    asked = []
    monkeypatch.setattr("lab.stages.live.finding.attach", asked.append)
    ready("wire", real_tls=True)
    assert asked == []
    ready("live", lab="aaaaaaaa", speed=60.0)
    assert asked == ["aaaaaaaa"]
