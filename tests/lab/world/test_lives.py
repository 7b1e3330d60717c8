"""Lives: no behaviour of any kind speaks before its app is installed or after it is removed, or of an old domain."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.authoring.behaviour_rows import behaviour_plan
from lab.authoring.kinds import behaviour_names
from lab.authoring.plans import AppPlan
from lab.behaviours import Window
from lab.phones.phone import DAY, plan_day
from lab.phones.profile import PROFILES
from lab.world.lives import Life, later, lives, narrowed, used_while_there

HOUR = 3_600_000_000
PLAN = AppPlan("com.a.b", "B", "tools", (), False, 1, ())
MOMENT = st.integers(1, DAY - 1)


def window(seed=1):
    day = plan_day(np.random.default_rng(seed), PROFILES["office-worker"], ["tools", "social"], 0, DAY)
    mine = day.uses[day.front == 0]
    return Window(DAY, mine, day.unlocked, day.screen_on, day.doze.asleep, day.doze.maintenance, day.charging)


@settings(deadline=None)
@given(installed=MOMENT, moves=MOMENT, removed=MOMENT)
def test_lives_follow_each_other_and_cover_what_is_there(installed, moves, removed):
    found = lives(replace(PLAN, installed=installed, moves=moves, removed=removed), DAY)
    assert sum(life.until - life.since for life in found) == max(0, removed - installed)
    assert all(life.since < life.until for life in found)
    assert all(one.until == two.since for one, two in pairwise(found))
    assert all(life.moved == (life.since >= moves) for life in found)


def test_an_app_that_is_always_there_lives_once_and_sees_the_whole_day():
    assert lives(PLAN, DAY) == (Life(0, DAY),)
    whole = window()
    assert narrowed(whole, Life(0, DAY)) is whole


@settings(deadline=None, max_examples=30)
@given(since=MOMENT, length=MOMENT)
def test_a_narrowed_window_is_the_window_seen_from_within(since, length):
    whole, life = window(), Life(since, min(since + length, DAY))
    inner = narrowed(whole, life)
    assert inner.span == life.until - life.since
    assert -DAY < inner.midnight <= 0
    assert (inner.midnight + life.since - whole.midnight) % DAY == 0
    for field in fields(Window):
        intervals = getattr(inner, field.name)
        if not isinstance(intervals, np.ndarray):
            continue
        assert np.all(intervals[:, 0] < intervals[:, 1])
        assert np.all((intervals[:, :2] >= 0) & (intervals[:, :2] <= inner.span))
        outer = getattr(whole, field.name)
        overlap = np.minimum(outer[:, 1], life.until) - np.maximum(outer[:, 0], life.since)
        assert (intervals[:, 1] - intervals[:, 0]).sum() == np.maximum(overlap, 0).sum()


@pytest.mark.parametrize("kind", behaviour_names())
def test_every_kind_keeps_to_its_life(kind):
    life = Life(7 * HOUR, 19 * HOUR)
    behaviour = behaviour_plan(kind, {}).behaviour
    batch = later(behaviour.plan(np.random.default_rng(1), narrowed(window(), life)), life)
    for times in (batch.start, batch.close, batch.x_time, batch.x_time + batch.x_delay):
        assert np.all((times >= life.since) & (times < life.until))
    assert all(life.since <= at < until <= life.until for at, until, _ in batch.listen)


def test_nobody_uses_what_is_not_installed():
    day = plan_day(np.random.default_rng(1), PROFILES["office-worker"], ["social", "social"], 0, DAY)
    plans = [replace(PLAN, installed=12 * HOUR), replace(PLAN, removed=15 * HOUR)]
    used = used_while_there(day, plans, DAY)
    assert used.uses[used.front == 0, 0].min() >= 12 * HOUR > day.uses[day.front == 0, 0].min()
    assert used.uses[used.front == 1, 1].max() <= 15 * HOUR < day.uses[day.front == 1, 1].max()
    assert used_while_there(day, [PLAN, PLAN], DAY) is day
