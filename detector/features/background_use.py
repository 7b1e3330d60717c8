"""Whether contacts do not care for the person: as often locked as unlocked outside use, or only while locked.

Needs device_state with both lock states. Raised wrongly by every app with a right to sync.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64

LOCKED_ONLY = 0.8  # what locked-only contacts count against state-blind ones (measurements, 6.1)


def background_use(independence: Float64, background: Float64, preference: Float64) -> Float64:
    """(g,) the larger of sqrt(lock independence) * background share, and 0.8 * lock preference beyond indifference.

    NaN unless both lock states were seen long enough: on a device nobody touched, everything is background. An unknown
    background share (no foreground app told) counts as 1: lock independence alone tells then.

    >>> a = np.array
    >>> background_use(a([1.0, 0.0, np.nan]), a([np.nan, 0.5, 1.0]), a([0.5, 1.0, 1.0])).tolist()
    [1.0, 0.8, nan]
    """
    blind = np.sqrt(independence) * np.where(np.isnan(background), 1.0, background)
    return np.asarray(np.maximum(blind, LOCKED_ONLY * np.clip(2 * preference - 1, 0, 1)))
