"""The relay features: a bridge scores 1, push, calls and torrents each fail one of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.bridge_correlation import bridge_correlation
from detector.features.byte_conservation import byte_conservation
from detector.features.concurrency import concurrency
from detector.features.fan_out import fan_out
from detector.features.pairing_lift import pairing_lift
from detector.features.stack_diversity import stack_diversity

amount = st.floats(0, 1e9)


@given(a=amount, b=amount, c=amount, d=amount)
def test_conservation_is_a_share_and_symmetric_in_its_pairs(a, b, c, d):
    assert 0 <= byte_conservation(a, b, c, d) <= 1
    assert byte_conservation(a, b, c, d) == byte_conservation(d, c, b, a)


def test_padding_lowers_conservation_but_push_destroys_it():
    assert byte_conservation(2000, 8000, 4000, 1000) == pytest.approx(2 / 3)
    assert byte_conservation(100, 50, 500_000, 900) < 0.01


@pytest.mark.parametrize("lag", [0, 1, 2, 3])
def test_correlation_finds_delays_up_to_three_seconds(lag, rng):
    a, b = (rng.exponential(1000, 600) * (rng.random(600) < 0.1) for _ in range(2))
    assert bridge_correlation(a, np.roll(b, lag), b, np.roll(a, lag)) > 0.95


def test_correlation_needs_both_directions_and_related_traffic(rng):
    a, b, c, d = (rng.exponential(1000, 1800) * (rng.random(1800) < 0.1) for _ in range(4))
    assert bridge_correlation(a, b, c, d) < 0.2
    assert bridge_correlation(a, b, c, a) < 0.2
    assert bridge_correlation(a, np.roll(b, 8), b, np.roll(a, 8)) < 0.2


def test_silence_does_not_correlate():
    nothing = np.zeros(50)
    assert bridge_correlation(nothing, nothing, nothing, nothing) == 0


def test_pairing_lift_is_nought_for_chance(rng):
    window = (0, 1_800_000_000)
    heard = np.sort(rng.integers(0, window[1], 60))
    assert pairing_lift(np.sort(rng.integers(0, window[1], 60)), heard, window) < 0.2
    assert pairing_lift(heard + 200_000, heard, window) == 1
    assert pairing_lift(heard[:2], heard, window) is None


@given(k=st.integers(0, 200))
def test_counts_score_no_less_when_larger(k):
    assert 0 <= fan_out(k) <= fan_out(k + 1) <= 1
    assert stack_diversity(k) is None or stack_diversity(k) <= stack_diversity(k + 1) <= 1


def test_concurrency_counts_open_flows():
    assert concurrency(np.array([0, 10, 20]), np.array([5, 15, 25])) == 1
    assert concurrency(np.array([]), np.array([])) == 0
