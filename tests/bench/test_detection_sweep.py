"""Thresholds and areas of the comparison, held against counting every possible threshold by hand."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.scoring import ranking
from tests.bench.detection.sweep import (
    NEVER,
    Ranked,
    average_precision,
    best_of,
    bootstrap,
    joint_thresholds,
    threshold_within,
)

SCORES = st.lists(st.integers(0, 12).map(lambda k: k / 12), max_size=15)


def ranked(found, alarms, days=1_000.0):
    places = np.arange(len(found)), np.arange(len(found), len(found) + len(alarms))
    return Ranked(np.array(found, float), places[0], np.array(alarms, float), places[1], days)


@given(found=SCORES, alarms=SCORES, allowed=st.integers(0, 4))
def test_threshold_keeps_the_budget_and_no_lower_one_would_find_more(found, alarms, allowed):
    one = ranked(found, alarms)
    bar = threshold_within(one, allowed / 1_000)
    assert one.false_alarms(bar) <= allowed
    for lower in sorted({*found, *alarms}):
        if one.false_alarms(lower) <= allowed:
            assert (one.found >= bar).sum() >= (one.found >= lower).sum()


def test_threshold_of_a_tie_too_many_is_above_the_tie():
    assert threshold_within(ranked([0.5, 0.9], [0.5, 0.5]), 0.001) == pytest.approx(0.7)
    assert threshold_within(ranked([0.5], [0.5]), 0.0) == math.inf


@given(found=SCORES, alarms=SCORES)
def test_average_precision_is_that_of_the_scorecard(found, alarms):
    rows = [(one, True) for one in found] + [(one, False) for one in alarms]
    expected = ranking.average_precision(rows, len(found))
    assert average_precision(ranked(found, alarms)) == (None if expected is None else pytest.approx(expected))


def test_incident_without_a_finding_lowers_the_area():
    assert average_precision(ranked([0.9, NEVER], [])) == pytest.approx(0.5)


def test_weight_of_a_device_counts_it_that_often():
    one = ranked([0.9, 0.1], [0.5])
    twice = ranked([0.9, 0.1, 0.1], [0.5])
    assert average_precision(one, np.array([1.0, 2.0, 1.0])) == pytest.approx(average_precision(twice))


def test_bootstrap_holds_the_area_and_repeats_itself():
    rng = np.random.default_rng(3)
    one = ranked(rng.random(40) + 0.3, rng.random(60))
    low, high = bootstrap(one, 100, np.random.default_rng(1))
    assert low < average_precision(one) < high
    assert (low, high) == bootstrap(one, 100, np.random.default_rng(1))
    assert bootstrap(ranked([], [0.1]), 10, rng) is None


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=7)


@given(found=PAIRS, alarms=PAIRS, allowed=st.integers(0, 3))
def test_joint_thresholds_find_as_much_as_the_best_of_all_pairs(found, alarms, allowed):
    guilty, innocent = np.array(found, float), np.array(alarms, float)

    def hits(one, two, of):
        return int(((of[:, 0] >= one) | (of[:, 1] >= two)).sum())

    chosen = joint_thresholds(guilty, innocent, allowed)
    assert hits(*chosen, innocent) <= allowed
    grid = [*np.arange(0, 6, 0.5), math.inf]
    best = max(hits(one, two, guilty) for one in grid for two in grid if hits(one, two, innocent) <= allowed)
    assert hits(*chosen, guilty) == best


def test_units_count_once_by_their_best():
    units, best = best_of(np.array([7, 7, 2]), np.array([0.2, 0.9, 0.4]))
    assert units.tolist() == [2, 7]
    assert best.tolist() == [0.4, 0.9]
