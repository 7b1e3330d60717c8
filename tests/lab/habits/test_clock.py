"""Clocks: intervals hold what falls into them, jobs wait for Doze, and every law keeps its mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND
from lab.habits.clock import LAWS, alarms, gaps, inside, interval_of, merged, poisson, renewal, sleeps, whole

HOUR = 3600 * SECOND
pairs = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 200)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


def rows(found):
    return np.array(found, dtype=np.int64).reshape(-1, 2)


@given(pairs)
def test_merged_is_the_union(found):
    union = merged(rows(found))
    points = np.arange(0, 1300)
    expected = np.zeros(len(points), dtype=bool)
    for begin, end in found:
        expected |= (points >= begin) & (points < end)
    assert np.array_equal(inside(points, union), expected)
    assert np.all(union[1:, 0] > union[:-1, 1])


@given(pairs)
def test_gaps_are_the_complement(found):
    union = merged(rows(found))
    points = np.arange(0, 1300)
    assert np.array_equal(inside(points, gaps(union, 1300)), ~inside(points, union))


def test_interval_of_names_the_interval():
    assert interval_of(np.array([0, 5, 9, 10, 25]), rows([(5, 10), (20, 30)])).tolist() == [-1, 0, 0, -1, 1]
    assert interval_of(np.array([3]), rows([])).tolist() == [-1]


@pytest.mark.parametrize("law", LAWS)
def test_sleeps_are_never_below_a_second(law):
    found = sleeps(np.random.default_rng(1), law, 1.2, 1.0, 5_000)
    assert found.min() >= SECOND


MEANS = {
    "fixed": 60,
    "uniform": 60,
    "cobalt-strike": 48,
    "additive": 72,
    "exponential": 60,
    "lognormal": 60 * np.e**0.5,
}


@pytest.mark.parametrize(("law", "mean"), MEANS.items())
def test_sleeps_have_the_mean_of_their_law(law, mean):
    found = sleeps(np.random.default_rng(1), law, 60.0, 0.4, 20_000)
    assert found.mean() / SECOND == pytest.approx(mean, rel=0.03)


BOUNDS = {"fixed": (60, 60), "uniform": (36, 84), "cobalt-strike": (36, 60), "additive": (60, 84)}


@pytest.mark.parametrize(("law", "bounds"), BOUNDS.items())
def test_sleeps_fill_the_bounds_of_their_law(law, bounds):
    found = sleeps(np.random.default_rng(1), law, 60.0, 0.4, 20_000) / SECOND
    assert (found.min(), found.max()) == pytest.approx(bounds, abs=0.05)
    assert found.min() >= bounds[0] - 1e-5
    assert found.max() <= bounds[1] + 1e-5


@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_lognormal_sleeps_are_normal_in_their_logarithm(sigma):
    logs = np.log(sleeps(np.random.default_rng(1), "lognormal", 900.0, 0.0, 20_000, sigma=sigma) / SECOND / 900.0)
    assert (logs.mean(), logs.std()) == pytest.approx((0.0, sigma), abs=0.02)
    assert np.mean(np.abs(logs) < sigma) == pytest.approx(0.683, abs=0.02)


def test_the_longest_sleeps_do_not_overflow():
    found = sleeps(np.random.default_rng(1), "lognormal", 7 * 86_400.0, 0.0, 1_000, sigma=3.0)
    assert np.all(np.cumsum(found) > 0)


def test_every_law_is_tested():
    assert set(MEANS) == set(LAWS)


@given(st.sampled_from(LAWS), st.floats(1, 90_000), st.floats(0, 1), st.integers(SECOND, 24 * HOUR))
def test_renewal_stays_in_the_span_and_ascends(law, period_s, jitter, span):
    if span / (period_s * SECOND) > 10_000:
        return
    times = renewal(np.random.default_rng(1), law, period_s, jitter, span)
    assert np.all(np.diff(times) > 0)
    assert np.all((times >= 0) & (times < span))


def test_the_first_poll_falls_anywhere_in_the_first_period():
    firsts = [renewal(np.random.default_rng(seed), "fixed", 600.0, 0.0, HOUR)[0] for seed in range(200)]
    assert np.mean(firsts) / SECOND == pytest.approx(300.0, abs=45.0)


def test_alarms_keep_their_phase():
    times = alarms(np.random.default_rng(1), 600.0, 0.0, 24 * HOUR)
    assert set((times % (600 * SECOND)).tolist()) == {int(times[0])}


def test_poisson_has_its_rate_and_its_place():
    where = rows([(0, 10 * HOUR), (20 * HOUR, 30 * HOUR)])
    times = poisson(np.random.default_rng(1), 30.0, where)
    assert len(times) == pytest.approx(600, abs=100)
    assert inside(times, where).all()
    assert len(poisson(np.random.default_rng(1), 0.0, whole(HOUR))) == 0
