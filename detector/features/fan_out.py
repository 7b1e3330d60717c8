"""How many unrelated destinations an app's other flows reach: a relay goes where its customers say.

Needs flows; names make it meaningful (registrable domains rather than addresses). Raised wrongly by browsers,
advertising, torrents. Without a learned baseline every destination counts as unrelated.
"""

from __future__ import annotations

import math


def fan_out(destinations: int) -> float:
    """ln(destinations) / ln 50, cut to 0..1: one destination gives 0, fifty give 1 (measurements, R4).

    >>> fan_out(1), fan_out(50)
    (0.0, 1.0)
    """
    return min(1.0, math.log(max(destinations, 1)) / math.log(50))
