"""How much was seen at all: below ten contacts nothing regular can be told from chance.

Needs flows or dns. Raised wrongly by nothing; it only holds the other factors back.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def evidence(counts: Float64, scale: float = 8.0) -> Float64:
    """(g,) 1 - exp(-count / scale): 6 contacts 0.53, 10 give 0.71, 24 give 0.95 (measurements, section 6).

    >>> evidence(np.array([6, 24])).round(2).tolist()
    [0.53, 0.95]
    """
    return -np.expm1(-counts / scale)
