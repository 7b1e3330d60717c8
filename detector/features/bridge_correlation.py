"""Whether what comes in by one way leaves by the other within seconds, in both directions: traffic bridging.

Correlation of ln(1 + bytes) in bins of a second, each smeared into the next, at the best of a few lags; the worse of
both directions. Chaff and unrelated flows of the app lower it, and delays beyond the lags end it. Needs exchanges (flow
totals blur it), and the uid to keep other apps out. Raised wrongly by VPN, tethering and casting, which are relays.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def bridge_correlation(forth: Float64, back: Float64) -> Float64:
    """(w,) the worse direction's best lag, cut to 0..1; ``forth`` and ``back``: (lags, w) correlations, NaN unknown.

    >>> bridge_correlation(np.array([[0.2], [0.9]]), np.array([[0.5], [0.4]])).tolist()
    [0.5]
    """
    return np.asarray(np.clip(np.minimum(forth.max(axis=0), back.max(axis=0)), 0.0, 1.0), np.float64)


def correlation(
    count: Float64, sums: tuple[Float64, Float64], squares: tuple[Float64, Float64], both: Float64
) -> Float64:
    """(w,) Pearson's correlation of two series from how many values, their sums, sums of squares and of products.

    0 where one of them never changes.

    >>> x, y = np.array([1.0, 2, 4]), np.array([2.0, 4, 8])
    >>> one = [np.array([v]) for v in (3.0, x.sum(), y.sum(), x @ x, y @ y, x @ y)]
    >>> correlation(one[0], (one[1], one[2]), (one[3], one[4]), one[5]).round(6).tolist()
    [1.0]
    """
    n = np.maximum(count, 1.0)
    spread = [np.maximum(square - total**2 / n, 0.0) for total, square in zip(sums, squares, strict=True)]
    scale = np.sqrt(spread[0] * spread[1])
    return np.where(scale > 1e-9, (both - sums[0] * sums[1] / n) / np.maximum(scale, 1e-9), 0.0)
