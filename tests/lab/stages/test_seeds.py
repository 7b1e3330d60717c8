"""Numbers and generators drawn from conversations' seeds."""

from __future__ import annotations

import numpy as np
import pytest

from lab.stages.seeds import generator, mixed, states_of


def test_mixed_is_splitmix64():
    # first outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) from 0 and from 1234567
    first = mixed(np.array([0, 1234567]), 1)
    assert first.tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]
    assert mixed(np.array([1234567]), 2).tolist() == [3203168211198807973]


def test_a_generator_follows_from_its_seed_alone():
    alone, among = states_of(np.array([7])), states_of(np.array([5, 6, 7]))
    assert generator(alone[0]).random(5).tolist() == generator(among[2]).random(5).tolist()
    assert generator(among[1]).random(5).tolist() != generator(among[2]).random(5).tolist()


def test_generators_of_neighbouring_seeds_have_nothing_in_common():
    states = states_of(np.arange(2_000))
    drawn = np.array([generator(state).random(4) for state in states])
    assert len(np.unique(drawn)) == drawn.size
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 0.03
    assert np.abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.1


def test_a_state_of_another_generator_is_refused():
    with pytest.raises(ValueError, match="expected 3"):
        generator(states_of(np.array([1]))[0, :2])
