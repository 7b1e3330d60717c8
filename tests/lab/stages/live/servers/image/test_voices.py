"""Turns are counted by their bytes, however these are cut."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from lab.stages.live.servers.image.voices import Plain


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.lists(st.integers(1, 60), max_size=12))
def test_a_turn_is_complete_with_its_last_byte(sizes, pieces):
    voice, heard = Plain(sizes), 0
    for piece in pieces:
        heard += piece
        complete = voice.hear(bytes(piece))
        assert sum(sizes[:complete]) <= heard
        assert complete == len(sizes) or heard < sum(sizes[: complete + 1])


def test_the_scripts_bytes_are_said():
    assert asyncio.run(Plain([1]).say(memoryview(b"abc"))) == b"abc"
