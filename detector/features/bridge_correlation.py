"""Whether what comes in by one way leaves by the other within seconds, in both directions: traffic bridging.

Needs exchanges (flow totals blur it), and the uid to keep other apps out. Raised wrongly by VPN, tethering and
casting, which are relays by purpose.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]


def bridge_correlation(
    anchor_in: Series, anchor_out: Series, other_in: Series, other_out: Series, lags: int = 4
) -> float:
    """The smaller of both directions' largest correlation of ln(1 + bytes) at lags 0..lags-1 bins.

    All (bins,), bytes per bin of equal length: towards and from the device on the anchor, and on the other flows.

    >>> a = np.array([0, 9, 0, 0, 5, 0, 0, 7, 0, 0.0])
    >>> round(bridge_correlation(a, np.roll(a, 1), a, a), 3)
    1.0
    """
    pairs = ((anchor_in, other_out), (other_in, anchor_out))
    return min(_best_lag(np.log1p(_smeared(cause)), np.log1p(_smeared(effect)), lags) for cause, effect in pairs)


def _smeared(amount: Series) -> Series:
    """Each bin with the one before it: a delay that straddles two bins does not split its own correlation."""
    smeared = amount.astype(np.float64)
    smeared[1:] += amount[:-1]
    return smeared


def _best_lag(cause: Series, effect: Series, lags: int) -> float:
    found = [_correlation(cause[: len(cause) - lag], effect[lag:]) for lag in range(min(lags, len(cause) - 1))]
    return max([0.0, *found])


def _correlation(left: Series, right: Series) -> float:
    left, right = left - left.mean(), right - right.mean()
    norm = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / norm if norm > 1e-12 else 0.0
