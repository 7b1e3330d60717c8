"""How many different TLS clients speak through one app: an app has one to three, a relay has its customers'.

Needs ja4. Raised wrongly by browsers with extensions, and apps that bundle several SDKs with stacks of their own.
"""

from __future__ import annotations


def stack_diversity(stacks: int) -> float | None:
    """(distinct JA4 - 1) / 5, cut to 0..1; None where no JA4 was read (measurements, R5).

    >>> stack_diversity(1), stack_diversity(6), stack_diversity(0)
    (0.0, 1.0, None)
    """
    return min(1.0, (stacks - 1) / 5) if stacks else None
