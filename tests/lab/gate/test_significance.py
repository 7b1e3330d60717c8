"""Tests of "worse than before" against exhaustive enumeration: every way that chance could have dealt the pairs."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.gate.significance import DRAWS, holm, mcnemar, nearest_rank, paired_bootstrap, swapped, total
from lab.scoring.ranking import quantile


@given(lost=st.integers(0, 7), gained=st.integers(0, 7))
def test_mcnemar_counts_every_way_of_dealing(lost, gained):
    n = lost + gained
    worse = sum(sum(signs) >= lost for signs in itertools.product((0, 1), repeat=n))
    assert mcnemar(lost, gained) == pytest.approx(worse / 2**n, abs=1e-15)


@settings(max_examples=1000)
@given(lost=st.integers(0, 400), gained=st.integers(0, 400))
def test_mcnemar_in_exact_fractions(lost, gained):
    n = lost + gained
    exact = Fraction(sum(math.comb(n, many) for many in range(lost, n + 1)), 2**n)
    assert mcnemar(lost, gained) == pytest.approx(float(exact), rel=1e-12)
    assert 0 < mcnemar(lost, gained) <= 1


def test_mcnemar_is_one_sided_and_refuses_nonsense():
    assert mcnemar(0, 12) == 1.0
    assert mcnemar(12, 0) == pytest.approx(2**-12)
    with pytest.raises(ValueError, match="below 0"):
        mcnemar(-1, 2)


def closed(chances, alpha):
    """Closed testing with Bonferroni: rejected if every set of hypotheses around it is (Marcus et al., 1976)."""
    places = range(len(chances))
    sets = [some for size in range(1, len(chances) + 1) for some in itertools.combinations(places, size)]
    out = {some: min(chances[one] for one in some) <= alpha / len(some) for some in sets}
    return [all(out[some] for some in sets if place in some) for place in places]


@given(st.lists(st.sampled_from([0.0, 0.004, 0.01, 0.012, 0.02, 0.03, 0.05, 0.06, 1.0]), max_size=6))
def test_holm_is_the_shortcut_of_closed_testing(chances):
    assert holm(chances, 0.05) == closed(chances, 0.05)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=9))
def test_a_randomisation_agrees_with_all_swaps(pairs):
    now, before = ([float(pair[side]) for pair in pairs] for side in (0, 1))
    seen = sum(now) - sum(before)
    swaps = list(itertools.product((1, -1), repeat=len(pairs)))
    exact = sum(sum(s * (a - b) for s, (a, b) in zip(signs, pairs, strict=True)) >= seen for signs in swaps) / len(
        swaps
    )
    spread = math.sqrt(exact * (1 - exact) / DRAWS)
    assert swapped(now, before, total(1.0)) == pytest.approx(exact, abs=5 * spread + 2 / DRAWS)


def test_what_is_better_or_the_same_has_no_small_chance():
    assert swapped([1.0, 2.0], [1.0, 2.0], total(1.0)) == 1.0
    assert swapped([], [], total(1.0)) == 1.0
    assert swapped([0.0] * 9, [3.0] * 9, total(1.0)) == 1.0
    assert swapped([3.0] * 12, [0.0] * 12, total(1.0)) < 0.01


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20), st.floats(0.01, 0.99))
def test_quantiles_are_those_of_the_scorecard(values, share):
    assert float(nearest_rank(share)(np.array([values]))[0]) == quantile(values, share)


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9)), min_size=1, max_size=12))
def test_the_bootstrap_lies_between_the_extremes_and_repeats(pairs):
    now, before = ([pair[side] for pair in pairs] for side in (0, 1))
    low, high = paired_bootstrap(now, before, total(len(pairs)))
    differences = [a - b for a, b in pairs]
    assert min(differences) - 1e-9 <= low <= high <= max(differences) + 1e-9
    assert paired_bootstrap(now, before, total(len(pairs))) == (low, high)


def test_no_pairs_no_interval():
    assert paired_bootstrap([], [], total(1.0)) is None
