"""The law chooser finds the law that gaps were drawn from, and says how well it fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.authoring.from_capture_laws import FIXED_WITHIN, law_of
from lab.habits.clock import alarms, sleeps

SHAPES = {
    "fixed": "fixed",
    "uniform": "flat",
    "cobalt-strike": "flat",
    "additive": "flat",
    "exponential": "exponential",
    "lognormal": "lognormal",
    "phase": "phase",
}
JITTERED = ("uniform", "cobalt-strike", "additive")
periods = st.floats(20, 7_200)
seeds = st.integers(0, 10_000)


def gaps(law, *, period, jitter, count, seed):
    rng = np.random.default_rng(seed)
    if law == "phase":
        return np.diff(alarms(rng, period, jitter, int((count + 1) * period * 1e6))) / 1e6
    return sleeps(rng, law, period, jitter, count) / 1e6


@pytest.mark.parametrize("law", SHAPES)
def test_of_a_hundred_samples_nearly_all_are_told(law):
    found = [law_of(gaps(law, period=300.0, jitter=0.4, count=200, seed=seed)) for seed in range(100)]
    assert sum(one.shape == SHAPES[law] for one in found) >= (75 if law == "lognormal" else 90)


@settings(max_examples=60, deadline=None)
@given(law=st.sampled_from(JITTERED), period=periods, jitter=st.floats(0.1, 0.9), seed=seeds)
def test_the_mean_of_a_jittered_sleep_is_found_within_a_tenth(law, period, jitter, seed):
    said = gaps(law, period=period, jitter=jitter, count=200, seed=seed)
    found = law_of(said)
    assert found.mean_s == pytest.approx(said.mean(), rel=0.1)
    assert found.error < 0.1


@settings(max_examples=40, deadline=None)
@given(period=periods, lost=st.integers(0, 6), seed=seeds)
def test_a_fixed_sleep_is_fixed_though_the_phone_was_off_now_and_then(period, lost, seed):
    said = gaps("fixed", period=period, jitter=0, count=100, seed=seed)
    said[np.random.default_rng(seed).choice(100, lost, replace=False)] += 20 * period
    found = law_of(said)
    assert (found.shape, found.name) == ("fixed", "fixed")
    assert found.period_s == pytest.approx(period, rel=0.001)
    assert found.error <= FIXED_WITHIN


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(2.0, 1e6), min_size=7, max_size=80))
def test_any_gaps_get_a_law_that_a_behaviour_can_keep(said):
    found = law_of(np.array(said))
    assert found.period_s > 0
    assert 0 <= found.jitter <= 1
    assert 0 <= found.sigma <= 3
    assert np.isfinite([found.error, found.mean_s, found.dispersion]).all()
    assert found.shape not in found.rivals


def test_a_flat_law_is_read_so_that_its_period_is_round():
    for law, period in (("cobalt-strike", 300.0), ("additive", 300.0), ("uniform", 300.0)):
        found = law_of(gaps(law, period=period, jitter=0.3, count=400, seed=5))
        assert found.name == law
        assert found.period_s == pytest.approx(period, rel=0.02)
        assert "flat from" in found.why
    odd = law_of(gaps("cobalt-strike", period=443.0, jitter=0.1, count=400, seed=5))
    assert odd.name == "uniform"
    assert "no reading" in odd.why


def test_too_few_gaps_have_no_law():
    with pytest.raises(ValueError, match="found 6 gaps, expected at least 7"):
        law_of(np.full(6, 60.0))


@settings(max_examples=40, deadline=None)
@given(law=st.sampled_from(JITTERED), period=periods, seed=seeds)
def test_silences_and_tasks_are_set_aside_where_nothing_else_fits(law, period, seed):
    said = gaps(law, period=period, jitter=0.2, count=80, seed=seed)
    where = np.random.default_rng(seed).permutation(80)
    disturbed = said.copy()
    disturbed[where[:18]] *= np.random.default_rng(seed).uniform(3, 8, 18)
    disturbed[where[18:22]] = 0.05 * period
    found = law_of(disturbed)
    assert (found.silences, found.hurries) == (18, 4)
    assert found.shape in {"flat", "fixed", "phase"}
    assert found.mean_s == pytest.approx(said.mean(), rel=0.1)
    assert law_of(said).silences == 0


def test_a_memoryless_sleep_is_not_cut_to_fit():
    for seed in range(50):
        found = law_of(gaps("exponential", period=300.0, jitter=0, count=100, seed=seed))
        assert found.silences + found.hurries == 0
