"""The limit of timing: how many contacts any test of intervals needs to tell a sleep from a memoryless one. Pure.

By the Chernoff-Stein lemma (Cover & Thomas, Elements of Information Theory, 11.8, from memory) no test with a chance
of a false alarm of alpha for a pair can find half of what has fewer than ln(1 / alpha) / D intervals, D being the
divergence of the sleep from the exponential one that is nearest to it, which has the same mean. A test that does not
know period and jitter needs more: two to three times as many at full jitter. An exponential sleep has D = 0: it cannot
be told from ordinary use by its timing, however many contacts there are. State, sizes and destinations remain; they are
not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

PAIRS_A_DAY = 20.0  # destinations of a device-day: the chance of a false alarm that each may have is the budget over it
#: Lowest and highest sleep, in periods, by jitter; the law's sleeps are uniform between the two (lab/habits/clock.py).
BOUNDS: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "fixed": lambda _jitter: (1.0, 1.0),
    "uniform": lambda jitter: (1 - jitter, 1 + jitter),
    "cobalt-strike": lambda jitter: (1 - jitter, 1.0),
    "additive": lambda jitter: (1.0, 1 + jitter),
}


def divergence(law: str, jitter: float) -> float | None:
    """Nats that one interval tells, infinite without jitter; None of a law that is not known here.

    >>> divergence("exponential", 0.5), round(divergence("cobalt-strike", 0.5), 3), divergence("uniform", 0.0)
    (0.0, 1.405, inf)
    """
    if law == "exponential":
        return 0.0
    if law not in BOUNDS:
        return None
    low, high = BOUNDS[law](jitter)
    return math.inf if high == low else 1 + math.log((low + high) / 2 / (high - low))


def contacts_needed(law: str, jitter: float, alpha: float) -> float | None:
    """The contacts below which no test of intervals finds half; infinite for a memoryless sleep, None where not known.

    >>> [round(contacts_needed("cobalt-strike", jitter, 1e-3), 1) for jitter in (0.0, 0.3, 0.9, 1.0)]
    [2.0, 4.4, 14.6, 23.5]
    """
    told = divergence(law, jitter)
    if told is None:
        return None
    return math.inf if told <= 0 else max(2.0, 1 + math.log(1 / alpha) / told)


def contacts_made(law: str, jitter: float, period_s: float, span_s: float) -> float | None:
    """The contacts that a sleep makes in a span, in the mean; None of a law that is not known here."""
    if law == "exponential":
        return span_s / period_s
    if law not in BOUNDS:
        return None
    return span_s / (period_s * sum(BOUNDS[law](jitter)) / 2)


def longest_period(law: str, jitter: float, span_s: float, alpha: float) -> float | None:
    """The period in seconds above which timing alone finds less than half within a span; None where there is none."""
    needed, made = contacts_needed(law, jitter, alpha), contacts_made(law, jitter, 1.0, span_s)
    return None if needed is None or made is None or math.isinf(needed) else made / needed


def largest_jitter(law: str, period_s: float, span_s: float, alpha: float) -> float | None:
    """The jitter above which timing alone finds less than half; None where any jitter up to 1 is told, or none is."""
    low, high = 0.0, 1.0

    def told(jitter: float) -> bool:
        longest = longest_period(law, jitter, span_s, alpha)
        return longest is not None and period_s <= longest

    if law not in BOUNDS or told(high) or not told(low):
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if told(middle) else (low, middle)
    return low
