"""How many different TLS clients speak through one app: an app has one to three, a relay has its customers'.

Needs ja4. Raised wrongly by browsers with extensions, and apps that bundle several SDKs with stacks of their own; a
relay that ends its customers' TLS lowers it to one.
"""

from __future__ import annotations

import numpy as np

from detector.grouped import Float64


def stack_diversity(stacks: Float64) -> Float64:
    """(w,) (distinct JA4 - 1) / 5, cut to 0..1; NaN where no JA4 was read (measurements, R5).

    >>> stack_diversity(np.array([1.0, 6.0, 0.0])).tolist()
    [0.0, 1.0, nan]
    """
    return np.where(stacks > 0, np.clip((stacks - 1) / 5, 0.0, 1.0), np.nan)
