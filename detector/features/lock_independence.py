"""Whether contacts come as often locked as unlocked: a timer does not care, a person does.

Needs device_state with both states long enough. Raised wrongly by push, sync and every other honest timer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.grouped import Float64

LEAST_SECONDS = 600.0
LEAST_EXPECTED = 3.0


def lock_independence(locked: Float64, unlocked: Float64, locked_s: Float64, unlocked_s: Float64) -> Float64:
    """(g,) smaller over larger contact rate of the lock states; NaN where one was too short to expect contacts.

    ``locked``, ``unlocked``: (g,) contacts in each state; ``locked_s``, ``unlocked_s``: seconds spent in each.

    >>> a = np.array
    >>> lock_independence(a([50, 0, 40]), a([10, 40, 0]), a([50e3] * 3), a([1e4, 1e4, 0])).tolist()
    [1.0, 0.0, nan]
    """
    seen = both_states_seen(locked + unlocked, locked_s, unlocked_s)
    one, other = locked / np.where(seen, locked_s, 1.0), unlocked / np.where(seen, unlocked_s, 1.0)
    larger = np.maximum(one, other)
    return np.where(seen, np.minimum(one, other) / np.where(larger > 0, larger, 1.0), np.nan)


def both_states_seen(contacts: Float64, locked_s: Float64, unlocked_s: Float64) -> npt.NDArray[np.bool_]:
    """(g,) whether a timer would have shown itself in both lock states: 10 min and three contacts expected of each.

    >>> both_states_seen(np.array([4]), np.array([50_000]), np.array([10_000])).tolist()
    [False]
    """
    shorter, both = np.minimum(locked_s, unlocked_s), locked_s + unlocked_s
    expected = contacts * shorter / np.where(both > 0, both, 1.0)
    return np.asarray((shorter >= LEAST_SECONDS) & (expected >= LEAST_EXPECTED))
