"""Owners' weeks: working days as they were, days off that differ, and nights that belong to the morning."""

from __future__ import annotations

import numpy as np
import pytest

from lab.phones.calendar import MONDAY_2026_03_02 as MONDAY
from lab.phones.phone import DAY, HOUR, plan_day
from lab.phones.profile import PROFILES, by_hour, slept, whereabouts

OFF = sorted(name for name, one in PROFILES.items() if one.off)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_week_has_as_many_hours_of_everything(name):
    profile = PROFILES[name]
    if profile.off:
        assert len(profile.off.unlocks) == len(profile.off.places) == 24
        assert set(profile.off.places) <= set("hwm")
    assert len(whereabouts(profile, MONDAY)) == 168
    assert by_hour(profile, "unlocks", MONDAY, 400).shape == (400,)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_monday_is_a_working_day_for_everybody(name):
    profile = PROFILES[name]
    assert by_hour(profile, "unlocks", MONDAY, 24).tolist() == list(profile.unlocks)
    assert whereabouts(profile, MONDAY)[:24] == profile.places
    assert np.flatnonzero(by_hour(profile, "carried", MONDAY, 24)).tolist() == sorted(profile.carried)


@pytest.mark.parametrize("name", OFF)
def test_days_off_differ_and_come_again_each_week(name):
    week = by_hour(PROFILES[name], "unlocks", MONDAY, 336)
    assert week[:168].tolist() == week[168:].tolist()
    assert week[:24].tolist() != week[144:168].tolist()


def test_who_is_off_at_weekends_is_not_at_work_then():
    assert "w" not in whereabouts(PROFILES["office-worker"], MONDAY)[5 * 24 :]
    assert (
        whereabouts(PROFILES["office-worker"], MONDAY + 5)[:48] == whereabouts(PROFILES["office-worker"], MONDAY)[120:]
    )


def test_a_night_is_as_long_as_its_morning_allows():
    profile = PROFILES["office-worker"]
    nights = slept(profile, MONDAY, 7).tolist()
    assert nights == [[22, 30]] * 4 + [[23, 32]] * 2 + [[22, 30]]


def test_a_nurse_sleeps_by_day_after_shifts_only():
    assert slept(PROFILES["night-nurse"], MONDAY, 7).tolist() == [[7, 14]] * 4 + [[1, 9]] * 3


@pytest.mark.parametrize(("name", "quiet"), [("office-worker", (6, 8)), ("student", (8, 10)), ("kiosk", (8, 20))])
def test_fewer_sessions_in_the_morning_of_a_sunday(name, quiet):
    def count(today):
        days = [plan_day(np.random.default_rng(seed), PROFILES[name], [], 0, DAY, today=today) for seed in range(20)]
        starts = np.concatenate([day.touched[:, 0] for day in days]) // HOUR
        return int(((starts >= quiet[0]) & (starts < quiet[1])).sum())

    assert count(MONDAY + 6) < 0.5 * count(MONDAY)
