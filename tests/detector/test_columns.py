"""Columns as arrays: nulls marked, texts coded, joins and groups by value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.columns import NULL, codes, joined, numbered, ordered, stable_order, whole

numbers = st.lists(st.integers(-5, 5), min_size=1, max_size=40).map(np.array)


def test_nulls_become_the_mark():
    assert whole(pa.chunked_array([[1, None], [3]])).tolist() == [1, NULL, 3]
    assert whole(pa.chunked_array([[True, None, False]]), null=0).tolist() == [1, 0, 0]


@given(texts=st.lists(st.one_of(st.none(), st.sampled_from("abc"))))
def test_codes_give_back_their_texts(texts):
    column = codes(pa.chunked_array([texts], pa.string()))
    assert [column.text(row) for row in range(len(texts))] == texts


def test_codes_over_several_chunks_agree():
    column = codes(pa.chunked_array([["a", "b"], ["b", None]]))
    assert column.code[1] == column.code[2]
    assert column.of(np.arange(4)) == ["b", "a"]


@given(rows=st.permutations(["b", "a", "c", "c", None]))
def test_the_most_frequent_comes_first_whatever_the_order_of_the_rows(rows):
    assert codes(pa.chunked_array([rows], pa.string())).of(np.arange(5)) == ["c", "a", "b"]


def test_renamed_joins_equal_texts():
    column = codes(pa.chunked_array([["x.a", "y.a", None, "z"]]))
    new = column.renamed([text.split(".")[-1] for text in column.texts])
    assert [new.text(row) for row in range(4)] == ["a", "a", None, "z"]
    assert new.code[0] == new.code[1]


@given(left=numbers, right=numbers)
def test_numbered_groups_by_all_columns(left, right):
    size = min(len(left), len(right))
    left, right = left[:size], right[:size]
    group, first = numbered(left, right)
    pairs = list(zip(left.tolist(), right.tolist(), strict=True))
    assert len(first) == len(set(pairs))
    assert all(pairs[first[g]] == pair for g, pair in zip(group, pairs, strict=True))


@given(keys=st.sets(st.integers(-50, 50)), wanted=numbers)
def test_joined_finds_what_is_there(keys, wanted):
    known = np.array(list(keys), np.int64)
    rows = joined(known, wanted)
    for row, want in zip(rows, wanted, strict=True):
        assert (row == NULL) == (want not in keys)
        assert row == NULL or known[row] == want


#: Small ones, ones too far apart to be sorted with their row as one number, and ones too far apart even by digits.
FAR = st.one_of(st.integers(-5, 5), st.integers(-(2**60), 2**60), st.integers(-(2**63), 2**63 - 1))


@given(keys=st.lists(FAR, max_size=40), scale=st.sampled_from([1, 40]))
def test_the_stable_order_is_numpys(keys, scale):
    every = np.array(keys * scale, np.int64)
    assert stable_order(every).tolist() == np.argsort(every, kind="stable").tolist()


@given(rows=st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2**50)), max_size=40))
def test_ordered_is_a_lexsort_first_column_first(rows):
    first, second = (np.array([row[k] for row in rows], np.int64) for k in (0, 1))
    assert ordered(first, second).tolist() == np.lexsort((second, first)).tolist()


@given(keys=st.lists(FAR, max_size=20, unique=True), wanted=st.lists(FAR, max_size=20))
def test_joined_finds_near_and_far_numbers_alike(keys, wanted):
    asked = wanted + keys[:3]
    found = joined(np.array(keys, np.int64), np.array(asked, np.int64))
    assert found.tolist() == [keys.index(one) if one in keys else NULL for one in asked]


def test_of_equal_keys_the_first_is_joined():
    assert (
        joined(np.array([4, 4]), np.array([4])).tolist()
        == joined(np.array([4, 4, 2**62]), np.array([4])).tolist()
        == [0]
    )
