"""How much likelier a flow opens just after the anchor received something than at any other moment.

Needs exchanges. Raised wrongly by push: a message arrives and the app fetches what it announces.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def pairing_lift(
    opened_us: npt.NDArray[np.int64],
    heard_us: npt.NDArray[np.int64],
    window_us: tuple[int, int],
    *,
    reach_us: int = 1_500_000,
) -> float | None:
    """(p - p0) / (1 - p0), cut to 0..1: p is the share of flows opened within ``reach_us`` after bytes on the anchor,
    p0 the share of the window within that reach. None below three flows.

    ``opened_us``: (k,) starts of the app's other flows; ``heard_us``: (m,) sorted times the anchor received bytes.

    >>> pairing_lift(np.array([10, 20, 30]) * 10**6, np.array([9, 19, 29]) * 10**6, (0, 10**9))
    1.0
    """
    length = window_us[1] - window_us[0]
    if len(opened_us) < 3 or not len(heard_us) or length <= 0:
        return None
    last = np.searchsorted(heard_us, opened_us, side="right") - 1
    paired = (last >= 0) & (opened_us - heard_us[np.maximum(last, 0)] <= reach_us)
    covered = np.minimum(np.diff(np.append(heard_us, window_us[1])), reach_us).clip(0).sum() / length
    if covered >= 1:
        return 0.0
    return float(np.clip((paired.mean() - covered) / (1 - covered), 0, 1))
