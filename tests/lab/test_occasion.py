"""Occasions are the intervals their names say, whatever the day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND, Window
from lab.clock import inside, merged
from lab.occasion import DAY, HOUR, OCCASIONS, allowed, common, during, working_hours

pairs = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 200)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


def rows(*found):
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def window(**known):
    names = ("foreground", "unlocked", "screen_on", "doze", "maintenance")
    return Window(2 * DAY, **{name: rows() for name in names} | known)


@given(pairs, pairs)
def test_common_is_what_lies_in_both(one, other):
    one, other = merged(rows(*one)), merged(rows(*other))
    points = np.arange(0, 1300)
    found = inside(points, common(one, other))
    assert np.array_equal(found, inside(points, one) & inside(points, other))


def test_every_occasion_is_known_and_an_unknown_one_is_named():
    assert all(allowed(window(), occasion).shape[1] == 2 for occasion in OCCASIONS)
    with pytest.raises(LookupError, match="unknown occasion 'noon'; known are always"):
        allowed(window(), "noon")


def test_locked_is_the_rest_of_unlocked():
    assert allowed(window(unlocked=rows((HOUR, 2 * HOUR))), "locked").tolist() == [[0, HOUR], [2 * HOUR, 2 * DAY]]
    assert allowed(window(screen_on=rows((0, HOUR))), "screen-off").tolist() == [[HOUR, 2 * DAY]]


def test_a_backup_wants_charger_wifi_and_a_locked_phone():
    night = window(
        charging=rows((22 * HOUR, 30 * HOUR)), wifi=rows((20 * HOUR, 28 * HOUR)), unlocked=rows((23 * HOUR, 24 * HOUR))
    )
    assert allowed(night, "backup").tolist() == [[22 * HOUR, 23 * HOUR], [24 * HOUR, 28 * HOUR]]


@pytest.mark.parametrize("midnight", [0, -5 * HOUR])
def test_office_hours_are_those_of_the_clock_on_the_wall(midnight):
    day = window(midnight=midnight)
    found = working_hours(day)
    assert found.tolist() == [
        [nth * DAY + midnight + 9 * HOUR, nth * DAY + midnight + 17 * HOUR + HOUR // 2] for nth in range(2)
    ]
    times = np.arange(0, 2 * DAY, 60 * SECOND)
    kept = (during(times, day, "working-hours") - midnight) % DAY
    assert kept.min() == 9 * HOUR
    assert kept.max() < 17 * HOUR + HOUR // 2
    assert len(during(times, day, "always")) == len(times)
