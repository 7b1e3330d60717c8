"""A run's time: until all that is planned is over and some; what is told of one that is not over then."""

from __future__ import annotations

import dataclasses
import time

import pytest

from lab.stages.live.casting import Relay
from lab.stages.live.overtime import OVERTIME_S, left_s, unfinished
from lab.stages.live.pace import Tempo, courses

HOUR = 3_600_000_000


@pytest.fixture
def few(script_of_scenario):
    timeline, scripts, _ = script_of_scenario("live-http")
    return timeline, scripts[:8]


def test_a_run_may_take_until_its_last_end_and_some(few) -> None:
    timeline, scripts = few
    paced = courses(scripts, timeline.start, 60.0)
    tempo = Tempo(time.time_ns() // 1000 + 1_000_000, timeline.start, 60.0)
    last = max(course.close_real for course in paced.values())
    assert left_s(tempo, paced.values(), ()) == pytest.approx(1.0 + last / 1e6 + OVERTIME_S, abs=0.5)
    relay = Relay(0, 10_101, "socks5", 1080, timeline.start, timeline.start + HOUR)
    assert left_s(tempo, paced.values(), [relay]) == pytest.approx(1.0 + 60.0 + OVERTIME_S, abs=0.5)
    used = dataclasses.replace(
        relay, last_us=2 * HOUR
    )  # a visitor who was held up stays longer than the listener was to
    assert left_s(tempo, paced.values(), [used]) == pytest.approx(1.0 + 7200 + OVERTIME_S, abs=0.5)


def test_what_had_not_ended_is_counted_and_the_first_are_named(few) -> None:
    scripts = few[1]
    doing = {script.n: "its turn" for script in scripts[1:]} | {scripts[0].n: "opening"}
    said = unfinished(scripts, doing)
    assert "7 at its turn, 1 at opening" in said
    server = ":".join(map(str, scripts[0].server))
    assert f"first {scripts[0].n} {scripts[0].protocol} to {server} at opening; " in said
    assert said.count(" to ") == 5


def test_that_no_conversation_is_left_is_told(few) -> None:
    assert unfinished(few[1], {}) == "not over 120 s after all that was planned: no conversation is left"
