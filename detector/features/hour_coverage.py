"""In how many of the observed hours there was a contact: machines work at night, people do not.

Needs flows over three hours at least; below that nothing can be said. Raised wrongly by push and mail.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

HOUR_US = 3_600_000_000
LEAST_HOURS = 3


def hour_coverage(times_us: npt.NDArray[np.int64], span_us: tuple[int, int]) -> float | None:
    """sqrt(distinct hours with a contact / hours observed); None when fewer than three hours were observed.

    ``times_us``: (n,) contact starts; ``span_us``: first and last moment observed.

    >>> hour_coverage(np.arange(4) * HOUR_US, (0, 4 * HOUR_US))
    1.0
    >>> hour_coverage(np.array([5, 6, 7]), (0, HOUR_US)) is None
    True
    """
    first, last = span_us
    hours = (last - first) / HOUR_US
    if hours < LEAST_HOURS:
        return None
    seen = len(np.unique(((times_us - first) // HOUR_US).clip(0)))
    return min(1.0, math.sqrt(seen / math.ceil(hours)))
