"""How far a contact rate lies above what was ever usual: a known destination vouches for its usual pace and no more.

Raised wrongly by a change of habits: a learning period of holidays, an app used more, an update that asks more often.
Needs a learned baseline that has the app. A poll slower than the app's own use of the destination does not raise it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.grouped import Float64

QUIET: Final = 1.0  # octaves above the usual rate that are nothing: days differ by a factor of two
LOUD: Final = 3.0  # octaves from which it counts in full
FEWEST: Final = 1.0  # contacts a day: a rate below that was measured by hardly one contact


def surge(per_day: Float64, usual: Float64) -> Float64:
    """(g,) 0 up to twice the usual contacts a day, 1 from eight times on; NaN where nothing is usual.

    >>> surge(np.array([20.0, 40.0, 400.0, 8.0, 5.0]), np.array([10.0, 10.0, 10.0, 0.0, np.nan])).tolist()
    [0.0, 0.5, 1.0, 1.0, nan]
    """
    octaves = np.log2(np.maximum(per_day, FEWEST) / np.maximum(usual, FEWEST))
    return np.clip((octaves - QUIET) / (LOUD - QUIET), 0.0, 1.0)
