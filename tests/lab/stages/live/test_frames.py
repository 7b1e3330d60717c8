"""Frames of many captures in columns: what is read does not depend on how many are decoded at once."""

from __future__ import annotations

import io

import numpy as np
import pytest

from lab.stages.labels import Places
from lab.stages.link import links_of
from lab.stages.live import frames as module
from lab.stages.live.frames import KINDS, Frames, read_frames
from lab.stages.live.pace import Tempo
from lab.stages.live.script import Played, scripts_of
from lab.stages.live.tuples import index_flows
from lab.stages.wire import play

NONE = np.zeros(0, dtype=np.int64)


@pytest.fixture
def captured(tiny, tmp_path):
    """The wire stage's capture of ``tiny``, and the index of its conversations on its own clock."""
    scripts = scripts_of(tiny, io.BytesIO())
    places = Places.of(tiny, links_of(tiny, [script.transport for script in scripts]))
    ends = zip(places.client, places.client_port.tolist(), places.server, places.server_port.tolist(), strict=True)
    played = [Played(n, row[:2], row[2:], scripts[n].start, scripts[n].close, 0, 0) for n, row in enumerate(ends)]
    flows = index_flows(scripts, played, {}, Tempo(tiny.start, tiny.start, 1))
    return play(tiny, tmp_path / "rec") / "telemetry/capture.pcap", flows


def columns(frames: Frames):
    return {name: column.tolist() for name, column in vars(frames).items()}


def test_every_frame_of_a_wire_recording_is_somebodys(tiny, captured):
    path, flows = captured
    found = read_frames([path], flows, NONE).frames
    said = tiny.conversations
    assert sorted(set(found.n.tolist())) == list(range(len(said.start)))
    opening = found.opens | (found.kind == KINDS.index("udp")) & found.up
    first = [int(found.time[(found.n == n) & opening].min()) for n in range(len(said.start))]
    assert first == said.start.tolist()
    assert found.up[found.opens].all()


def test_frames_do_not_depend_on_the_chunk_they_are_in(captured, monkeypatch):
    path, flows = captured
    whole = columns(read_frames([path], flows, NONE).frames)
    monkeypatch.setattr(module, "CHUNK", 3)
    assert columns(read_frames([path], flows, NONE).frames) == whole


def test_files_are_numbered_in_the_order_given(captured):
    path, flows = captured
    seen = read_frames([path, path], flows, NONE)
    half = len(seen.frames) // 2
    assert seen.frames.capture.tolist() == [0] * half + [1] * half
    assert (seen.lost_bytes, seen.faults, seen.twice) == (0, [], 0)


def test_no_capture_has_no_frames(captured):
    _, flows = captured
    assert len(read_frames([], flows, NONE).frames) == 0
