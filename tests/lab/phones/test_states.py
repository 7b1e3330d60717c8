"""The table of states says at every moment what the day says."""

from __future__ import annotations

import numpy as np

from lab.habits.clock import inside
from lab.phones.phone import DAY, plan_day
from lab.phones.profile import PROFILES
from lab.phones.states import state_table
from lab.timeline import POWER_STATES

START = 1_772_409_600_000_000
MADE = plan_day(np.random.default_rng(4), PROFILES["office-worker"], ["communication", "social"], 0, DAY)
TABLE = state_table(MADE, 2, 10, START, DAY)


def at(times):
    """The row that holds at each time."""
    return np.searchsorted(TABLE.time - START, times, side="right") - 1


def test_states_hold_at_every_moment():
    times = np.random.default_rng(1).integers(0, DAY, 3_000)
    now = at(times)
    assert np.array_equal(TABLE.screen_on[now], inside(times, MADE.screen_on))
    assert np.array_equal(TABLE.locked[now], ~inside(times, MADE.unlocked))
    assert np.array_equal(TABLE.foreground[now] >= 0, inside(times, MADE.uses))
    dozing = np.isin(TABLE.power[now], [POWER_STATES.index("doze-light"), POWER_STATES.index("doze-deep")])
    assert np.array_equal(dozing, inside(times, MADE.doze.asleep))


def test_the_last_interaction_is_never_ahead_and_recent_while_unlocked():
    assert np.all(TABLE.last_interaction <= TABLE.time)
    assert np.all(np.diff(TABLE.last_interaction) >= 0)
    unlocked = ~TABLE.locked
    assert (TABLE.time - TABLE.last_interaction)[unlocked].max() <= 45_000_000


def test_rows_are_of_one_device_and_ascend():
    assert set(TABLE.device.tolist()) == {2}
    assert np.all(np.diff(TABLE.time) > 0)
    assert set(TABLE.foreground.tolist()) == {-1, 10, 11}


def test_a_kiosk_is_touched_by_its_visitors_only():
    made = plan_day(np.random.default_rng(4), PROFILES["kiosk"], ["communication"], 0, DAY)
    table = state_table(made, 0, 0, START, DAY)
    assert set(table.power.tolist()) == {POWER_STATES.index("interactive")}
    assert table.screen_on.all()
    assert not table.locked.any()
    assert set(table.foreground.tolist()) == {0}
    assert np.all(np.isin(table.last_interaction[1:] - START, np.append(table.time - START, 0)))
    assert table.last_interaction[-1] - START <= made.touched[-1, 1]
