"""Strips of a timeline made by hand: what is counted where, and what the phone did."""

from __future__ import annotations

import dataclasses

import pytest

from lab.behaviours import Speech
from lab.catalogue.timing import CELLS, DAY, strips

HOUR = 3_600_000_000
TORCH, WEATHER = ("com.example.torchlight", "http-poll"), ("com.example.weather", "web-browsing")


@pytest.fixture
def timeline(timeline_of, talk):
    web = Speech("http", tls=True)
    talks = [talk([(0, 10, 10, 0)], start=hour * HOUR, speech=web, incident=0) for hour in (0, 1, 30)]
    late = [talk([(0, 10, 10, 0), (1, 5, 5, 0)], start=50 * HOUR, app=2, speech=web)]
    return timeline_of([*talks, *late], span=72 * HOUR)


def test_a_strip_is_of_the_first_day_in_which_it_speaks(timeline):
    one, two = strips(timeline, [TORCH, WEATHER])
    assert (one.device, one.analytic, one.start_s, one.length_s) == ("phone-01", "AN1793", 0, DAY / 1e6)
    assert (one.exchanges[0], one.exchanges[2], sum(one.exchanges)) == (1, 1, 2)
    assert (two.device, two.analytic, two.start_s) == ("phone-02", None, 48 * 3600)
    assert (two.exchanges[4], sum(two.exchanges)) == (2, 2)


def test_a_short_span_is_shown_whole(timeline_of, talk):
    timeline = timeline_of([talk([(0, 1, 1, 0)], start=HOUR // 2, incident=0)], span=HOUR)
    (one,) = strips(timeline, [TORCH])
    assert one.length_s == 3600
    assert one.exchanges[CELLS // 2] == 1


def test_states_are_shares_of_each_cell(timeline):
    states = dataclasses.replace(
        timeline.states,
        time=timeline.start + timeline.states.time * 0 + [0, HOUR // 4, 0],
        locked=timeline.states.locked,
    )
    first, second = strips(dataclasses.replace(timeline, states=states), [TORCH, WEATHER])
    assert first.in_use[:2] == (0.5, 0)  # unlocked for a quarter of an hour
    assert first.doze == (0,) * CELLS
    assert second.doze == (1,) * CELLS


def test_who_says_nothing_has_no_strip(timeline):
    assert list(strips(timeline, [("com.example.weather", "http-poll")])) == []
