"""When a relay relays: the gates say exactly what they are named for, at any hour of any day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviours import SECOND, Window
from lab.habits.clock import inside
from lab.habits.gates import GATES, both, gated, hours

HOUR = 3_600 * SECOND
NEVER = np.zeros((0, 2), dtype=np.int64)


def rows(*pairs):
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def day(**parts):
    named = dict.fromkeys(("foreground", "unlocked", "screen_on", "doze", "maintenance"), NEVER)
    return Window(parts.pop("span", 24 * HOUR), **{**named, **parts})


intervals = st.lists(st.integers(1, 999), unique=True, max_size=8).map(
    lambda edges: rows(*zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(one=intervals, other=intervals)
def test_both_holds_where_each_holds(one, other):
    times = np.arange(1_000)
    assert np.array_equal(inside(times, both(one, other, 1_000)), inside(times, one) & inside(times, other))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(begin=st.integers(0, 24), end=st.integers(0, 24), started=st.integers(0, 23), days=st.integers(1, 3))
def test_hours_are_those_of_every_day(begin, end, started, days):
    window = day(span=days * 24 * HOUR, midnight=-started * HOUR)
    times = np.arange(0, window.span, HOUR // 2) + 1
    hour = (times - window.midnight) / HOUR % 24
    wanted = (hour >= begin) & (hour < end) if begin < end else (hour >= begin) | (hour < end)
    assert np.array_equal(inside(times, hours(window, begin, end)), wanted)


def test_gates_are_what_they_are_named_for():
    window = day(foreground=rows((HOUR, 2 * HOUR)), unlocked=rows((HOUR, 3 * HOUR)))
    assert gated(window, "always").tolist() == [[0, 24 * HOUR]]
    assert gated(window, "locked").tolist() == [[0, HOUR], [3 * HOUR, 24 * HOUR]]
    assert gated(window, "unlocked").tolist() == [[HOUR, 3 * HOUR]]
    assert gated(window, "foreground", 1.5, 6).tolist() == [[HOUR * 3 // 2, 2 * HOUR]]


def test_plugged_idle_needs_charger_wifi_and_a_dark_screen():
    parts = {
        "charging": rows((0, 8 * HOUR)),
        "wifi": rows((2 * HOUR, 20 * HOUR)),
        "screen_on": rows((4 * HOUR, 5 * HOUR)),
    }
    assert gated(day(**parts), "plugged-idle").tolist() == [[2 * HOUR, 4 * HOUR], [5 * HOUR, 8 * HOUR]]
    assert gated(day(**parts), "plugged-idle", 1, 6).tolist() == [[2 * HOUR, 4 * HOUR], [5 * HOUR, 6 * HOUR]]
    for missing in ("charging", "wifi"):
        assert len(gated(day(**{**parts, missing: NEVER}), "plugged-idle")) == 0


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_stays_within_the_span(gate):
    open_ = gated(day(unlocked=rows((HOUR, 24 * HOUR))), gate)
    assert not len(open_) or (open_.min() >= 0 and open_.max() <= 24 * HOUR)
