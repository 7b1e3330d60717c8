"""A phone's day is plausible: nights are quiet, uses lie inside sessions, spare phones are hardly used."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND
from lab.clock import inside
from lab.phone import DAY, HOUR, PROFILES, plan_day, profile_names

APPS = ["communication", "news-and-magazines", "tools", "social"]


def day(seed, profile="office-worker", span=DAY, midnight=0):
    return plan_day(np.random.default_rng(seed), PROFILES[profile], APPS, midnight, span)


@pytest.mark.parametrize("profile", profile_names())
@pytest.mark.parametrize("midnight", [0, -19 * HOUR])
def test_intervals_are_ascending_disjoint_and_inside(profile, midnight):
    for seed in range(5):
        made = day(seed, profile, 6 * HOUR, midnight)
        for intervals in (made.screen_on, made.unlocked, made.uses, made.doze.asleep, made.doze.maintenance):
            assert np.all(intervals[:, 1] > intervals[:, 0])
            assert np.all(intervals[1:, 0] >= intervals[:-1, 1])
            assert intervals.size == 0 or (intervals.min() >= 0 and intervals.max() <= 6 * HOUR)


def test_uses_lie_inside_unlocked_time_and_that_inside_lit_time():
    made = day(1)
    assert inside(made.uses[:, 0], made.unlocked).all()
    assert inside(made.uses[:, 1] - 1, made.unlocked).all()
    assert inside(made.unlocked[:, 0], made.screen_on).all()
    assert not inside(made.doze.asleep[:, 0], made.screen_on).any()
    assert len(made.front) == len(made.uses)


def test_an_office_worker_unlocks_tens_of_times_and_sleeps_at_night():
    days = [day(seed) for seed in range(20)]
    unlocks = np.array([len(made.unlocked) for made in days])
    assert unlocks.min() > 10
    assert unlocks.max() < 200
    hours = np.concatenate([made.unlocked[:, 0] for made in days]) // HOUR
    assert (hours < 5).mean() < 0.03
    lengths = np.concatenate([made.unlocked[:, 1] - made.unlocked[:, 0] for made in days]) / SECOND
    assert 40 < np.median(lengths) < 80
    assert lengths.mean() > 1.3 * np.median(lengths), "a long tail"


def test_a_spare_phone_is_hardly_used():
    assert np.mean([len(day(seed, "spare").unlocked) for seed in range(10)]) < 10


def test_popular_categories_are_opened_more_often():
    fronts = np.concatenate([day(seed).front for seed in range(20)])
    counts = np.bincount(fronts, minlength=4)
    assert counts[0] > counts[1] > counts[2]


def test_some_nights_are_spent_on_the_charger_and_do_not_doze():
    deep = [made.doze.deep[:, 0] for made in (day(seed) for seed in range(30))]
    nights = [bool(((begins > HOUR) & (begins < 5 * HOUR)).any()) for begins in deep]
    assert 3 < sum(nights) < 27
