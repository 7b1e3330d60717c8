"""Rankings worked out by hand, and laws that any ranking obeys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.scoring.ranking import average_precision, quantile, recall_within, roc_auc

RANKED = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0]), st.booleans()), max_size=30)


def test_average_precision_by_hand():
    # + - + -, two relevant: 1/2 * 1/1 + 1/2 * 2/3
    ranked = [(0.9, True), (0.8, False), (0.7, True), (0.1, False)]
    assert average_precision(ranked, 2) == pytest.approx(1 / 2 + 1 / 3)


def test_average_precision_counts_what_was_never_ranked():
    assert average_precision([(0.9, True)], 4) == pytest.approx(1 / 4)
    assert average_precision([], 4) == 0.0


def test_ties_are_one_step():
    # one of each at 0.5: precision 1/2 when both relevant are not yet there, then 2/3
    ranked = [(0.5, True), (0.5, False), (0.2, True)]
    assert average_precision(ranked, 2) == pytest.approx(1 / 2 * 1 / 2 + 1 / 2 * 2 / 3)
    assert average_precision(list(reversed(ranked)), 2) == average_precision(ranked, 2)


def test_nothing_relevant_is_no_precision():
    assert average_precision([(0.9, False)], 0) is None


def test_more_hits_than_relevant_is_refused():
    with pytest.raises(ValueError, match="found 2"):
        average_precision([(0.9, True), (0.8, True)], 1)


@given(RANKED, st.integers(1, 5), st.sampled_from([0.0, 0.4, 1.0]))
def test_another_false_one_never_helps(ranked, missing, value):
    relevant = sum(good for _, good in ranked) + missing
    assert average_precision([*ranked, (value, False)], relevant) <= average_precision(ranked, relevant) + 1e-12


@given(RANKED, st.integers(1, 5))
def test_average_precision_lies_between_0_and_1_and_forgets_order(ranked, missing):
    relevant = sum(good for _, good in ranked) + missing
    area = average_precision(ranked, relevant)
    assert 0.0 <= area <= 1.0
    assert average_precision(sorted(ranked), relevant) == area


def test_recall_within_what_may_go_wrong():
    ranked = [(0.9, True), (0.8, False), (0.8, True), (0.7, True), (0.6, False)]
    assert [recall_within(ranked, 4, allowed) for allowed in (0, 1, 2)] == [1 / 4, 3 / 4, 3 / 4]
    assert recall_within(ranked, 0, 0) is None
    assert recall_within([], 4, 0) == 0.0


@given(RANKED, st.integers(1, 5), st.integers(0, 8))
def test_more_that_may_go_wrong_never_costs_recall(ranked, missing, allowed):
    relevant = sum(good for _, good in ranked) + missing
    assert recall_within(ranked, relevant, allowed) <= recall_within(ranked, relevant, allowed + 1) < 1


def test_roc_auc_by_hand():
    assert roc_auc([0.9, 0.4], [0.5, 0.1]) == pytest.approx(3 / 4)
    assert roc_auc([0.5], [0.5]) == 0.5
    assert roc_auc([], [0.5]) is None
    assert roc_auc([0.5], []) is None


def test_quantile_is_a_value_that_occurred():
    assert quantile([1.0, 2.0, 3.0, 10.0], 0.9) == 10.0
    assert quantile([5.0], 0.0) == 5.0
    assert quantile([], 0.5) is None
