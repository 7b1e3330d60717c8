"""The size features: equal sizes score 1, spread sizes less, contacts without payload are unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.size_constancy import largest_cluster, size_constancy
from detector.features.size_symmetry import size_symmetry
from detector.features.smallness import smallness
from detector.features.task_mixture import task_mixture

sizes = st.lists(st.integers(1, 10**6), min_size=1, max_size=50).map(np.array)


@given(up=sizes)
def test_constancy_is_a_share_and_the_order_does_not_matter(up):
    score = size_constancy(up, up)
    assert 1 / len(up) <= score <= 1
    assert size_constancy(up[::-1], up) == score


@given(size=st.integers(1, 10**6), odd=st.integers(0, 20))
def test_every_odd_contact_lowers_constancy(size, odd):
    up = np.concatenate([np.full(40, size), np.full(odd, size * 3 + 50)])
    assert size_constancy(up, up) == pytest.approx(40 / (40 + odd))


def test_padding_destroys_constancy(rng):
    plain, padded = np.full(200, 900), 900 + rng.integers(0, 3000, 200)
    assert size_constancy(plain, plain) == 1
    assert size_constancy(padded, padded) < 0.2


def test_sizes_within_the_spread_are_one_cluster():
    assert largest_cluster(np.array([1000, 1030, 1060, 1200]), 0.03) == (0.75, 1000)
    assert largest_cluster(np.array([1000, 1030, 1060, 1200]), 0.0)[0] == 0.25


@given(volume=st.integers(1, 10**7))
def test_smallness_falls_with_volume(volume):
    less, more = (smallness(np.full(5, v), np.zeros(5, np.int64)) for v in (volume, volume * 2))
    assert 0 <= more <= less <= 1


@pytest.mark.parametrize("feature", [smallness, size_constancy, size_symmetry])
def test_no_payload_is_unknown(feature):
    assert feature(np.zeros(9, np.int64), np.zeros(9, np.int64)) is None


@given(up=st.integers(1, 10**6), down=st.integers(1, 10**6))
def test_symmetry_is_the_same_both_ways(up, down):
    assert size_symmetry(np.array([up]), np.array([down])) == size_symmetry(np.array([down]), np.array([up])) <= 1


def test_a_task_without_a_result_is_no_mixture():
    times, up, down = np.arange(20) * 30_000_000, np.full(20, 200), np.full(20, 300)
    down[7] = 9000
    assert task_mixture(times, up, down) == 0
    up[12] = 5000  # 150 s later
    assert task_mixture(times, up, down) == 0
    up[8] = 5000
    assert task_mixture(times, up, down) == 1
    assert task_mixture(times[:9], up[:9], down[:9]) is None
