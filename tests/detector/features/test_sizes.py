"""The size features: equal sizes score 1, spread sizes less, contacts without payload are unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.size_constancy import constancy, size_constancy
from detector.features.size_symmetry import size_symmetry
from detector.features.smallness import smallness
from detector.features.task_mixture import task_mixture
from detector.grouped import grouped_clusters

sizes = st.lists(st.integers(1, 10**6), min_size=1, max_size=50).map(np.array)


def alike(up, down, spread=0.03):
    edges = np.array([0, len(up)])
    sides = (constancy(grouped_clusters(side, edges, spread)[0], side, edges) for side in (up, down))
    return float(size_constancy(*sides)[0])


def both(feature, up, down):
    return float(feature(up, down, np.array([0, len(up)]))[0])


def tasks(times, up, down):
    edges = np.array([0, len(times)])
    asked, answers = (grouped_clusters(side, edges, 0.03) for side in (up, down))
    return float(task_mixture((times, up, down), edges, answers, asked[1])[0])


@given(up=sizes)
def test_constancy_is_a_share_and_the_order_does_not_matter(up):
    score = alike(up, up)
    assert 1 / len(up) <= score <= 1
    assert alike(up[::-1], up) == score


@given(size=st.integers(1, 10**6), odd=st.integers(0, 20))
def test_every_odd_contact_lowers_constancy(size, odd):
    up = np.concatenate([np.full(40, size), np.full(odd, size * 3 + 50)])
    assert alike(up, up) == pytest.approx(40 / (40 + odd))


def test_padding_destroys_constancy(rng):
    plain, padded = np.full(200, 900), 900 + rng.integers(0, 3000, 200)
    assert alike(plain, plain) == 1
    assert alike(padded, padded) < 0.2


def test_a_silent_direction_says_nothing():
    assert alike(np.full(9, 300), np.zeros(9, np.int64)) == 1
    assert np.isnan(alike(np.zeros(9, np.int64), np.zeros(9, np.int64)))


@given(volume=st.integers(1, 10**7))
def test_smallness_falls_with_volume(volume):
    less, more = (both(smallness, np.full(5, v), np.zeros(5, np.int64)) for v in (volume, volume * 2))
    assert 0 <= more <= less <= 1


@pytest.mark.parametrize("feature", [smallness, size_symmetry])
def test_no_payload_is_unknown(feature):
    assert np.isnan(both(feature, np.zeros(9, np.int64), np.zeros(9, np.int64)))


@given(up=st.integers(1, 10**6), down=st.integers(1, 10**6))
def test_symmetry_is_the_same_both_ways(up, down):
    one, other = np.array([up]), np.array([down])
    assert both(size_symmetry, one, other) == both(size_symmetry, other, one) <= 1


def test_a_task_without_a_result_is_no_mixture():
    times, up, down = np.arange(20) * 30_000_000, np.full(20, 200), np.full(20, 300)
    down[7] = 9000
    assert tasks(times, up, down) == 0
    up[12] = 5000  # 150 s later
    assert tasks(times, up, down) == 0
    up[8] = 5000
    assert tasks(times, up, down) == 1
    assert np.isnan(tasks(times[:9], up[:9], down[:9]))


def test_a_result_in_another_group_is_none_of_this_one():
    times, up, down = np.arange(20) * 30_000_000, np.full(20, 200), np.full(20, 300)
    down[9], up[10] = 9000, 5000
    edges = np.array([0, 10, 20])
    answers, usual = grouped_clusters(down, edges, 0.03), grouped_clusters(up, edges, 0.03)[1]
    assert task_mixture((times, up, down), edges, answers, usual).tolist() == [0, 0]
