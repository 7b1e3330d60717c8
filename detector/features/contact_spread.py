"""How evenly few contacts are spread over the hours: a slow timer puts each into an hour of its own, people cluster.

What hour coverage is for fast polls, this is for those of an hour and slower. Needs flows or dns over three hours at
least, better days. Raised wrongly by jobs that run a few times a day.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.features.hour_coverage import distinct_hours, hours_between, long_enough
from detector.grouped import Float64


def contact_spread(times: Int64, edges: Int64, first: int, last: Int64) -> Float64:
    """(g,) distinct hours with a contact / min(contacts, hours observed); NaN below three hours (section 4, end).

    ``times``: (n,) contact starts in order within the groups of ``edges``; ``first``, ``last`` (g,): observed from, to.

    >>> hour = 3_600_000_000
    >>> contact_spread(np.arange(6) * 4 * hour, np.array([0, 6]), 0, np.array([24 * hour])).tolist()
    [1.0]
    >>> contact_spread(np.arange(8), np.array([0, 8]), 0, np.array([24 * hour])).tolist()
    [0.125]
    """
    most = np.minimum(np.diff(edges), hours_between(first, last))
    return np.where(long_enough(first, last), np.minimum(1.0, distinct_hours(times, edges, first) / most), np.nan)
