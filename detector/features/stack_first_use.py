"""Whether a destination is spoken to by a TLS client that the app uses for nothing else: a library of its own.

Needs ja4 and packages. Raised wrongly by SDKs that bring their own networking, and by web views beside native code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.columns import Int64
from detector.grouped import Float64, grouped_share


def stack_first_use(alone: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], edges: Int64) -> Float64:
    """(g,) share of its flows whose JA4 the app shows to this destination only; NaN where no JA4 can be compared.

    ``alone``: (m,) this app (on any device) has that JA4 with no other destination; ``known``: the flow has one, and
    the app has one with another destination too; flows group after group.

    >>> stack_first_use(np.array([True, True, False]), np.array([True, True, False]), np.array([0, 2, 3])).tolist()
    [1.0, nan]
    """
    return grouped_share(alone, known, edges)


def solitary(app: Int64, ja4: Int64, destination: Int64) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(m,) ``alone`` and ``known`` of stack_first_use from (m,) numbers of app, JA4 and destination, -1 unknown.

    >>> one, two = solitary(np.array([5, 5, 5]), np.array([1, 1, 2]), np.array([7, 8, 9]))
    >>> one.tolist(), two.tolist()
    ([False, False, True], [True, True, True])
    """
    there = (app >= 0) & (ja4 >= 0) & (destination >= 0)
    alone, several = np.zeros(len(app), np.bool_), np.zeros(len(app), np.bool_)
    if there.any():
        rows = np.flatnonzero(there)
        width = int(ja4[rows].max()) + 1
        alone[rows] = _once(app[rows] * width + ja4[rows], destination[rows])
        several[rows] = ~_once(app[rows], destination[rows])
    return alone, several


def _once(key: Int64, destination: Int64) -> npt.NDArray[np.bool_]:
    """(m,) whether the row's key occurs with one destination only."""
    kinds, place = np.unique(key, return_inverse=True)
    low, high = np.full(len(kinds), destination.max()), np.full(len(kinds), destination.min())
    np.minimum.at(low, place, destination)
    np.maximum.at(high, place, destination)
    return np.asarray((low == high)[place])
