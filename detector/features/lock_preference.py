"""How much an app prefers to speak while the device is locked: implants that hide from the user do.

Needs device_state. Raised wrongly by backups and updates, which wait for an idle device on purpose.
"""

from __future__ import annotations

import numpy as np

from detector.features.lock_independence import both_states_seen
from detector.grouped import Float64


def lock_preference(locked: Float64, unlocked: Float64, locked_s: Float64, unlocked_s: Float64) -> Float64:
    """(g,) locked contact rate over the sum of both rates: 0.5 is indifferent, 1 is locked only; NaN as unknown.

    >>> lock_preference(*(np.array([n]) for n in (40, 0, 50_000, 10_000))).tolist()
    [1.0]
    """
    seen = both_states_seen(locked + unlocked, locked_s, unlocked_s)
    one, other = locked / np.where(seen, locked_s, 1.0), unlocked / np.where(seen, unlocked_s, 1.0)
    return np.where(seen, one / np.where(one + other > 0, one + other, 1.0), np.nan)
