"""Share of contacts, or of bytes, while the app was not in the foreground of a lit, unlocked screen.

Needs device_state, and the uid to tell the app from others. Raised wrongly by every app with a right to sync.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def background_share(
    background: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64] | None = None
) -> float | None:
    """Weighted share of ``background`` where the state was ``known``; None where it never was.

    All arrays (n,). ``weight`` is bytes for relays; absent, every contact counts the same.

    >>> background_share(np.array([True, True, False]), np.array([True, True, True]), np.array([3.0, 0.0, 1.0]))
    0.75
    >>> background_share(np.array([True]), np.array([False])) is None
    True
    """
    amount = np.where(known, 1.0 if weight is None else weight, 0.0)
    total = float(amount.sum())
    return float(amount[background].sum() / total) if total > 0 else None
