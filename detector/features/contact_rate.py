"""How unusually often an app speaks to one destination, against other apps of its category.

Needs a baseline with the app's category. Raised wrongly by the busiest honest app of a quiet category.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def contact_rate(z: Float64, *, unusual: float = 6.0) -> Float64:
    """(g,) robust z of contacts a day against the category (Baseline.rate_z), cut to 0..1 at ``unusual``; NaN stays.

    >>> contact_rate(np.array([-2.0, 3.0, 60.0, np.nan])).tolist()
    [0.0, 0.5, 1.0, nan]
    """
    return np.clip(z / unusual, 0.0, 1.0)
