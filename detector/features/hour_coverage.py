"""In how many of the observed hours there was a contact: machines work at night, people do not.

Few hours say little: the share counts as far as it is certain (Wilson). Needs flows or dns over three hours at least;
below that nothing can be said. Raised wrongly by push and mail.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.features.baseline_deviation import at_least
from detector.grouped import Float64, grouped_sum

HOUR_US = 3_600_000_000
LEAST_HOURS = 3


def hour_coverage(times: Int64, edges: Int64, first: int, last: Int64) -> Float64:
    """(g,) sqrt of what distinct hours with a contact / hours observed is at least; NaN below three hours observed.

    ``times``: (n,) contact starts in order within the groups of ``edges``; ``first``, ``last`` (g,): observed from, to.

    >>> hours = np.array([4, 24, 168])
    >>> times = np.concatenate([np.arange(many) * HOUR_US for many in hours])
    >>> hour_coverage(times, np.append(0, np.cumsum(hours)), 0, hours * HOUR_US).round(2).tolist()
    [0.77, 0.95, 0.99]
    >>> hour_coverage(np.array([5, 6, 7]), np.array([0, 3]), 0, np.array([HOUR_US])).tolist()
    [nan]
    """
    hours = hours_between(first, last)
    share = np.minimum(distinct_hours(times, edges, first) / hours, 1.0)
    return np.where(long_enough(first, last), np.sqrt(at_least(share, hours)), np.nan)


def distinct_hours(times: Int64, edges: Int64, first: int) -> Float64:
    """(g,) in how many different hours since ``first`` there was a contact."""
    hour = np.maximum((times - first) // HOUR_US, 0)
    fresh = np.diff(hour, prepend=-1) != 0  # times are in order within a group
    fresh[edges[:-1]] = True
    return grouped_sum(fresh, edges)


def hours_between(first: int, last: Int64) -> Float64:
    """(g,) hours begun between the two, one at least."""
    return np.maximum(np.ceil((last - first) / HOUR_US), 1.0)


def long_enough(first: int, last: Int64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(g,) whether three hours were observed."""
    return np.asarray(last - first >= LEAST_HOURS * HOUR_US)
