"""Areas, trees and chance worked out by hand or against a slower way."""

import numpy as np
import pytest

from lab.catalogue.stumps import spread, tree_auc, weighted_auc, word_auc


def drawn(seed=1, n=400, share=0.2):
    rng = np.random.default_rng(seed)
    return rng, rng.random(n) < share, np.ones(n)


def test_auc_is_that_of_the_pairs():
    rng, labels, weight = drawn(n=60, share=0.4)
    column = rng.integers(0, 9, 60).astype(float)
    above = np.sign(column[labels][:, None] - column[~labels][None, :])
    assert weighted_auc(labels, column, weight) == pytest.approx(((above + 1) / 2).mean())
    assert weighted_auc(np.array([True, False]), np.array([1.0, 1.0]), np.ones(2)) == 0.5
    assert weighted_auc(np.array([True, True]), np.array([1.0, 2.0]), np.ones(2)) == 0.5


def test_a_weight_is_as_good_as_rows():
    labels, column = np.array([True, False, False]), np.array([2.0, 1.0, 3.0])
    again = [0, 1, 1, 1, 2]
    assert weighted_auc(labels, column, np.array([1.0, 3.0, 1.0])) == pytest.approx(
        weighted_auc(labels[again], column[again], np.ones(5))
    )


@pytest.mark.parametrize("values", [2, 5, 400])
def test_chance_is_that_of_shuffled_labels(values):
    rng, labels, weight = drawn()
    column = rng.integers(0, values, len(labels)).astype(float)
    shuffled = [weighted_auc(rng.permutation(labels), column, weight) for _ in range(600)]
    said = spread(labels, column, weight, (int(labels.sum()), int((~labels).sum())))
    assert said == pytest.approx(np.std(shuffled), rel=0.12)


def test_few_apps_prove_little_and_nobody_nothing():
    _, labels, weight = drawn()
    column = np.arange(400.0)
    assert spread(labels, column, weight, (7, 7)) > 0.14
    assert spread(labels, column, weight, (70, 250)) < 0.04
    assert spread(labels, column, weight, (0, 7)) == 0.5


def test_a_word_is_known_by_the_other_folds_only():
    groups = np.repeat(np.arange(5), 2)
    labels = np.tile([True, False], 5)
    telling = np.tile([0, 1], 5)
    assert word_auc(labels, telling, np.ones(10), groups) == 1.0
    assert word_auc(labels, 1 - telling, np.ones(10), groups) == 1.0
    assert word_auc(labels, np.arange(10), np.ones(10), groups) == 0.5, "seen nowhere else: the share of all"
    assert word_auc(np.zeros(10, dtype=bool), telling, np.ones(10), groups) == 0.5


@pytest.mark.parametrize(("share", "auc"), [(0.0, 0.5), (0.4, 0.7), (0.5, 0.75)])
def test_a_word_gives_away_no_more_and_no_less_than_it_does(share, auc):
    """Leaving out the own group alone told a word of a true 0.5 as 0.36 and hid a mild leak."""
    rng, labels, weight = drawn(n=4000, share=0.5)
    words = np.where(rng.random(4000) < 0.2 + share * labels, 0, 1 + rng.integers(0, 4, 4000))
    assert word_auc(labels, words, weight, np.arange(4000) // 4) == pytest.approx(auc, abs=0.03)


def test_a_tree_finds_what_no_threshold_does():
    rng, labels, weight = drawn()
    groups = np.arange(400) // 8
    column = np.where(labels, 50.0, rng.integers(0, 101, 400))
    assert abs(weighted_auc(labels, column, weight) - 0.5) < 0.1
    assert tree_auc(labels, column[:, None], weight, groups) > 0.9


def test_a_tree_joins_columns():
    rng, labels, weight = drawn(n=2000)
    columns = np.stack([labels | (rng.random(2000) < 0.4) for _ in range(2)], axis=1).astype(float)
    groups = np.arange(2000) // 20
    one = tree_auc(labels, columns[:, :1], weight, groups)
    assert one == pytest.approx(0.8, abs=0.03)
    assert tree_auc(labels, columns, weight, groups) == pytest.approx(1 - 0.4**2 / 2, abs=0.03)


def test_a_tree_does_not_remember():
    rng, labels, weight = drawn(n=600)
    assert tree_auc(labels, rng.random((600, 6)), weight, np.arange(600) // 6) < 0.58
    assert tree_auc(np.zeros(9, dtype=bool), np.zeros((9, 1)), np.ones(9), np.arange(9)) == 0.5
