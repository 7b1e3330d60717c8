"""Columns of text made of few texts: codes first, Arrow arrays last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int64 = npt.NDArray[np.int64]


def taken(texts: Sequence[Any], codes: npt.NDArray[np.integer[Any]], kind: pa.DataType | None = None) -> pa.Array:
    """The texts (or other values, None among them) at these codes; -1 is null."""
    known = pa.array([*texts, None], kind or pa.string())
    return known.take(pa.array(np.where(codes < 0, len(texts), codes)))


def coded(columns: Sequence[npt.NDArray[Any]]) -> tuple[Int64, Int64]:
    """(n,) a code for each distinct row of these columns of small numbers, and the first row of each code."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        span = int(column.max()) + 1 if len(column) else 1
        _, place = np.unique(code * span + column.astype(np.int64), return_inverse=True)
        code = place.astype(np.int64)
    first = np.full(int(code.max()) + 1 if len(code) else 0, len(code), dtype=np.int64)
    np.minimum.at(first, code, np.arange(len(code)))
    return code, first
