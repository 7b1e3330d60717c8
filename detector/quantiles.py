"""Quantiles of small arrays, as numpy's linear method gives them, without its price per call."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def quantiles(values: npt.NDArray[np.float64], *shares: float) -> tuple[float, ...]:
    """The quantiles at ``shares`` (0..1), linear between neighbours; ``values`` (n,) in any order, n > 0.

    Hyndman & Fan 1996, definition 7, numpy's default.

    >>> quantiles(np.array([4.0, 1.0, 3.0, 2.0]), 0.25, 0.5)
    (1.75, 2.5)
    """
    ordered = np.sort(values)
    found = []
    for share in shares:
        place = share * (len(ordered) - 1)
        low = int(place)
        below, above = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
        found.append(below + (above - below) * (place - low))
    return tuple(found)
