"""The controls: detectors that know nothing, or one thing only, and run beside every detector under test.

Names alone: a gate reads them off a stored scorecard, and must not load what makes one.
"""

from __future__ import annotations

#: Controls that know one thing only: whoever equals a detector with that shows that the suite is too easy.
KNOWING = ("rarity-only", "timing-only")
#: What no detector may be worse than: the first two look at nothing, and show what the numbers of doing nothing are.
CONTROLS = ("silent", "always", *KNOWING)
