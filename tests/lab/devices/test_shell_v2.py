"""Frames of the shell protocol: cut anywhere, they come out whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.devices import shell_v2

FRAMES = st.lists(st.tuples(st.integers(0, 4), st.binary(max_size=300)), max_size=8)


@given(frames=FRAMES, cuts=st.lists(st.integers(1, 50), max_size=30))
def test_frames_survive_any_cutting(frames, cuts):
    data = b"".join(shell_v2.frame(kind, payload) for kind, payload in frames)
    reader, found = shell_v2.FrameReader(), []
    for cut in [*cuts, len(data)]:
        found += reader.feed(data[:cut])
        data = data[cut:]
    assert found == frames
    assert reader.pending == 0


@given(data=st.binary(max_size=200))
def test_other_bytes_are_frames_or_refused(data):
    reader = shell_v2.FrameReader()
    try:
        found = list(reader.feed(data))
    except ValueError:
        return
    assert sum(5 + len(payload) for _, payload in found) + reader.pending == len(data)


def test_an_absurd_length_is_refused():
    with pytest.raises(ValueError, match="no shell frame"):
        list(shell_v2.FrameReader().feed(b"\x01\xff\xff\xff\xff"))


def test_the_bytes_of_a_frame():
    assert shell_v2.frame(shell_v2.STDIN, b"abc") == b"\x00\x03\x00\x00\x00abc"
    assert shell_v2.frame(shell_v2.STDIN_ENDS) == b"\x04\x00\x00\x00\x00"
