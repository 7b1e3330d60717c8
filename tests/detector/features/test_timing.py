"""The timing features: a clock scores 1, memoryless gaps about 0, jitter lies between, scale does not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.gap_floor import gap_floor
from detector.features.hour_coverage import HOUR_US, hour_coverage
from detector.features.interval_regularity import interval_regularity
from detector.features.mode_share import mode_share

TIMING = pytest.mark.parametrize("feature", [interval_regularity, gap_floor, mode_share])
gaps = st.lists(st.floats(0.01, 1e5), min_size=3, max_size=60).map(np.array)


@TIMING
@given(gap=gaps)
def test_stays_within_nought_and_one(feature, gap):
    assert 0 <= feature(gap) <= 1


@TIMING
@given(period=st.floats(0.1, 1e5), n=st.integers(3, 50))
def test_a_clock_scores_one_at_any_period(feature, period, n):
    assert feature(np.full(n, period)) == pytest.approx(1)


@TIMING
@given(gap=gaps, scale=st.sampled_from([0.25, 2.0, 64.0]))
def test_does_not_depend_on_the_unit(feature, gap, scale):
    assert feature(gap * scale) == pytest.approx(feature(gap), abs=1e-9)


@TIMING
def test_memoryless_gaps_score_about_nought(feature, rng):
    scores = [feature(rng.exponential(60, 400)) for _ in range(50)]
    assert np.mean(scores) < 0.1


@TIMING
def test_more_jitter_scores_no_higher(feature, rng):
    def mean(jitter: float) -> float:
        return float(np.mean([feature(60 * (1 - jitter * rng.random(200))) for _ in range(40)]))

    scores = [mean(jitter) for jitter in (0, 0.1, 0.3, 0.5, 0.9, 1)]
    assert all(later <= earlier + 0.03 for earlier, later in pairwise(scores))
    assert scores[0] > scores[3] > scores[5]


@TIMING
def test_too_few_gaps_are_unknown_not_nought(feature):
    assert feature(np.array([60.0, 60.0])) is None


def test_missed_beats_hurt_regularity_but_not_mode_share(rng):
    beats = 900.0 * rng.choice([1, 1, 1, 2, 3], 200)
    assert mode_share(beats) == pytest.approx(1)
    assert interval_regularity(beats) < 0.7


@given(hours=st.sets(st.integers(0, 23), min_size=1))
def test_coverage_grows_with_every_hour(hours):
    times = np.array(sorted(hours)) * HOUR_US
    score = hour_coverage(times, (0, 24 * HOUR_US))
    assert score == pytest.approx(np.sqrt(len(hours) / 24))
    assert hour_coverage(np.append(times, times), (0, 24 * HOUR_US)) == score


def test_coverage_costs_no_memory_for_a_span_of_millennia():
    assert hour_coverage(np.array([0, 2**61]), (0, 2**61)) < 1e-3


def test_coverage_of_a_short_capture_is_unknown():
    assert hour_coverage(np.array([0]), (0, 2 * HOUR_US)) is None
