"""Whether large answers to an app's other flows are followed by much, and small ones by little, leaving by the way in.

What a relay hands back is as large as what it was handed, whatever padding or compression make of it; what a push
channel or a heartbeat sends has nothing to do with the size of the page fetched. Needs exchanges. Raised wrongly by
uploads of what was just loaded; unknown where all answers have one size.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def size_agreement(followed: Float64, chance: Float64) -> Float64:
    """(w,) the correlation of log sizes beyond that with the way minutes apart, cut to 0..1; NaN stays unknown.

    >>> size_agreement(np.array([0.9, 0.4, -0.3]), np.array([0.0, 0.2, 0.5])).round(2).tolist()
    [0.9, 0.25, 0.0]
    """
    floor = np.maximum(chance, 0.0)
    return np.asarray(np.clip((followed - floor) / np.maximum(1 - floor, 1e-9), 0.0, 1.0), np.float64)
