"""Self-likeness of counts. No vectors are published: by hand, against numpy's correlation, and by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.rivals.periodicity import periodicity

N = 360


def judged(series, jitter=0.0):
    series = np.asarray(series, float)
    padded = np.append(series, np.zeros(N - len(series)))[None, :]
    likeness, period = periodicity(padded, np.array([len(series)]), jitter)
    return likeness[0], period[0]


def every(period, length=N):
    series = np.zeros(length)
    series[::period] = 1
    return series


@pytest.mark.parametrize("period", [2, 5, 13, 30, 60])
def test_a_clock_is_like_itself_one_period_later(period):
    likeness, found = judged(every(period))
    assert likeness == pytest.approx(1, abs=0.03)
    assert found % period == 0


def test_an_hour_is_the_longest_period():
    assert judged(every(60))[0] >= 0.7
    assert judged(every(61))[0] < 0.1


def test_it_is_the_correlation_with_the_mean_of_the_whole(rng):
    series = rng.poisson(2.0, 90).astype(float)
    away = series - series.mean()
    by_hand = [
        (away[p:] * away[:-p]).sum() / np.sqrt((away[p:] ** 2).sum() * (away[:-p] ** 2).sum()) for p in range(2, 16)
    ]
    assert judged(series)[0] == pytest.approx(max(by_hand))


def test_chance_and_a_constant_are_like_nothing(rng):
    assert judged(rng.poisson(1.0, N))[0] < 0.4
    assert judged(np.ones(N)) == (0, 2)
    assert judged(np.ones(11)) == (0, 0), "no period fits six times"


def test_jitter_forgives_a_shift_where_none_forgives_nothing(rng):
    beats = np.cumsum(rng.integers(8, 13, 34))
    series = np.zeros(N)
    series[beats[beats < N]] = 1
    assert judged(series)[0] < 0.5
    assert judged(series, 0.4)[0] > 0.7


def test_jitter_that_moves_no_bucket_changes_nothing(rng):
    series = rng.poisson(1.0, 40).astype(float)
    assert judged(series, 0.1) == judged(series), "a tenth of six buckets is none"


def test_series_together_are_as_each_alone(rng):
    many = rng.poisson(1.0, (150, N)).astype(float)
    spanned = rng.integers(20, N, 150)
    many[np.arange(N) >= spanned[:, None]] = 0
    for jitter in (0.0, 0.3):
        together = periodicity(many, spanned, jitter)[0][[3, 140]]
        alone = [judged(many[row, : spanned[row]], jitter)[0] for row in (3, 140)]
        assert together.tolist() == pytest.approx(alone)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=24, max_size=72),
    st.integers(1, 9),
    st.integers(0, 9),
    st.sampled_from([0.0, 0.4]),
)
def test_likeness_knows_neither_unit_nor_level(counts, times, more, jitter):
    series = np.array(counts, float)
    plain, moved = judged(series, jitter), judged(series * times + more, jitter)
    assert plain[0] == pytest.approx(moved[0], abs=1e-6)
    assert -1 <= plain[0] <= 1 + 1e-9
