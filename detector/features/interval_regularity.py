"""How narrow the middle half of the gaps between contacts is: 1 is a clock, 0 is memoryless or bursty.

Also looked at two and three contacts ahead, where a timer that speaks in fixed pairs or triples is regular. Needs flows
or dns. Raised wrongly by every honest timer: push heartbeats, tickers, sync jobs, media segments.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sorted, grouped_steps, ordered_quantiles

LEAST_GAPS = 3
#: ln(q75 / q25) of a sum of so many exponentials over that of one (Erlang quantiles), so that each is 0 if memoryless.
NARROWER = {1: 1.0, 2: 0.656, 3: 0.519}
#: Looking further ahead takes that many contacts: of few, some lag always looks regular.
ENOUGH = 20


def interval_regularity(times: Int64, edges: Int64, *, memoryless: float = 1.6) -> Float64:
    """(g,) 1 - ln(q75 / q25) / memoryless, cut to 0..1, the best of one, two or three contacts ahead.

    ``times``: (n,) contact starts in order within the groups of ``edges``; NaN below three gaps. An exponential has
    ln(q75 / q25) = ln(ln 4 / ln (4 / 3)) = 1.57, so 1.6 puts Poisson traffic at about 0 (project measurements, F1).

    >>> interval_regularity(np.arange(10) * 60, np.array([0, 10])).tolist()
    [1.0]
    >>> interval_regularity(np.cumsum([0, 1, 1, 2, 40, 300, 900]), np.array([0, 7])).tolist()
    [0.0]
    >>> interval_regularity(np.array([0, 60]), np.array([0, 2])).tolist()
    [nan]
    >>> pairs = np.cumsum(np.tile([5, 600], 20))
    >>> interval_regularity(pairs, np.array([0, 40])).tolist()
    [1.0]
    """
    best = np.full(len(edges) - 1, np.nan)
    for ahead, narrower in NARROWER.items():
        gaps, where = grouped_steps(times, edges, ahead)
        low, high = ordered_quantiles(grouped_sorted(gaps, where), where, 0.25, 0.75)
        found = 1 - np.log(high / np.where(low > 0, low, 1.0)) / (memoryless * narrower)
        found = np.where(low > 0, np.clip(found, 0, 1), 0.0)
        enough = np.diff(where) >= (LEAST_GAPS if ahead == 1 else ENOUGH)
        best = np.fmax(best, np.where(enough, found, np.nan))
    return best
