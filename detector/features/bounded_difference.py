"""Whether the way's share of bytes never runs far from the other flows' share: nothing piles up in a relay.

After every byte the share of the window's bytes that one side has passed is compared with the other side's; the largest
difference is what the relay would have had to hold back. Blum, Song & Venkataraman (RAID 2004) and He & Tong (2007)
bound it in packets, we in shares, so that a factor does not matter (both from memory). Needs exchanges or many flows.
Raised wrongly by whatever is active in step for hours; lowered by chaff in bursts.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def bounded_difference(forth: Float64, back: Float64) -> Float64:
    """(w,) 1 - 2 times the larger of both directions' largest differences of shares, cut to 0..1; NaN is unknown.

    >>> bounded_difference(np.array([0.1, 0.0]), np.array([0.05, 0.6])).tolist()
    [0.8, 0.0]
    """
    return np.asarray(np.clip(1 - 2 * np.maximum(forth, back), 0.0, 1.0), np.float64)
