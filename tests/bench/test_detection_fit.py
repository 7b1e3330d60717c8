"""The fit of non-negative weights, held against its own conditions of optimality and against a planted truth."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.detection.fit import fitted, masses


def planted(count=4_000, seed=1):
    rng = np.random.default_rng(seed)
    factors = rng.random((count, 4))
    chance = 1 / (1 + np.exp(3 - 4 * factors[:, 0] - 2 * factors[:, 1] + 3 * factors[:, 3]))
    guilty = rng.random(count) < chance
    return factors, np.where(guilty, np.arange(count), -1)


def test_factor_that_tells_is_weighed_one_that_misleads_is_not():
    factors, incident = planted()
    found = fitted(factors, incident, penalty=1e-6)
    assert found.weights[0] > found.weights[1] > 1.0
    assert found.weights[2] < 0.5
    assert found.weights[3] == 0.0


@pytest.mark.parametrize("penalty", [1e-6, 1e-2])
def test_no_step_to_any_side_lowers_the_loss(penalty):
    factors, incident = planted(800)
    found = fitted(factors, incident, penalty=penalty)
    mass, guilty = masses(incident), incident >= 0

    def loss(weights, bias):
        z = factors @ weights + bias
        return mass @ (np.logaddexp(0, z) - guilty * z) + 0.5 * penalty * weights @ weights

    assert loss(found.weights, found.bias) == pytest.approx(found.loss)
    for k in range(4):
        for step in (-1e-3, 1e-3):
            weights = found.weights.copy()
            weights[k] = max(0.0, weights[k] + step)
            assert loss(weights, found.bias) >= found.loss - 1e-12
    assert min(loss(found.weights, found.bias + step) for step in (-1e-3, 1e-3)) >= found.loss - 1e-12


def test_penalty_shares_a_weight_between_equal_factors():
    factors, incident = planted()
    twins = np.column_stack([factors[:, 0], factors[:, 0]])
    found = fitted(twins, incident, penalty=1e-3)
    assert found.weights[0] == pytest.approx(found.weights[1], rel=1e-3)


def test_incident_of_many_rows_weighs_as_one_of_few():
    factors, incident = planted(500)
    more = np.flatnonzero(incident == incident.max()).repeat(9)
    again = fitted(np.vstack([factors, factors[more]]), np.append(incident, incident[more]), penalty=1e-3)
    assert again.weights == pytest.approx(fitted(factors, incident, penalty=1e-3).weights, abs=1e-5)


@pytest.mark.parametrize("incident", [[-1, -1], [0, 1]])
def test_one_kind_alone_cannot_be_fitted(incident):
    with pytest.raises(ValueError, match="expected some of both kinds"):
        fitted(np.zeros((2, 1)), np.array(incident), penalty=1.0)
