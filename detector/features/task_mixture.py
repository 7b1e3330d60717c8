"""Whether empty polls are mixed with tasks: now and then a large answer, soon after it a large request.

Needs flows. Raised wrongly by sync: a change is fetched, then something is uploaded.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.features.size_constancy import largest_cluster

LEAST_SHARE = 0.8  # of the polls are empty
FACTOR = 5  # a task or its result is that much larger than an empty poll
REPLY_US = 60_000_000


def task_mixture(
    times_us: npt.NDArray[np.int64], up: npt.NDArray[np.int64], down: npt.NDArray[np.int64]
) -> float | None:
    """1.0 if at least 80 % of the answers are alike and a five times larger one is followed within 60 s, in a later
    contact or the same, by a request five times the usual; else 0.0. None below ten contacts.

    ``times_us``, ``up``, ``down``: (n,) contact starts and L4 payload bytes (measurements, F9).

    >>> times, up, down = np.arange(20) * 30_000_000, np.full(20, 200), np.full(20, 300)
    >>> task_mixture(times, up, down)
    0.0
    >>> down[7], up[8] = 9_000, 5_000
    >>> task_mixture(times, up, down)
    1.0
    """
    if len(times_us) < 10 or not down.any():
        return None
    share, usual_down = largest_cluster(down, 0.03)
    _, usual_up = largest_cluster(up, 0.03)
    tasks = times_us[down > FACTOR * max(usual_down, 1)]
    results = times_us[up > FACTOR * max(usual_up, 1)]
    if share < LEAST_SHARE or not len(tasks) or not len(results):
        return 0.0
    nearest = np.searchsorted(results, tasks)
    waits = results[np.minimum(nearest, len(results) - 1)] - tasks
    return float(np.any((nearest < len(results)) & (waits <= REPLY_US)))
