"""Weekdays of dates, and which hours belong to which."""

from __future__ import annotations

from datetime import date

import numpy as np

from lab.phones.calendar import MONDAY_2026_03_02, falls_on, weekday


def test_weekdays_are_those_of_the_calendar():
    for days in range(20_000, 20_400):
        assert weekday(days) == date.fromordinal(date(1970, 1, 1).toordinal() + days).weekday()
    assert weekday(MONDAY_2026_03_02) == 0


def test_a_day_that_begins_in_the_afternoon_ends_in_the_next():
    hours = np.arange(7 * 24)
    found = hours[falls_on((3, 4, 5), 15, MONDAY_2026_03_02, hours)]
    assert found.tolist() == list(range(3 * 24 + 15, 6 * 24 + 15))


def test_hours_count_from_the_date_given():
    assert falls_on((6,), 0, MONDAY_2026_03_02 + 6, np.arange(24)).all()
    assert not falls_on((6,), 0, MONDAY_2026_03_02, np.arange(24)).any()
