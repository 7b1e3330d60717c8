"""Intervals against published tables and against their own definitions."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.scoring.intervals import poisson_cdf, poisson_rate, wilson

# Exact 95 % limits of a Poisson mean, as in Garwood (1936) and Johnson & Kotz
GARWOOD = {
    0: (0.0, 3.6889),
    1: (0.0253, 5.5716),
    2: (0.2422, 7.2247),
    3: (0.6187, 8.7673),
    5: (1.6235, 11.6683),
    10: (4.7954, 18.3904),
    20: (12.2165, 30.8884),
    100: (81.3640, 121.6268),
}
# Newcombe, Statistics in Medicine 17 (1998), table I, method 3
NEWCOMBE = {
    (81, 263): (0.2553, 0.3662),
    (15, 148): (0.0624, 0.1605),
    (0, 20): (0.0, 0.1611),
    (1, 29): (0.0061, 0.1718),
}


@pytest.mark.parametrize(("events", "expected"), GARWOOD.items())
def test_poisson_rate_agrees_with_the_table(events, expected):
    assert poisson_rate(events, 1.0) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(("counts", "expected"), NEWCOMBE.items())
def test_wilson_agrees_with_the_table(counts, expected):
    assert wilson(*counts) == pytest.approx(expected, abs=6e-5)


def test_rule_of_three():
    assert poisson_rate(0, 3000.0, confidence=0.9)[1] == pytest.approx(1 / 1000, rel=0.002)


def test_nothing_is_no_interval():
    assert wilson(0, 0) is None
    assert poisson_rate(3, 0.0) is None
    assert poisson_rate(3, math.nan) is None


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="found 3 of 2"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="found -1"):
        poisson_rate(-1, 1.0)


@given(st.integers(0, 400), st.floats(0.01, 500))
def test_poisson_cdf_is_the_sum_of_its_terms(events, mean):
    terms = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1))
    assert poisson_cdf(events, mean) == pytest.approx(math.fsum(terms), abs=1e-10)


@given(st.integers(0, 5000), st.floats(0.001, 1e5))
def test_poisson_rate_leaves_half_the_doubt_on_each_side(events, exposure):
    low, high = poisson_rate(events, exposure)
    assert low <= events / exposure <= high
    assert poisson_cdf(events, high * exposure) == pytest.approx(0.025, abs=1e-6)
    assert events == 0 or 1 - poisson_cdf(events - 1, low * exposure) == pytest.approx(0.025, abs=1e-6)


@given(st.integers(1, 2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilson_holds_the_share_and_mirrors(counts):
    hits, of = counts
    low, high = wilson(hits, of)
    assert 0.0 <= low <= hits / of <= high <= 1.0
    assert wilson(of - hits, of) == pytest.approx((1 - high, 1 - low))
