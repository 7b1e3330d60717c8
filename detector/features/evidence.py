"""How much was seen at all: below ten contacts nothing regular can be told from chance.

Needs flows. Raised wrongly by nothing; it only holds the other factors back.
"""

from __future__ import annotations

import math


def evidence(count: int, scale: float = 8.0) -> float:
    """1 - exp(-count / scale): 6 contacts 0.53, 10 give 0.71, 24 give 0.95 (measurements, section 6).

    >>> round(evidence(24), 2)
    0.95
    """
    return 1 - math.exp(-count / scale)
