"""Whether an app speaks a protocol its category has no use for: mail from a torch, raw tunnels from a game.

Needs packages and app_proto. Raised wrongly by apps with a wrong category, and by feedback by mail.
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64

#: Protocols any app may speak.
EVERYDAY = frozenset({"tls", "http", "https", "quic", "dns", "websocket", "ntp"})


def protocol_role(group: Int64, allowed: Float64, groups: int) -> Float64:
    """(g,) share of the protocols each group speaks that are neither everyday nor allowed for its category.

    ``group``: (k,) the group of every distinct protocol spoken by it; ``allowed``: (k,) 1 everyday or allowed, 0 not,
    NaN where the category is unknown. NaN where the category or every protocol is unknown.

    >>> protocol_role(np.array([0, 0, 2]), np.array([1.0, 0.0, np.nan]), 3).tolist()
    [0.5, nan, nan]
    """
    spoken = np.bincount(group, minlength=groups)
    odd = np.bincount(group, 1 - allowed, minlength=groups)
    return np.asarray(np.divide(odd, spoken, out=np.full(groups, np.nan), where=spoken > 0), np.float64)
