"""How well one column tells two classes apart: by a threshold, by a small tree, and by chance alone.

Pure arithmetic on arrays; a row weighs what its unit (an app) leaves it, so that an app of many rows counts once. Never
to be added: what a column means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lab.behaviours import Bool, Int64

Float64 = npt.NDArray[np.float64]
DEPTH = 3
FOLDS = 5
BINS = 48
LEAST_LEAF = 0.01  # of the weight: smaller leaves remember instead of telling (our choice)


def weighted_auc(labels: Bool, column: Float64, weight: Float64) -> float:
    """The chance that a labelled row has the larger value, ties counted half; 0.5 where a class is absent.

    Mann and Whitney (1947), with weights. ``labels``, ``column``, ``weight``: (n,) each.

    >>> weighted_auc(np.array([True, False, False]), np.array([2.0, 1.0, 2.0]), np.ones(3))
    0.75
    """
    _, place = np.unique(column, return_inverse=True)
    guilty = np.bincount(place, weights=weight * labels)
    innocent = np.bincount(place, weights=weight * ~labels)
    total = guilty.sum() * innocent.sum()
    below = np.cumsum(innocent) - innocent / 2
    return float((guilty * below).sum() / total) if total else 0.5


def spread(labels: Bool, column: Float64, weight: Float64, counts: tuple[int, int]) -> float:
    """The standard deviation of the AUC of a column that tells nothing; 0.5, its most, where a class is absent.

    The normal approximation of Mann and Whitney's U with its correction for ties (Lehmann, "Nonparametrics", 1975,
    from memory); ``counts`` are the independent labelled and other units, however many rows they have.
    """
    many, few = counts
    if not many or not few:
        return 0.5
    _, place = np.unique(column, return_inverse=True)
    share = (_shares(place, weight * labels) + _shares(place, weight * ~labels)) / 2
    variance = (many + few + 1) / (12 * many * few) * (1 - float((share**3).sum()))
    return min(0.5, float(np.sqrt(max(variance, 0.0))))


def word_auc(labels: Bool, words: Int64, weight: Float64, groups: Int64) -> float:
    """The AUC of what a word gives away: the share of labelled rows that it has in the other folds of groups.

    As with ``tree_auc`` only rows of one fold are compared, for all of which the same others are known: leaving out a
    row's own group alone would make a word look the more innocent the guiltier its group is. A word that the others
    lack has the share of all. Not folded at 0.5.
    """
    size = int(words.max(initial=0)) + 1
    fold = groups % FOLDS
    found, total = 0.0, 0.0
    for number in range(FOLDS):
        held = fold == number
        worth = float((weight * labels)[held].sum() * (weight * ~labels)[held].sum())
        if worth and labels[~held].any():
            bad, seen = (np.bincount(words[~held], part[~held], size) for part in (weight * labels, weight))
            told = np.where(seen > 0, bad / np.maximum(seen, 1e-12), bad.sum() / seen.sum())[words[held]]
            found += worth * weighted_auc(labels[held], told, weight[held])
            total += worth
    return found / total if total else 0.5


def tree_auc(labels: Bool, columns: Float64, weight: Float64, groups: Int64) -> float:
    """The AUC of a decision tree of depth 3 on ``columns`` (n, c), each fold judged by a tree grown on the others.

    Folds are whole groups, and only rows of one fold are compared with each other. CART with Gini impurity (Breiman et
    al., 1984) over at most BINS quantile bins a column. Not folded at 0.5: a tree knows which side is which.
    """
    binned = np.stack([_bins(column) for column in columns.T], axis=1)
    fold = groups % FOLDS
    found, total = 0.0, 0.0
    for number in range(FOLDS):
        held = fold == number
        worth = float((weight * labels)[held].sum() * (weight * ~labels)[held].sum())
        if worth and labels[~held].any():
            told = _predict(_grow(labels[~held], binned[~held], weight[~held], DEPTH), binned[held])
            found += worth * weighted_auc(labels[held], told, weight[held])
            total += worth
    return found / total if total else 0.5


def _shares(place: Int64, weight: Float64) -> Float64:
    found = np.bincount(place, weights=weight)
    return found / max(float(found.sum()), 1e-12)


def _bins(column: Float64) -> Int64:
    values = np.unique(column)
    if len(values) > BINS:
        values = np.unique(np.quantile(column, np.linspace(0, 1, BINS)))
    return np.minimum(np.searchsorted(values, column), len(values) - 1).astype(np.int64)


@dataclass(frozen=True)
class _Node:
    """A leaf, or rows whose bin of ``column`` is at most ``upto`` and the others."""

    share: float
    column: int = -1
    upto: int = 0
    below: _Node | None = None
    above: _Node | None = None


def _grow(labels: Bool, binned: Int64, weight: Float64, depth: int) -> _Node:
    total, bad = float(weight.sum()), float((weight * labels).sum())
    leaf = _Node(bad / total if total else 0.0)
    if not depth or not 0 < bad < total:
        return leaf
    best, column, upto = 1e-12, -1, 0
    for one in range(binned.shape[1]):
        sizes = np.bincount(binned[:, one], weights=weight, minlength=2).cumsum()[:-1]
        guilty = np.bincount(binned[:, one], weights=weight * labels, minlength=2).cumsum()[:-1]
        rest, others = total - sizes, bad - guilty
        fair = (sizes > LEAST_LEAF * total) & (rest > LEAST_LEAF * total)
        purity = np.where(fair, guilty**2 / np.maximum(sizes, 1e-12) + others**2 / np.maximum(rest, 1e-12), 0.0)
        place = int(purity.argmax())
        gain = float(purity[place]) - bad**2 / total
        if fair[place] and gain > best:
            best, column, upto = gain, one, place
    if column < 0:
        return leaf
    low = binned[:, column] <= upto
    below, above = (_grow(labels[side], binned[side], weight[side], depth - 1) for side in (low, ~low))
    return _Node(leaf.share, column, upto, below, above)


def _predict(node: _Node, binned: Int64) -> Float64:
    if node.below is None or node.above is None:
        return np.full(len(binned), node.share)
    low = binned[:, node.column] <= node.upto
    return np.where(low, _predict(node.below, binned), _predict(node.above, binned))
