"""The timing features: a clock scores 1, memoryless gaps about 0, jitter lies between, scale does not matter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.contact_spread import contact_spread
from detector.features.gap_floor import gap_floor
from detector.features.hour_coverage import HOUR_US, hour_coverage
from detector.features.interval_regularity import interval_regularity
from detector.features.mode_share import mode_share
from detector.features.night_coverage import night_coverage, quiet_hours

TIMING = pytest.mark.parametrize("feature", [interval_regularity, gap_floor, mode_share])
gaps = st.lists(st.integers(10, 10**8), min_size=3, max_size=60).map(np.array)


def one(feature, gap, *rest):
    """The feature of one group with those gaps."""
    times = np.append(0, np.cumsum(np.asarray(gap).astype(np.int64)))
    return float(feature(times, np.array([0, len(times)]), *rest)[0])


def all_day(feature, times, hours=24, *rest):
    return float(feature(np.asarray(times), np.array([0, len(times)]), 0, np.array([hours * HOUR_US]), *rest)[0])


@TIMING
@given(gap=gaps)
def test_stays_within_nought_and_one(feature, gap):
    assert 0 <= one(feature, gap) <= 1


@TIMING
@given(period=st.integers(100, 10**11), n=st.integers(3, 50))
def test_a_clock_scores_one_at_any_period(feature, period, n):
    assert one(feature, np.full(n, period)) == pytest.approx(1)


@TIMING
@given(gap=gaps, scale=st.sampled_from([2, 64]))
def test_does_not_depend_on_the_unit(feature, gap, scale):
    assert one(feature, gap * scale) == pytest.approx(one(feature, gap), abs=1e-9)


@TIMING
@given(parts=st.lists(gaps, min_size=1, max_size=5))
def test_groups_do_not_touch_each_other(feature, parts):
    times = [np.append(0, np.cumsum(part)) for part in parts]
    edges = np.cumsum([0, *map(len, times)])
    assert feature(np.concatenate(times), edges).tolist() == [one(feature, part) for part in parts]


@TIMING
def test_memoryless_gaps_score_about_nought(feature, rng):
    scores = [one(feature, rng.exponential(6e7, 400)) for _ in range(50)]
    assert np.mean(scores) < 0.12


@TIMING
def test_more_jitter_scores_no_higher(feature, rng):
    def mean(jitter: float) -> float:
        return float(np.mean([one(feature, 6e7 * (1 - jitter * rng.random(200))) for _ in range(40)]))

    scores = [mean(jitter) for jitter in (0, 0.1, 0.3, 0.5, 0.9, 1)]
    assert all(later <= earlier + 0.03 for earlier, later in pairwise(scores))
    assert scores[0] > scores[3] > scores[5]


@TIMING
def test_too_few_gaps_are_unknown_not_nought(feature):
    assert np.isnan(one(feature, [60, 60]))


def test_missed_beats_hurt_regularity_but_not_mode_share(rng):
    beats = 900_000 * rng.choice([1, 1, 1, 2, 3], 200)
    assert one(mode_share, beats) == pytest.approx(1)
    assert one(interval_regularity, beats) < 0.8


def test_a_second_timer_hurts_the_mode_share_little(rng):
    first, second = np.arange(0, 86_400, 300), np.arange(7, 86_400, 1100)
    both = np.diff(np.sort(np.concatenate([first, second]))) * 1_000_000
    assert one(mode_share, both) > 0.5 > one(mode_share, rng.exponential(both.mean(), len(both)))


@given(hours=st.sets(st.integers(0, 23), min_size=1))
def test_coverage_grows_with_every_hour(hours):
    times = np.array(sorted(hours)) * HOUR_US
    score = all_day(hour_coverage, times)
    assert 0 < score < np.sqrt(len(hours) / 24), "only what is certain of it"
    assert all_day(hour_coverage, np.repeat(times, 2)) == score
    assert all(all_day(hour_coverage, np.delete(times, k)) < score for k in range(len(times)) if len(times) > 1)


@given(hours=st.integers(3, 500), more=st.integers(1, 500))
def test_full_coverage_says_more_the_longer_it_was_watched(hours, more):
    few, many = (all_day(hour_coverage, np.arange(span) * HOUR_US, span) for span in (hours, hours + more))
    assert few < many < 1
    assert hours >= 12 or few < 0.9


def test_coverage_costs_no_memory_for_a_span_of_millennia():
    assert hour_coverage(np.array([0, 2**61]), np.array([0, 2]), 0, np.array([2**61]))[0] < 1e-3


@pytest.mark.parametrize("feature", [hour_coverage, contact_spread])
def test_the_hours_of_a_short_capture_are_unknown(feature):
    assert np.isnan(all_day(feature, [0], 2))


def test_slow_polls_are_spread_and_sessions_are_not():
    assert all_day(contact_spread, np.arange(0, 24, 4) * HOUR_US) == 1
    assert all_day(contact_spread, np.arange(20) * 60_000_000) == pytest.approx(1 / 20)


def test_quiet_hours_are_those_in_which_the_device_speaks_least(rng):
    awake = np.arange(7, 23)
    times = (rng.choice(awake, 500) + rng.random(500)) * HOUR_US
    begun = quiet_hours(np.zeros(500, np.int64), times.astype(np.int64), 0, 2)
    assert begun[0] in {23, 0, 1}
    assert begun[1] == 0, "a silent device has no habit; any six hours do"


def test_night_coverage_sees_machines_only():
    quiet = np.array([22])
    assert all_day(night_coverage, np.arange(72) * HOUR_US, 72, quiet) == 1
    awake = np.array([h for h in range(72) if 6 <= h % 24 < 22]) * HOUR_US
    assert all_day(night_coverage, awake, 72, quiet) == 0
    assert np.isnan(all_day(night_coverage, np.arange(20) * HOUR_US, 20, quiet))
