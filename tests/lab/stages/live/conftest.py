"""Compiled scenarios of the live suite, once per session: they are read, never changed."""

from __future__ import annotations

import io
from functools import cache

import pytest

from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages.live.pace import courses
from lab.stages.live.script import scripts_of


@cache
def scripted(name: str):
    """(timeline, scripts, payload) of a scenario and seed 1."""
    timeline = compile_scenario(load_scenario(find_scenario(name)), 1)
    payload = io.BytesIO()
    return timeline, tuple(scripts_of(timeline, payload)), payload.getvalue()


@pytest.fixture
def script_of_scenario():
    return scripted


@pytest.fixture
def paced():
    def made(name: str, speed: float = 60.0):
        timeline, scripts, payload = scripted(name)
        return timeline, scripts, payload, courses(scripts, timeline.start, speed)

    return made
