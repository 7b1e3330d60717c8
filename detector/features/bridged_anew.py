"""How much more clearly an app relays than while the baseline was learned: a relay by nature does as it always did.

Raised wrongly by what is switched on for the first time (a hotspot on a journey), installed later with others that do
not relay, or learned in too short a time. Lowered wrongly by an implant that was there when the baseline was learned.
Needs a learned baseline in which this app was there, on this device or another.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64

OLD = 0.75  # share of today's strength from which on the past explains all of it
NEW = 0.35  # ... and up to which it explains nothing


def bridged_anew(past: Float64, now: Float64) -> Float64:
    """(w,) 1 where the bridge of the past was at most NEW of today's, 0 from OLD on; NaN where the past is unknown.

    >>> bridged_anew(np.array([0.0, 0.9, 0.5, np.nan]), np.array([0.9, 0.9, 0.9, 0.9])).round(2).tolist()
    [1.0, 0.0, 0.49, nan]
    """
    explained = past / np.maximum(now, 1e-6)
    return np.asarray(np.clip((OLD - explained) / (OLD - NEW), 0.0, 1.0), np.float64)
