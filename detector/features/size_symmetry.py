"""How alike request and response are in size: commands and results are short both ways, content is not.

Needs flows or dns; on TLS the handshake hides it (3-5 kB down, 0.6 kB up), so it is judged where it shows: in
exchanges after it, DNS and plain protocols. Raised wrongly by pings, chat and calls.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64, grouped_sorted, ordered_quantiles


def size_symmetry(up: Int64, down: Int64, edges: Int64) -> Float64:
    """(g,) exp(-|ln(median up / median down)|); NaN where a direction carried nothing.

    >>> size_symmetry(np.full(5, 200), np.full(5, 400), np.array([0, 5])).tolist()
    [0.5]
    """
    one, other = (ordered_quantiles(grouped_sorted(side, edges), edges, 0.5)[0] for side in (up, down))
    small, large = np.minimum(one, other), np.maximum(one, other)
    return np.where(small > 0, small / np.where(large > 0, large, 1.0), np.nan)
