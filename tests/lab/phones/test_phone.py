"""A phone's day is plausible: nights are quiet, uses lie inside sessions, spare phones are hardly used."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND
from lab.habits.clock import inside
from lab.phones.phone import DAY, HOUR, plan_day
from lab.phones.profile import PROFILES, profile_names

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


def test_a_night_nurse_sleeps_by_day():
    begins = np.concatenate([day(seed, "night-nurse").unlocked[:, 0] for seed in range(10)]) // HOUR
    assert ((begins >= 9) & (begins < 14)).mean() < 0.02
    assert ((begins < 5) | (begins >= 20)).mean() > 0.15
    charged = [day(seed, "night-nurse").charging // HOUR for seed in range(30)]
    assert sum(bool(((rows[:, 0] <= 9) & (rows[:, 1] > 12)).any()) for rows in charged) > 10


def test_a_student_uses_the_phone_more_often_and_shorter_than_a_worker():
    students, workers = ([day(seed, name).unlocked for seed in range(20)] for name in ("student", "office-worker"))
    assert np.mean([len(rows) for rows in students]) > 1.2 * np.mean([len(rows) for rows in workers])
    lengths = [np.median(np.concatenate([rows[:, 1] - rows[:, 0] for rows in who])) for who in (students, workers)]
    assert lengths[0] < lengths[1]


def test_a_kiosk_is_always_on_with_one_app_on_its_charger():
    made = day(3, "kiosk")
    for intervals in (made.screen_on, made.unlocked, made.uses, made.charging):
        assert intervals.tolist() == [[0, DAY]]
    assert len(made.front) == 1
    assert len(made.doze.asleep) == 0
    assert 0 < len(made.touched) < 200, "visitors"
    assert len({int(day(seed, "kiosk").front[0]) for seed in range(20)}) > 1


def test_a_driver_charges_in_the_car_and_does_not_sleep_deeply_there():
    for seed in range(5):
        made = day(seed, "driver")
        assert inside(np.array([8, 9, 14, 15]) * HOUR + 1, made.charging).all()
        assert not ((made.doze.deep[:, 0] > 7 * HOUR) & (made.doze.deep[:, 0] < 18 * HOUR)).any()


@pytest.mark.parametrize("profile", profile_names())
def test_charging_and_touches_are_intervals_too(profile):
    assert len(PROFILES[profile].places) == len(PROFILES[profile].unlocks) == 24
    for seed in range(5):
        made = day(seed, profile, 50 * HOUR, -5 * HOUR)
        for intervals in (made.charging, made.touched):
            assert np.all(intervals[:, 1] > intervals[:, 0])
            assert np.all(intervals[1:, 0] >= intervals[:-1, 1])
            assert intervals.size == 0 or (intervals.min() >= 0 and intervals.max() <= 50 * HOUR)
        assert not inside(made.doze.asleep[:, 0], made.charging).any()
        assert inside(made.touched[:, 0], made.unlocked).all()
