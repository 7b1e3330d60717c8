"""Rows that follow each other in groups of different sizes: places and running sums within each, without a loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lab.behaviours import Int64
from lab.habits.longflow import Words

Floats = npt.NDArray[np.float64]


def positions(counts: Int64) -> tuple[Int64, Int64]:
    """Of rows that follow each other in groups of those sizes: the group of each, and its place in the group.

    >>> [part.tolist() for part in positions(np.array([2, 0, 3]))]
    [[0, 0, 2, 2, 2], [0, 1, 0, 1, 2]]
    """
    owner = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return owner, np.arange(len(owner), dtype=np.int64) - (np.cumsum(counts) - counts)[owner]


def summed(values: Floats, counts: Int64) -> Floats:
    """The running sum of values within each group of those sizes.

    >>> summed(np.array([1.0, 2.0, 5.0, 1.0]), np.array([2, 2])).tolist()
    [1.0, 3.0, 5.0, 6.0]
    """
    total = np.concatenate([[0.0], np.cumsum(values)])
    before = np.repeat(total[np.cumsum(counts) - counts], counts)
    found: Floats = total[1:] - before
    return found


def joined(*parts: tuple[Int64, Words]) -> tuple[Int64, Words]:
    """The words of several parts, each with the conversation every word belongs to; those of one conversation in order.

    >>> from lab.habits.longflow import words
    >>> once = words(np.array([5, 1]), 1, 1)
    >>> joined((np.array([0, 1]), once), (np.array([1]), words(np.array([9]), 2, 2)))[1].time.tolist()
    [5, 1, 9]
    """
    rows = np.concatenate([_rows(of, said) for of, said in parts], axis=1)
    of, *columns = rows[:, np.lexsort((rows[1], rows[0]))]
    return of, Words(*columns)


def _rows(of: Int64, said: Words) -> Int64:
    rows = np.empty((5, len(of)), dtype=np.int64)
    rows[0], rows[1], rows[2], rows[3], rows[4] = of, said.time, said.up, said.down, said.delay
    return rows
