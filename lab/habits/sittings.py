"""What an owner starts by opening an app and lets run: films, calls, downloads, one after the other, never two at once.

It draws when they begin and how long they last; what is said meanwhile is the behaviour's.
"""

from __future__ import annotations

import numpy as np

from lab.behaviours import SECOND, Int64

SETTLE = 2 * SECOND  # from opening the app to starting anything


def sittings(
    rng: np.random.Generator,
    opened: Int64,
    probability: float,
    mean_s: float,
    *,
    least_s: float = 10.0,
    most: int = 1_000_000,
    rest_s: float = 60.0,
) -> Int64:
    """(k, 2) intervals: each opening of the app starts one with that probability, unless one runs.

    Lengths are exponential, never below ``least_s``; ``most`` of them at most, ``rest_s`` between them. They may end
    after the span: drafts trim.
    """
    begins = opened[rng.random(len(opened)) < probability, 0] + SETTLE
    lengths = (np.maximum(rng.exponential(mean_s, len(begins)), least_s) * SECOND).astype(np.int64)
    found: list[list[int]] = []
    free = -1
    for begin, end in zip(begins.tolist(), (begins + lengths).tolist(), strict=True):
        if begin > free and len(found) < most:
            found.append([begin, end])
            free = end + int(rest_s * SECOND)
    return np.array(found, dtype=np.int64).reshape(-1, 2)
