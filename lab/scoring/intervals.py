"""Intervals of a proportion and of a rate, exact where that is possible.

Pure arithmetic: no table, no file, no opinion about what is being counted.
"""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95
_EPSILON = 1e-17
_FEW = 20.0  # from so many on Stirling's series is exact to a double with four terms
_STEPS = 200  # bisection halves a double's mantissa well within this


def wilson(hits: int, of: int, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Wilson's score interval of a proportion (J. Am. Stat. Assoc. 22, 1927); None of nothing.

    >>> [round(bound, 4) for bound in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    _counts(hits, of)
    if of == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, spread = hits / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == of else min(1.0, centre + half)
    return low, high


def poisson_rate(events: int, exposure: float, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """Exact interval of a rate: events per unit of exposure (Garwood, Biometrika 28, 1936); None without exposure.

    >>> [round(bound, 4) for bound in poisson_rate(10, 1.0)]
    [4.7954, 18.3904]
    """
    _counts(events, events)
    if not exposure > 0:
        return None
    tail = (1 - confidence) / 2
    low = _mean_where(events - 1, 1 - tail) if events else 0.0
    return low / exposure, _mean_where(events, tail) / exposure


def poisson_cdf(events: int, mean: float) -> float:
    """P(X <= events) of a Poisson variable: the regularised incomplete gamma function Q(events + 1, mean).

    Series and continued fraction: Abramowitz & Stegun 6.5.29 and 6.5.31, the latter by Lentz's method.
    """
    shape = events + 1.0
    if mean <= 0:
        return 1.0
    scale = math.exp(_log_scale(shape, mean))
    if mean < shape + 1:
        return 1.0 - scale * _gamma_series(shape, mean)
    return scale * _gamma_fraction(shape, mean)


def _log_scale(shape: float, x: float) -> float:
    """log(x**shape exp(-x) / Gamma(shape)), without the large terms that cancel (Loader, 2000, from memory).

    Stirling's series: Abramowitz & Stegun 6.1.41.
    """
    if shape < _FEW:
        return shape * math.log(x) - x - math.lgamma(shape)
    off = (x - shape) / shape
    rest = 1 / shape**2
    stirling = (1 / 12 - rest * (1 / 360 - rest * (1 / 1260 - rest / 1680))) / shape
    return shape * (math.log1p(off) - off) + 0.5 * math.log(shape / (2 * math.pi)) - stirling


def _gamma_series(shape: float, x: float) -> float:
    term = total = 1.0 / shape
    step = shape
    while term > total * _EPSILON:
        step += 1
        term *= x / step
        total += term
    return total


def _gamma_fraction(shape: float, x: float) -> float:
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    value = d
    step = 0
    change = 0.0
    while abs(change - 1) > 4e-15:
        step += 1
        a = -step * (step - shape)
        b += 2
        d = 1 / ((a * d + b) or tiny)
        c = (b + a / c) or tiny
        change = c * d
        value *= change
    return value


def _mean_where(events: int, probability: float) -> float:
    """The mean at which P(X <= events) falls to the probability; the CDF falls as the mean grows."""
    low, high = 0.0, events + 1.0
    while poisson_cdf(events, high) > probability:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if poisson_cdf(events, middle) > probability else (low, middle)
    return (low + high) / 2


def _counts(hits: int, of: int) -> None:
    if not 0 <= hits <= of:
        raise ValueError(f"counts: found {hits} of {of}, expected 0 <= hits <= of")
