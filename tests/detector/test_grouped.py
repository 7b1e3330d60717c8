"""Measures of many groups at once: each is what the measure of one group gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.size_constancy import largest_cluster
from detector.grouped import grouped_clusters, grouped_gaps, grouped_quantiles
from detector.quantiles import quantiles

groups = st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=12), min_size=1, max_size=8)


def laid(parts):
    return np.concatenate([np.array(part, np.int64) for part in parts]), np.cumsum([0, *map(len, parts)])


@given(groups)
def test_quantiles_and_clusters_are_those_of_each_group(parts):
    values, edges = laid(parts)
    found = grouped_quantiles(values.astype(np.float64), edges, 0.05, 0.5, 0.75)
    shares = grouped_clusters(values, edges, 0.03)
    for k, part in enumerate(parts):
        assert tuple(row[k] for row in found) == quantiles(np.array(part, np.float64), 0.05, 0.5, 0.75)
        assert shares[k] == largest_cluster(np.array(part), 0.03)[0]


@given(groups)
def test_gaps_do_not_cross_groups(parts):
    times, edges = laid([sorted(part) for part in parts])
    gaps, where = grouped_gaps(times, edges)
    for k, part in enumerate(parts):
        assert gaps[where[k] : where[k + 1]].tolist() == np.diff(sorted(part)).tolist()


def test_an_empty_group_has_no_quantile():
    (found,) = grouped_quantiles(np.array([3.0]), np.array([0, 0, 1, 1]), 0.5)
    assert np.isnan(found).tolist() == [True, False, True]


@pytest.mark.parametrize("sizes", [[-1, 5, 900], [2**61, 5, 900]])
def test_sizes_that_cannot_be_compared_at_once_bound_nothing(sizes):
    assert grouped_clusters(np.array(sizes), np.array([0, 2, 3]), 0.03).tolist() == [1, 1]
