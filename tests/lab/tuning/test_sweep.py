"""The exact sweep against trying every threshold there is, and its interval against what it must hold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tuning.sweep import NEVER, Evidence, Rows, Tally, allowance, chosen, curve, interval, tally

SCORES = st.lists(st.one_of(st.just(NEVER), st.integers(1, 12).map(lambda k: k / 12)), max_size=15)


def rows(scores, device=None):
    count = len(scores)
    devices = np.arange(count) if device is None else np.array(device, np.int64)
    return Rows(np.array(scores, float), devices, np.zeros(count, np.int64), np.zeros(count, np.int64))


def evidence(found, alarms, days):
    return Evidence(rows(found), rows(alarms), np.array(days, float), np.array([[sum(days)]]))


@given(found=SCORES, alarms=SCORES, allowed=st.integers(0, 4))
def test_nothing_affordable_finds_more_and_nothing_as_good_costs_less(found, alarms, allowed):
    bar = chosen(rows(found), rows(alarms), allowed)
    tried = [tally(rows(found), rows(alarms), 1.0, one) for one in [*(k / 24 for k in range(1, 25)), math.inf]]
    affordable = [one for one in tried if one.false_alarms <= allowed]
    best = max(one.found for one in affordable)
    told = tally(rows(found), rows(alarms), 1.0, bar)
    assert told.found == best
    if bar is None:
        assert best == 0
    else:
        assert told.false_alarms == min(one.false_alarms for one in affordable if one.found == best)


def test_it_stands_half_way_to_the_next_lower_score_of_anybody():
    assert chosen(rows([0.9, 0.4]), rows([0.5, 0.3]), 1) == 0.35
    assert chosen(rows([0.9, 0.4]), rows([0.5, 0.3]), 0) == 0.7
    assert chosen(rows([0.9, 0.8]), rows([0.2]), 5) == 0.5


def test_with_nobody_below_it_stands_just_below_what_was_rounded():
    bar = chosen(rows([0.6]), rows([]), 0)
    assert 0.599998 < bar < 0.6


def test_a_tie_with_too_many_finds_nothing():
    assert chosen(rows([0.5]), rows([0.5, 0.5]), 1) is None
    assert chosen(rows([NEVER]), rows([0.5]), 1) is None
    assert chosen(rows([]), rows([]), 1) is None


@given(found=SCORES, alarms=SCORES, allowed=st.integers(0, 3))
def test_scores_that_differ_by_a_hair_are_still_parted(found, alarms, allowed):
    near = [0.5 + (0.0 if one == NEVER else one) * 1e-9 for one in found]
    others = [0.5 + (0.0 if one == NEVER else one) * 1e-9 for one in alarms]
    bar = chosen(rows(near), rows(others), allowed)
    assert tally(rows(near), rows(others), 1.0, bar).false_alarms <= allowed


def test_the_allowance_is_whole_alarms():
    assert [allowance(0.001, days) for days in (999.0, 1000.0, 2999.9)] == [0, 1, 2]


def test_the_interval_holds_the_threshold_and_repeats(rng):
    said = Evidence(
        rows(rng.uniform(0.5, 1.0, 40), rng.integers(0, 60, 40)),
        rows(rng.uniform(0.0, 0.8, 80), rng.integers(0, 60, 80)),
        np.full(60, 10.0),
    )
    bar = chosen(said.found, said.alarms, allowance(0.02, said.device_days))
    low, high = interval(said, 0.02, np.random.default_rng(1))
    assert low <= bar <= high
    assert low < high
    assert (low, high) == interval(said, 0.02, np.random.default_rng(1))


def test_one_loud_device_makes_the_interval_wide():
    """Of 20 devices one has all the alarms: a draw without it would choose far lower."""
    calm = Evidence(rows([0.9] * 20), rows([0.2] * 20), np.full(20, 1.0))
    loud = Evidence(rows([0.9] * 20), rows([0.8] * 5, [3] * 5), np.full(20, 1.0))
    assert interval(calm, 0.01, np.random.default_rng(1)) == (0.55, 0.55)
    low, high = interval(loud, 0.01, np.random.default_rng(1))
    assert (low, high) == (0.85, 0.85)
    spread = Evidence(rows([0.9, 0.6] * 10), rows([0.8], [3]), np.full(20, 1.0))
    low, high = interval(spread, 0.01, np.random.default_rng(1))
    assert low < 0.6 < 0.85 <= high


def test_no_interval_without_thresholds():
    assert interval(evidence([NEVER], [0.5], [1.0]), 1.0, np.random.default_rng(1)) is None
    assert interval(evidence([0.1], [0.5] * 9, [1.0] * 9), 0.01, np.random.default_rng(1)) is None


def test_the_curve_names_every_threshold_that_finds_one_more():
    told = curve(evidence([0.9, 0.4, 0.4, NEVER], [0.5], [1.0] * 5))
    assert told == [
        {"threshold": 0.9, "found": 1, "false_alarms": 0},
        {"threshold": 0.4, "found": 3, "false_alarms": 1},
    ]


def test_tallies_add_up_and_rates_of_nothing_are_none():
    both = Tally(1, 2, 3, 4.0) + Tally(1, 1, 0, 6.0)
    assert both == Tally(2, 3, 3, 10.0)
    assert (both.recall, both.rate) == (pytest.approx(2 / 3), 0.3)
    assert (Tally(0, 0, 0, 0.0).recall, Tally(0, 0, 0, 0.0).rate) == (None, None)
