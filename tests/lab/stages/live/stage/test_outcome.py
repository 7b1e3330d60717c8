"""What a live recording writes and leaves behind, whole, interrupted or failed."""

from __future__ import annotations

import json
import os

import pytest

from lab.errors import EvidenceError, StageError
from lab.recording import open_recording
from lab.stages.live import stage as module

EPOCH = 1_800_000_000_000_000


def test_a_whole_run_becomes_a_recording_and_leaves_nothing_in_the_lab(world, evidence, record, tmp_path, left) -> None:
    assert record(lab="0a1b") == tmp_path / "out"
    assert world.log == [("borrowed", 1, "0a1b"), ("provisioned",), ("played",), ("given back",)]
    assert (tmp_path / "out" / "recording.json").is_file()
    assert left(world) == []
    (found,) = evidence.of
    assert (found.epoch_us, found.speed, found.versions) == (EPOCH, 60.0, {"docker": "28"})
    assert [path.name for path in found.captures] == [f"{world.runs[0].name}.pcap"]


def test_what_is_not_whole_is_kept_and_told_with_its_reason(world, evidence, record, tmp_path, left) -> None:
    evidence.reason = "mitmproxy ended"
    with pytest.raises(
        EvidenceError, match="the run is not complete: mitmproxy ended; read it with --allow-partial"
    ) as told:
        record()
    assert str(tmp_path / "out") in str(told.value)
    assert "--force" in str(told.value)
    assert (tmp_path / "out" / "recording.json").is_file()
    assert left(world) == []


def test_an_interrupt_comes_after_the_partial_recording_is_written(world, record, tmp_path, left) -> None:
    world.seen = {"interrupted": True, "faults": ["interrupted"]}
    with pytest.raises(KeyboardInterrupt):
        record()
    with pytest.raises(EvidenceError, match="interrupted"):
        open_recording(tmp_path / "out")
    assert open_recording(tmp_path / "out", allow_partial=True).partial
    assert f"{tmp_path / 'out'} holds what was recorded" in world.said[-1]
    assert "--allow-partial, or record it again with --force" in world.said[-1]
    assert "interrupted" in json.loads((tmp_path / "out" / "lab" / "run.json").read_text())["faults"]
    assert world.log[-1] == ("given back",)
    assert left(world) == []


def test_a_run_that_cannot_begin_writes_nothing(world, record, tmp_path, left) -> None:
    def fails(_run) -> None:
        raise StageError("no strangers")

    world.begin = fails
    with pytest.raises(StageError, match="no strangers"):
        record()
    assert not (tmp_path / "out").exists()
    assert left(world) == []


def test_a_recording_that_cannot_be_written_leaves_its_capture_for_the_rescue(
    world, record, tmp_path, monkeypatch, left
) -> None:
    def full(_making, _evidence) -> str:
        raise OSError(28, "no space left")

    monkeypatch.setattr(module, "write_recording", full)
    with pytest.raises(OSError, match="no space left"):
        record()
    assert not (tmp_path / "out").exists()
    assert left(world) == [f"{world.runs[0].name}.jsonl", f"{world.runs[0].name}.pcap"]


def test_the_plan_is_there_while_it_is_played_and_others_can_read_it(world, evidence, record) -> None:
    found = {}

    def look(run) -> None:
        folder = run.lab.folder("plan") / run.name
        found.update({path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))})
        found["payload"] = (folder / "payload.bin").read_bytes() == bytes(run.payload)

    world.begin = look
    before = os.umask(0o077)
    try:
        record()
    finally:
        os.umask(before)
    assert found.pop("payload") is True
    assert found["scripts.jsonl"] == found["payload.bin"] == 0o644
    assert found["pki"] == found[world.runs[0].name] == 0o755
