"""Share of relayed bytes while nobody used the app: in the background, and no interaction with the device for long.

Needs device_state, and the uid to tell the app from others (without it: nobody used the device). Raised wrongly by
every app with a right to sync; a relay that waits for its user lowers it to nothing.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def unattended_share(hidden: Float64, known: Float64) -> Float64:
    """(w,) bytes while unattended over bytes while the state was known; NaN where it never was.

    >>> unattended_share(np.array([3.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.75, nan]
    """
    return np.where(known > 0, hidden / np.where(known > 0, known, 1.0), np.nan)
