"""The limit of timing against simulated likelihood ratios, and against what must hold at its ends."""

import math

import numpy as np
import pytest

from lab.scoring.timing_limit import contacts_needed, divergence, largest_jitter, longest_period

LAWS = ("uniform", "cobalt-strike", "additive")
FACTORS = {
    "uniform": lambda u, j: 1 + j * (2 * u - 1),
    "cobalt-strike": lambda u, j: 1 - j * u,
    "additive": lambda u, j: 1 + j * u,
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("jitter", [0.1, 0.5, 0.9, 1.0])
def test_divergence_is_the_mean_log_likelihood_ratio(law, jitter):
    sleep = FACTORS[law](np.random.default_rng(1).random(400_000), jitter)
    width = (2 if law == "uniform" else 1) * jitter
    ratio = -math.log(width) + math.log(sleep.mean()) + sleep / sleep.mean()
    assert divergence(law, jitter) == pytest.approx(ratio.mean(), abs=0.01)


@pytest.mark.parametrize("law", LAWS)
def test_the_nearest_exponential_is_the_one_of_the_same_mean(law):
    """Any other rate is further away: the limit is a bound for a detector that knows the honest rate."""
    sleep = FACTORS[law](np.random.default_rng(1).random(100_000), 0.7)
    told = [math.log(1 / rate) + rate * sleep.mean() for rate in np.array([0.5, 0.9, 1.1, 2.0]) / sleep.mean()]
    assert all(one > math.log(sleep.mean()) + 1 for one in told)


@pytest.mark.parametrize(("jitter", "power"), [(0.5, 7), (0.9, 18), (1.0, 52)])
def test_it_is_below_what_a_test_without_knowledge_of_the_period_needs(jitter, power):
    """Half the power of a scale-free test at alpha 1e-3, by simulation: it needs more, and never fewer."""
    assert contacts_needed("cobalt-strike", jitter, 1e-3) < power


def test_a_memoryless_sleep_is_never_told():
    assert contacts_needed("exponential", 0.0, 1e-3) == math.inf
    assert longest_period("exponential", 0.0, 86_400.0, 1e-3) is None
    assert largest_jitter("exponential", 60.0, 86_400.0, 1e-3) is None


def test_an_unknown_law_has_no_limit():
    assert contacts_needed("lognormal", 0.5, 1e-3) is None
    assert longest_period("lognormal", 0.5, 86_400.0, 1e-3) is None


def test_jitter_and_period_are_each_others_inverse():
    for jitter in (0.3, 0.6, 0.9):
        period = longest_period("cobalt-strike", jitter, 86_400.0, 5e-5)
        assert largest_jitter("cobalt-strike", period, 86_400.0, 5e-5) == pytest.approx(jitter)
    assert largest_jitter("cobalt-strike", 30.0, 86_400.0, 5e-5) is None
    assert largest_jitter("cobalt-strike", 80_000.0, 86_400.0, 5e-5) is None


def test_more_jitter_and_a_smaller_budget_need_more_contacts():
    for law in LAWS:
        needed = [contacts_needed(law, jitter, 1e-3) for jitter in (0.0, 0.2, 0.4, 0.8, 1.0)]
        assert needed == sorted(needed)
        assert contacts_needed(law, 0.8, 1e-5) > contacts_needed(law, 0.8, 1e-3)
