"""How machine-made the registrable part of a name looks: letters at random, no vowels, digits within.

Needs a name. Raised wrongly by content networks and tenants with hashed names (d27xxe7juh1us6.cloudfront.net).
"""

from __future__ import annotations

import math
import re
from collections import Counter

UNSPEAKABLE = re.compile(r"[^aeiouy.\-]{4,}")


def name_entropy(label: str, *, bits: float = 3.2) -> float:
    """0..1 for one label of a name (``testing``, not ``testing.com``): Shannon entropy above ``bits`` per character,
    counted only for labels of ten characters and more with four consonants or digits in a row.

    >>> name_entropy("testing")
    0.0
    >>> name_entropy("xk7qz9wv4tbr2hd") > 0.5
    True
    """
    if len(label) < 10 or not UNSPEAKABLE.search(label):
        return 0.0
    counts = Counter(label).values()
    entropy = -sum(n / len(label) * math.log2(n / len(label)) for n in counts)
    return min(1.0, max(0.0, (entropy - bits) / 0.8))
