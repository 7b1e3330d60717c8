"""Arrow columns as numpy arrays: whole numbers with a mark for null, texts as codes into a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int64 = npt.NDArray[np.int64]
NULL = -1


@dataclass(frozen=True)
class Codes:
    """(n,) codes of a text column into ``texts``; NULL for null."""

    code: Int64
    texts: list[str]

    def text(self, row: int) -> str | None:
        """The text of one row; None for null."""
        code = self.code[row]
        return None if code == NULL else self.texts[code]

    def of(self, rows: Int64) -> list[str]:
        """The distinct texts of some rows, most frequent first, ties in the order of the texts; nulls left out."""
        code = self.code[rows]
        if len(code) and (code == code[0]).all():
            return [] if code[0] == NULL else [self.texts[code[0]]]
        kinds, counts = np.unique(code[code != NULL], return_counts=True)
        often = sorted((-count, self.texts[kind]) for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True))
        return [text for _, text in often]

    def renamed(self, new: list[str]) -> Codes:
        """The same rows with every text replaced by the one at its place in ``new``, equal ones joined."""
        distinct = sorted(set(new))
        place = {text: k for k, text in enumerate(distinct)}
        table = np.array([place[text] for text in new] + [NULL], np.int64)
        return Codes(table[self.code], distinct)


def whole(column: pa.ChunkedArray, null: int = NULL) -> Int64:
    """(n,) a whole-number, time or boolean column; nulls become ``null``."""
    return np.asarray(column.cast(pa.int64()).fill_null(null).to_numpy(), np.int64)


def codes(column: pa.ChunkedArray) -> Codes:
    """A text column as codes."""
    found: Any = column.combine_chunks().dictionary_encode()
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    return Codes(np.asarray(found.indices.fill_null(NULL), np.int64), found.dictionary.to_pylist())


def stable_order(keys: Int64) -> Int64:
    """(n,) what ``np.argsort(keys, kind="stable")`` gives, several times as fast: key and row are sorted as one number.

    >>> stable_order(np.array([7, -3, 7, 0])).tolist()
    [1, 3, 0, 2]
    """
    if len(keys) < 2:
        return np.arange(len(keys))
    if (keys[1:] >= keys[:-1]).all():
        return np.arange(len(keys))
    low, bits = int(keys.min()), len(keys).bit_length()
    span, room = int(keys.max()) - low, 62 - bits
    if span >> 62:
        return np.argsort(keys, kind="stable")
    if span >> room:  # the lower digits first, then the upper ones
        order = stable_order((keys - low) & ((1 << room) - 1))
        return order[stable_order((keys[order] - low) >> room)]
    both = keys - low
    both <<= bits
    both |= np.arange(len(keys))
    both.sort()
    both &= (1 << bits) - 1
    return both


def ordered(*columns: Int64) -> Int64:
    """(n,) the rows sorted by the first column, then by the second and so on; ties stay in their order."""
    order = stable_order(columns[-1])
    for column in columns[-2::-1]:
        order = order[stable_order(column[order])]
    return order


def joined(keys: Int64, wanted: Int64) -> Int64:
    """(m,) the row of ``keys`` (distinct) that equals each wanted key; NULL where there is none.

    >>> joined(np.array([7, 3, 9]), np.array([9, 4, 7])).tolist()
    [2, -1, 0]
    """
    if not len(keys):
        return np.full(len(wanted), NULL, np.int64)
    low, high = int(keys.min()), int(keys.max())
    if high - low < 4 * (len(keys) + len(wanted)) + 1024:  # small numbers are places in a table
        table = np.full(high - low + 2, NULL, np.int64)
        table[keys[::-1] - low] = np.arange(len(keys) - 1, NULL, -1)  # the first of equal ones, as below
        return table[np.where((wanted >= low) & (wanted <= high), wanted - low, -1)]
    order = stable_order(keys)
    place = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[place]
    return np.where(keys[rows] == wanted, rows, NULL)


def numbered(*columns: Int64) -> tuple[Int64, Int64]:
    """(n,) group number of each row by equal values in all columns, and (g,) the first row of each group.

    >>> numbered(np.array([1, 1, 2]), np.array([5, 5, 5]))[0].tolist()
    [0, 0, 1]
    """
    group = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, part = np.unique(column, return_inverse=True)
        _, group = np.unique(group * (len(column) + 1) + part, return_inverse=True)
    _, first = np.unique(group, return_index=True)
    return group.astype(np.int64), first.astype(np.int64)


def dense(*columns: Int64) -> Int64:
    """(n,) group number of each row by equal values in all columns, in the order of the values; -1 is a value.

    As ``numbered`` without the first rows, and without sorting where the values are small.

    >>> dense(np.array([3, 3, -1]), np.array([5, 6, 5])).tolist()
    [1, 2, 0]
    """
    group, many = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        part, kinds = _ranked(column)
        group, many = _ranked(group * kinds + part) if many > 1 else (part, kinds)
    return group


def _ranked(column: Int64) -> tuple[Int64, int]:
    """Values replaced by their rank among the distinct ones, and how many these are."""
    if not len(column):
        return column, 1
    low, high = int(column.min()), int(column.max())
    if high - low >= 4 * len(column) + 1024:
        kinds, rank = np.unique(column, return_inverse=True)
        return rank.astype(np.int64), len(kinds)
    there = np.zeros(high - low + 1, np.int64)
    there[column - low] = 1
    rank = np.cumsum(there) - 1
    return rank[column - low], int(there.sum())
