"""Measures of many groups at once: each is what the measure of one group gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.grouped import (
    grouped_clusters,
    grouped_gaps,
    grouped_kinds,
    grouped_quantiles,
    grouped_share,
    grouped_sorted,
    grouped_steps,
    spans,
)
from detector.quantiles import quantiles

groups = st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=12), min_size=1, max_size=8)


def laid(parts):
    return np.concatenate([np.array(part, np.int64) for part in parts]), np.cumsum([0, *map(len, parts)])


def largest_cluster(sizes, spread):
    """Share and smallest size of the largest set of sizes s with max <= min * (1 + 2 * spread), at least 4 B wide."""
    ordered = sorted(sizes.tolist())
    members = [sum(low <= size <= max(low * (1 + 2 * spread), low + 4) for size in ordered) for low in ordered]
    return max(members) / len(ordered), ordered[int(np.argmax(members))]


@given(groups)
def test_quantiles_and_clusters_are_those_of_each_group(parts):
    values, edges = laid(parts)
    found = grouped_quantiles(values.astype(np.float64), edges, 0.05, 0.5, 0.75)
    shares, smallest = grouped_clusters(values, edges, 0.03)
    for k, part in enumerate(parts):
        assert tuple(row[k] for row in found) == quantiles(np.array(part, np.float64), 0.05, 0.5, 0.75)
        assert (shares[k], smallest[k]) == largest_cluster(np.array(part), 0.03)


@given(groups)
def test_gaps_do_not_cross_groups(parts):
    times, edges = laid([sorted(part) for part in parts])
    gaps, where = grouped_gaps(times, edges)
    for k, part in enumerate(parts):
        assert gaps[where[k] : where[k + 1]].tolist() == np.diff(sorted(part)).tolist()


def test_an_empty_group_has_no_quantile():
    (found,) = grouped_quantiles(np.array([3.0]), np.array([0, 0, 1, 1]), 0.5)
    assert np.isnan(found).tolist() == [True, False, True]


@given(groups, st.integers(1, 3))
def test_steps_look_that_far_ahead(parts, ahead):
    times, edges = laid([sorted(part) for part in parts])
    gaps, where = grouped_steps(times, edges, ahead)
    for k, part in enumerate(parts):
        ordered = sorted(part)
        assert gaps[where[k] : where[k + 1]].tolist() == [b - a for a, b in zip(ordered, ordered[ahead:], strict=False)]


@given(groups)
def test_sorting_and_kinds_stay_within_groups(parts):
    values, edges = laid(parts)
    ordered = grouped_sorted(values, edges)
    group, kind = grouped_kinds(values, edges)
    for k, part in enumerate(parts):
        assert ordered[edges[k] : edges[k + 1]].tolist() == sorted(part)
        assert kind[group == k].tolist() == sorted(set(part))


def test_numbers_too_large_for_one_key_are_sorted_all_the_same():
    values = np.array([2**61, 5, 900, 7])
    assert grouped_sorted(values, np.array([0, 2, 4])).tolist() == [5, 2**61, 7, 900]
    assert grouped_clusters(values, np.array([0, 2, 4]), 0.03)[0].tolist() == [0.5, 0.5]


@given(flags=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_a_share_counts_only_what_is_known(flags):
    flag, known = (np.array([one[k] for one in flags], bool) for k in (0, 1))
    (share,) = grouped_share(flag, known, np.array([0, len(flags)]))
    assert np.isnan(share) == (not known.any())
    assert np.isnan(share) or share == pytest.approx(np.mean(flag[known]))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=9))
def test_spans_are_ranges_one_after_another(parts):
    starts, lengths = (np.array([one[k] for one in parts], np.int64) for k in (0, 1))
    assert spans(starts, lengths).tolist() == [n for start, many in parts for n in range(start, start + many)]
