"""What a live recording refuses, and how little it has touched by then."""

from __future__ import annotations

import pytest

from lab.errors import ScenarioError, StageError
from lab.stages.live import stage as module


@pytest.mark.parametrize("speed", [0.5, 0.0, -1.0, float("nan")])
def test_time_is_not_stretched_and_no_lab_is_touched_for_it(world, record, speed) -> None:
    with pytest.raises(ScenarioError, match="--speed: found"):
        record(speed=speed)
    assert world.log == []


def test_a_place_that_is_taken_is_refused_before_a_lab_is_touched(world, evidence, record, tmp_path) -> None:
    record()
    with pytest.raises(FileExistsError, match="--force"):
        record()
    record(replace=True)
    with pytest.raises(ScenarioError, match="recording name"):
        record(folder=tmp_path / ".hidden")
    assert len(world.runs) == 2


def test_unknown_packages_are_refused_before_a_lab_is_touched(world, record) -> None:
    with pytest.raises(ScenarioError, match=r"--pin com.nobody: no such package"):
        record(pin=["com.nobody"])
    assert world.log == []


def test_a_folder_without_write_rights_is_refused_before_a_lab_is_touched(world, record, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="no right to write here"):
        record(folder=tmp_path / "new" / "recording")
    assert world.log == []


def test_listeners_that_no_phone_can_play_are_refused_before_a_phone_is_touched(
    world, record, monkeypatch, left
) -> None:
    def refused(*_words):
        raise StageError("strangers speak quic")

    monkeypatch.setattr(module, "relays_of", refused)
    with pytest.raises(StageError, match="strangers speak quic"):
        record()
    assert ("provisioned",) not in world.log
    assert left(world) == []
