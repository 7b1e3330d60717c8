"""Standby buckets follow use, and no app runs more jobs than its bucket allows, nor any inside Doze."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviours import SECOND, Window
from lab.habits.clock import deferred, inside, jobs, whole
from lab.habits.standby import ACTIVE, ALARMS, BUCKETS, DAY, FREQUENT, HOUR, JOBS, RARE, WORKING_SET, buckets, rationed
from lab.phones.phone import plan_day
from lab.phones.profile import PROFILES

NEVER = np.zeros((0, 2), dtype=np.int64)


def rows(*found):
    return np.array(found, dtype=np.int64).reshape(-1, len(found[0]) if found else 2)


def window(span, standby, **intervals):
    named = dict.fromkeys(("foreground", "unlocked", "screen_on", "doze", "maintenance", "charging"), NEVER)
    return Window(span, **{**named, **intervals}, standby=standby)


def test_an_app_descends_through_the_buckets_when_it_is_not_used():
    found = buckets(rows((HOUR, 2 * HOUR)), whole(10 * DAY), 0, 10 * DAY)
    assert found[:, 2].tolist() == list(BUCKETS)
    since = [0, 14 * HOUR, 26 * HOUR, 50 * HOUR, 8 * DAY + 2 * HOUR]
    assert found[:, 0].tolist() == since
    assert found[:, 1].tolist() == [*since[1:], 10 * DAY]


def test_a_dark_screen_holds_an_app_up():
    """Both clocks must have passed: nobody looked at the phone, so nobody preferred another app."""
    found = buckets(NEVER, rows((100 * HOUR, 100 * HOUR + HOUR)), 0, 200 * HOUR)
    assert found[:, 2].tolist() == [ACTIVE, WORKING_SET, FREQUENT]
    assert found[-1, 0] == 101 * HOUR


def test_a_use_brings_it_back():
    found = buckets(rows((60 * HOUR, 61 * HOUR)), whole(62 * HOUR), 0, 62 * HOUR)
    assert found[:, 2].tolist() == [ACTIVE, WORKING_SET, FREQUENT, RARE, ACTIVE]


def test_what_was_long_unused_begins_low():
    assert buckets(NEVER, NEVER, 30 * DAY, DAY)[:, 2].tolist() == [BUCKETS[-1]]
    assert buckets(NEVER, NEVER, 13 * HOUR, HOUR)[:, 2].tolist() == [WORKING_SET]


@pytest.mark.parametrize("bucket", list(JOBS))
def test_a_busy_app_gets_exactly_its_quota(bucket):
    most, within = JOBS[bucket]
    due = np.arange(0, 3 * within, 60 * SECOND)
    ran = rationed(np.random.default_rng(1), due, window(3 * within, rows((0, 3 * within, bucket))))
    assert len(ran) == 3 * most


def test_the_active_bucket_and_the_charger_know_no_quota():
    due = np.arange(0, DAY, 60 * SECOND)
    rng = np.random.default_rng(1)
    assert rationed(rng, due, window(DAY, rows((0, DAY, ACTIVE)))) is due
    charged = window(DAY, rows((0, DAY, RARE)), charging=rows((5 * HOUR, 6 * HOUR)))
    ran = rationed(rng, due, charged)
    assert len(ran[(ran >= 5 * HOUR) & (ran < 6 * HOUR)]) == 60
    assert len(ran[ran < 5 * HOUR]) == JOBS[RARE][0]


def test_alarms_have_a_quota_of_their_own():
    due = np.arange(0, DAY, 60 * SECOND)
    ran = rationed(np.random.default_rng(1), due, window(DAY, rows((0, DAY, FREQUENT))), ALARMS)
    assert len(ran) == 48


@st.composite
def lives(draw):
    seed, span = draw(st.integers(0, 999)), draw(st.integers(2, 72)) * HOUR
    profile = PROFILES[draw(st.sampled_from(sorted(PROFILES)))]
    day = plan_day(np.random.default_rng(seed), profile, ["social", "tools"], -draw(st.integers(0, 23)) * HOUR, span)
    mine = day.uses[day.front == 1]
    standby = buckets(mine, day.screen_on, draw(st.integers(0, 20 * DAY)), span)
    asleep, maintenance = day.doze.asleep, day.doze.maintenance
    return Window(span, mine, day.unlocked, day.screen_on, asleep, maintenance, day.charging, standby=standby)


@settings(max_examples=60, deadline=None)
@given(lives(), st.floats(60, 7200), st.integers(0, 99))
def test_buckets_tile_the_span_and_quotas_and_doze_hold(life, period_s, seed):
    standby = life.standby
    assert standby[0, 0] == 0
    assert standby[-1, 1] == life.span
    assert np.array_equal(standby[1:, 0], standby[:-1, 1])
    assert np.all(np.diff(standby[:, 2]) != 0)
    assert set(standby[:, 2].tolist()) <= set(BUCKETS)
    ran = jobs(np.random.default_rng(seed), life, period_s, 0.1)
    assert np.all(np.diff(ran) >= 0)
    assert not inside(ran, life.doze).any()
    for begin, end, bucket in standby.tolist():
        if bucket == ACTIVE:
            continue
        most, within = JOBS[bucket]
        bound = np.flatnonzero((ran >= begin) & (ran < end) & ~inside(ran, life.charging))
        before = np.searchsorted(ran, ran[bound] - within, side="right")
        assert np.all(bound - before < most), "this one and those of the window before it"


def test_without_buckets_nothing_is_rationed():
    due = np.arange(0, DAY, 60 * SECOND)
    assert len(deferred(np.random.default_rng(0), due, window(DAY, np.zeros((0, 3), dtype=np.int64)))) == len(due)
