"""RITA's beacon score. No vectors are published: by hand from the formula, or what follows from it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.rivals.beacon_score import STROBE, bar_score, beacon_score, evenness, length_score, longest_run

DAY = 86_400
US = 1_000_000


def scored(seconds, sizes=None, begin=0, span=DAY):
    start = np.sort((np.asarray(seconds, float) * US).astype(np.int64))
    sizes = np.full(len(start), 500) if sizes is None else np.asarray(sizes)
    edges = np.array([0, len(start)])
    return beacon_score(start, sizes, edges, np.array([begin]), np.array([begin + span * US]))


def one(values, flat=1.0):
    return evenness(np.asarray(values, float), np.array([0, len(values)]), flat=flat)[0]


def test_a_steady_equal_poller_scores_one_malicious_or_not():
    found = scored(300.0 * np.arange(288))
    assert (found.timing[0], found.sizes[0], found.bars[0]) == (1, 1, 1)
    assert found.length[0] == 1
    assert found.score[0] == 1


def test_half_jitter_still_gives_nearly_seven_eighths():
    """The deviation of U(1 - J, 1 + J) is half of J, so ts is 1 - J / 4."""
    gaps = np.linspace(150, 450, 1001)
    assert one(gaps) == pytest.approx(0.875, abs=0.001)


def test_evenness_by_hand():
    # quartiles 20, 40, 80; (20 + 80 - 80) / 60 = 1/3; deviations 30 20 0 40 120, middle 30; (40 - 30) / 40 = 1/4
    assert one([10, 20, 40, 80, 160]) == pytest.approx(((1 - 1 / 3) + 1 / 4) / 2)
    assert one([1, 2, 4, 8, 9]) == pytest.approx((1 + (4 - 3) / 4) / 2), "quartiles 6 apart: no skew is counted"
    assert one([100, 100, 100, 500, 900]) == 1, "the middle is a quartile: no skew; most deviate by nothing"
    assert (one([0, 0, 0]), one([0, 0, 0], flat=0.0)) == (1, 0.5)
    assert one([1, 1, 100, 100, 900]) == pytest.approx((1 + 0.01) / 2)


def test_four_connections_in_seconds_of_their_own_are_needed():
    assert scored([0, 100, 200]).score[0] == 0
    assert scored([0, 0.2, 100, 100.5, 200, 200.9]).score[0] == 0, "three seconds only"
    assert np.isnan(scored([0, 100, 200]).timing[0])
    assert scored([0, 100, 200, 300]).timing[0] == 1


def test_bars_by_hand():
    # 12 bars of 10 and 10 of 1, two empty: two heights hold all 22, over 22 - 1, at most 1
    assert bar_score(np.array([[10] * 12 + [1] * 10 + [0] * 2]))[0] == 1
    # 24 heights, all different: mean 12.5, deviation sqrt((24^2 - 1) / 12)
    ladder = np.arange(1, 25)[None, :]
    assert bar_score(ladder)[0] == pytest.approx(1 - np.sqrt((24**2 - 1) / 12) / 12.5)
    # ten bars filled: too few for two modes, and too spread to be even
    assert bar_score(np.array([[5] * 10 + [0] * 14]))[0] == 0
    # eleven bars filled: 11 of one height over 10
    assert bar_score(np.array([[5] * 11 + [0] * 13]))[0] == 1
    # height steps of ceil(0.05 * 100) = 5: 100 and 99 are apart (20 and 19), 99 and 95 are not
    apart = bar_score(np.array([[100] * 6 + [99] * 6 + [95] * 6 + [0] * 6]))[0]
    assert apart == 1


def test_length_by_hand():
    bars = np.zeros((4, 24), np.int64)
    bars[0, :5] = 1
    bars[1, :6] = 1
    bars[2, [21, 22, 23, 0, 1, 2, 3, 4, 5]] = 1
    bars[3, ::4] = 1
    start = np.array([0, 5, 0, 6, 1, 7, 0, 21]) * 3_600 * US
    found = length_score(bars, start, np.array([0, 2, 4, 6, 8]), np.full(4, DAY * US))
    assert found.tolist() == pytest.approx([0, 0.5, 9 / 12, 21 / 24])


def test_office_hours_lose_hours_and_length():
    """A quarter to a half of the score."""
    found = scored(9 * 3600 + 300.0 * np.arange(60))
    assert (found.timing[0], found.sizes[0]) == (1, 1)
    assert found.bars[0] == 0
    assert 0.5 <= found.score[0] <= 0.75


def test_a_connection_a_second_is_a_strobe():
    found = scored(np.linspace(0, DAY - 1, STROBE))
    assert found.strobe[0]
    assert found.score[0] == 1
    assert np.isnan(found.timing[0])


def test_many_windows_are_as_each_alone(rng):
    days = [np.sort(rng.uniform(0, DAY, size)) for size in (5, 40, 300, 2)]
    sizes = [rng.integers(100, 900, len(day)) for day in days]
    edges = np.append(0, np.cumsum([len(day) for day in days]))
    start = (np.concatenate(days) * US).astype(np.int64)
    nothing = np.zeros(4, np.int64)
    together = beacon_score(start, np.concatenate(sizes), edges, nothing, nothing + DAY * US)
    alone = [scored(day, size).score[0] for day, size in zip(days, sizes, strict=True)]
    assert together.score.tolist() == pytest.approx(alone)


@settings(deadline=None)
@given(st.lists(st.integers(0, DAY - 1), min_size=2, max_size=60), st.integers(-1000, 10**6))
def test_the_score_is_a_share_and_does_not_know_the_date(seconds, days):
    plain, later = scored(seconds), scored(np.array(seconds) + 86_400.0 * days, begin=days * DAY * US)
    assert plain.score[0] == pytest.approx(later.score[0], abs=1e-6)
    assert 0 <= plain.score[0] <= 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40), st.randoms())
def test_evenness_knows_no_order(values, shuffler):
    mixed = values[:]
    shuffler.shuffle(mixed)
    assert one(values) == one(mixed)
    assert 0 <= one(values) <= 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=24, max_size=24), st.integers(0, 23))
def test_bars_and_runs_know_no_midnight(bars, turn):
    plain, turned = np.array([bars]), np.roll(np.array([bars]), turn, axis=1)
    assert bar_score(plain)[0] == pytest.approx(bar_score(turned)[0])
    assert longest_run(plain > 0)[0] == longest_run(turned > 0)[0]
