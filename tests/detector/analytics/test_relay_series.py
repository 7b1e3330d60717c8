"""Lag correlation and running shares, window by window, against numpy's own on one window."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics.relay_series import LAGS, Sides, Windows, correlations, farthest

US = 1_000_000
HALF = 1800
WINDOWS = Windows(np.array([0, 0, 1]), np.array([0, 1, 1]), HALF * US, 0)


def sides(pair, second, amounts, *, lag=0, forth=True):
    cause = (pair, second * US, amounts)
    effect = (pair, (second + lag) * US, amounts)
    return Sides(*((cause, effect) if forth else (effect, cause)), forth=forth)


def smeared(second, amount):
    dense = np.bincount(second, amount, HALF)
    return np.log1p(dense + np.append(0, dense[:-1]))


def test_windows_find_their_moments():
    pair, time = np.array([0, 0, 1, 1, 0]), np.array([0, HALF, 0, HALF, 9 * HALF]) * US
    assert WINDOWS.find(pair, time).tolist() == [0, 1, 3, 2, 3]


@pytest.mark.parametrize("forth", [True, False])
@pytest.mark.parametrize("lag", LAGS)
def test_the_effect_is_found_at_its_lag(rng, lag, forth):
    second = np.sort(rng.choice(HALF - 10, 40, replace=False)) + HALF
    amount = rng.integers(100, 10_000, 40)
    found = correlations(sides(np.ones(40, np.int64), second, amount, lag=lag, forth=forth), WINDOWS, 2 * HALF + 9)
    assert found.shape == (len(LAGS), 3)
    assert found[lag, 2] == pytest.approx(1, abs=0.02)
    assert (found[:, :2] == 0).all()


def test_correlation_is_numpys(rng):
    zero = np.zeros(60, np.int64)
    one, other = (np.sort(rng.integers(0, HALF - 5, 60)) for _ in range(2))
    a, b = (rng.integers(1, 5000, 60) for _ in range(2))
    found = correlations(Sides((zero, one * US, a), (zero, other * US, b), forth=True), WINDOWS, 2 * HALF + 9)
    assert found[0, 0] == pytest.approx(np.corrcoef(smeared(one, a), smeared(other, b))[0, 1], abs=1e-9)


def test_shares_that_run_together_stay_near_and_others_do_not():
    zero, second = np.zeros(10, np.int64), np.arange(10)
    equal = np.full(10, 100)
    near = farthest(sides(zero, second, equal), WINDOWS)
    assert near[0] == pytest.approx(0.1)
    assert np.isnan(near[1:]).all()
    late = Sides((zero, second * US, equal), (zero, (second + 900) * US, equal), forth=True)
    assert farthest(late, WINDOWS)[0] == pytest.approx(1.0)
