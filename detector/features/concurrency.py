"""How many of an app's relayed flows are open at once, again and again: sustained multiplexed sessions.

Needs flows. Raised wrongly by browsers, downloads and torrents; a relay of few customers has little of it.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64

MANY = 8.0


def concurrency(open_at_once: Float64) -> Float64:
    """(w,) ln(open) / ln 8, cut to 0..1, of the 95 % quantile of flows open as one opens; NaN without any.

    >>> concurrency(np.array([1.0, 8.0, 64.0])).tolist()
    [0.0, 1.0, 1.0]
    """
    return np.asarray(np.clip(np.log(np.maximum(open_at_once, 1.0)) / np.log(MANY), 0.0, 1.0), np.float64)
