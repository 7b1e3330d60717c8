"""The periodogram after BAYWATCH. No vectors are published: clocks, chance, and what permutations must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.rivals import spectrum
from detector.rivals.spectrum import BINS, EACH, FEWEST, FIRST, PERMUTATIONS, spectra, threshold, walker

DAY = 86_400


def seen(seconds, key="phone-01 x 0"):
    start = np.sort((np.asarray(seconds) * 1e6).astype(np.int64))
    return spectra(start, np.array([0, len(start)]), [key])


@pytest.mark.parametrize("period", [30, 300, 3600])
def test_a_clock_is_found_with_its_period(period, rng):
    found = seen(np.arange(0, DAY, period) + rng.uniform(-0.02, 0.02, DAY // period) * period)
    assert found.period_s[0] == pytest.approx(period, rel=0.02)
    assert found.score[0] > 0.5


def test_chance_is_not(rng):
    scores = [seen(rng.uniform(0, DAY, 300), f"{k}").score[0] for k in range(30)]
    assert np.mean(np.array(scores) >= 0.5) <= 0.1


def test_a_sleep_after_each_poll_loses_the_line(rng):
    """A renewal process diffuses; the peak dies where J * sqrt(n) is large."""
    asleep, clock = seen(np.cumsum(rng.uniform(150, 450, 280))), seen(300 * np.arange(280) + rng.uniform(0, 150, 280))
    assert asleep.power[0] < 1.2, "about as strong as chance"
    assert clock.power[0] > 2 * asleep.power[0]
    assert clock.score[0] > 0.5


def test_a_harmonic_below_the_smallest_gap_is_pruned():
    """A train of pulses has as much power at a half, a third... of its period."""
    assert seen(np.arange(0, DAY, 600.0)).period_s[0] == pytest.approx(600, rel=0.01)


def test_few_connections_are_not_judged():
    found = seen(300.0 * np.arange(FEWEST - 1))
    assert np.isnan(found.power[0])
    assert found.score[0] == 0
    assert seen(300.0 * np.arange(FEWEST + 4)).score[0] >= 0


def test_permutations_come_from_the_key_alone(rng):
    series = rng.poisson(0.1, 2000).astype(np.float32)
    series -= series.mean()
    band = slice(4, 1000)
    assert threshold(series, band, "a") == threshold(series, band, "a") != threshold(series, band, "b")
    assert threshold(series, band, "a") == pytest.approx(threshold(series[::-1], band, "b"), rel=0.5)


def test_all_at_once_and_many_together(rng):
    assert seen(np.zeros(20)).score[0] == 0
    days = [np.sort(rng.uniform(0, DAY, 50)), 600.0 * np.arange(140), np.arange(3.0), 60.0 * np.arange(90)]
    start = (np.concatenate(days) * 1e6).astype(np.int64)
    edges = np.append(0, np.cumsum([len(day) for day in days]))
    together = spectra(start, edges, list("abcd"))
    alone = [seen(day, key).score[0] for day, key in zip(days, "abcd", strict=True)]
    assert together.score.tolist() == pytest.approx(alone)


@settings(max_examples=15, deadline=None)
@given(st.integers(20, 900), st.integers(10, 80), st.integers(0, 10**9))
def test_the_date_does_not_matter(period, count, shift):
    times = period * np.arange(count)
    plain, later = seen(times), seen(times + shift)
    assert plain.score[0] == later.score[0]
    assert 0 <= plain.score[0] <= 1


def test_the_law_is_that_of_permutations(rng):
    """Of many connections; the strongest of so many frequencies, as likely as not stronger than the law's median."""
    series = np.zeros(1024, np.float32)
    series[:300] = 1
    series -= series.mean()
    energy, band = float((series**2).sum()), slice(1, 512)
    tops = [threshold(series, band, f"{k}", bins=1024, above=0.0) for k in range(300)]  # the strongest of FIRST
    for against in (1, 9):
        beyond = np.mean(np.array(tops) > walker(energy, FIRST * 511, against))
        assert beyond == pytest.approx(1 / (1 + against), abs=0.08)


@pytest.mark.parametrize("count", [8, 12, 30])
def test_few_connections_stay_below_the_law(count):
    """So that what the law calls beyond doubt is so for them, too."""
    series = np.zeros(64 * count, np.float32)
    series[:count] = 1
    series -= series.mean()
    energy, band = float((series**2).sum()), slice(4, 32 * count)
    tops = [threshold(series, band, f"{k}", bins=64 * count) for k in range(40)]
    assert np.mean(np.array(tops) > walker(energy, PERMUTATIONS * 32 * count, 1)) < 0.5


def test_no_permutation_is_drawn_in_vain(rng):
    series = rng.poisson(0.1, 2000).astype(np.float32)
    series -= series.mean()
    some, every = (threshold(series, slice(4, 1000), "a", above=above) for above in (0.0, np.inf))
    assert 0 < some <= every


@pytest.mark.parametrize("gap", [0.0, 0.6])
def test_the_work_goes_with_the_connections_not_with_the_pairs(gap, rng, monkeypatch):
    """A million contacts of a dozen each took minutes when each pair had 16,384 bins."""
    transformed, before = [], spectrum._power

    def counted(series, bins):
        transformed.append(len(series) * bins)
        return before(series, bins)

    monkeypatch.setattr(spectrum, "_power", counted)
    days = [np.sort(7200.0 * np.arange(12) + rng.uniform(0, gap * 7200 + 1, 12)) for _ in range(50)]
    start = (np.concatenate(days) * 1e6).astype(np.int64)
    spectra(start, np.arange(51) * 12, [f"{k}" for k in range(50)])
    looks = 50 * (1 + PERMUTATIONS)
    assert 50 * 12 * EACH <= sum(transformed) <= looks * 2 * 12 * EACH < looks * BINS
