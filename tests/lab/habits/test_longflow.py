"""Long conversations: dials follow each other, words stay in order, ticks keep their step."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lab.behaviours import SECOND
from lab.habits.longflow import dials, dials_during, joined, ticks, together, words

DAY = 86_400 * SECOND


@pytest.mark.parametrize("lifetime_s", [60.0, 3_600.0, 1e6])
def test_dials_follow_each_other_with_a_pause(lifetime_s):
    found = dials(np.random.default_rng(1), lifetime_s, DAY)
    assert found[0][0] < 60 * SECOND
    assert all(begin < end <= DAY for begin, end in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))


def test_lifetimes_have_their_mean():
    found = dials(np.random.default_rng(1), 600.0, 20 * DAY)
    assert np.mean([end - begin for begin, end in found]) / SECOND == pytest.approx(600.0, rel=0.08)


def test_ticks_are_a_step_apart_and_inside():
    times = ticks(np.random.default_rng(1), 5 * SECOND, 605 * SECOND, 55.0)
    assert len(times) == 10
    assert np.diff(times) / SECOND == pytest.approx(55.0, abs=0.2)
    assert len(ticks(np.random.default_rng(1), 0, 10 * SECOND, 55.0)) == 0


def test_words_are_told_together_in_order():
    told = together(words(np.array([5, 9]), 1, 2), words(np.array([7]), 3, [4], 6))
    assert told.time.tolist() == [5, 7, 9]
    assert told.up.tolist() == [1, 3, 1]
    assert told.down.tolist() == [2, 4, 2]
    assert told.during(6, 12).time.tolist() == [9], "an answer after the end is not said"
    assert told.only(np.array([True, False, False])).delay.tolist() == [0]


def test_joined_words_keep_the_order_of_the_parts():
    assert joined(words(np.array([9]), 1, 2), words(np.array([5]), 3, 4)).time.tolist() == [9, 5]


def test_dials_during_stay_in_their_intervals():
    intervals = np.array([[0, 600], [3_600, 7_200]], dtype=np.int64) * SECOND
    found = np.array(dials_during(np.random.default_rng(1), 120.0, intervals))
    assert all(((intervals[:, 0] <= begin) & (end <= intervals[:, 1])).any() for begin, end in found)
    later = found[found[:, 0] >= 3_600 * SECOND, 0]
    assert later[0] < (3_600 + 2) * SECOND
    firsts = [dials_during(np.random.default_rng(seed), 120.0, intervals)[0][0] for seed in range(60)]
    assert max(firsts) < 60 * SECOND, "it might have stood for days, so that nobody knows when it was dialled"
    assert max(firsts) > 30 * SECOND
