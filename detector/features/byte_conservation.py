"""Whether as many bytes leave as came in, in both directions: a relay keeps nothing for itself.

Needs flows. Lowered by padding (x2 gives 0.67) and compression. Raised wrongly by VPN, tethering, casting.
"""

from __future__ import annotations


def byte_conservation(anchor_in: float, anchor_out: float, other_in: float, other_out: float) -> float:
    """The smaller over both directions of 1 - |a - b| / (a + b); 0 where a direction carried nothing.

    >>> byte_conservation(100, 900, 900, 100)
    1.0
    >>> byte_conservation(100, 900, 0, 0)
    0.0
    """
    pairs = ((anchor_in, other_out), (other_in, anchor_out))
    return min(1 - abs(a - b) / (a + b) if min(a, b) > 0 else 0.0 for a, b in pairs)
