"""Periodicity of counts: how much a series looks like itself one period later, if need be a little earlier or later.

Formula: the ``periodic`` test of Elastic's Network Beaconing 1.3.3, as facts about it were written down: of each period
from 2 buckets to a sixth of the span the normalised autocovariance, averaged over its multiples, the largest of all.
What the multiples are is our reading: the series is cut into stretches of one period, each is laid on the one before
it, and with jitter may begin up to ``jitter`` periods sooner or later, where it fits best (greedily, one after the
other).
"""

from __future__ import annotations

import numpy as np

from detector.columns import Int64
from detector.grouped import Float64

SHORTEST = 2  # buckets
REPEATS = 6  # a period is at most such a part of the span
CHUNK = 128  # series at once: a sum for each of some 80 shifts, 30 MB


def periodicity(counts: Float64, spanned: Int64, jitter: float) -> tuple[Float64, Int64]:
    """(k,) the largest self-likeness, -1..1, of k series over all periods, and that period in buckets; 0 without one.

    ``counts`` (k, n): 0 from ``spanned`` (k,) on. ``jitter``: the share of a period that a stretch may be shifted.
    """
    inside = np.arange(counts.shape[1]) < spanned[:, None]
    mean = counts.sum(axis=1) / np.maximum(spanned, 1)
    away = np.where(inside, counts - mean[:, None], 0.0)
    spread = np.sqrt((away**2).sum(axis=1, keepdims=True))
    varied = spread > 1e-9 * np.maximum(mean[:, None], 1.0)  # a constant, but for rounding, is like nothing
    series = np.where(varied, away / np.where(varied, spread, 1.0), 0.0)
    best, period = np.zeros(len(counts)), np.zeros(len(counts), np.int64)
    longest = spanned // REPEATS
    for low in range(0, len(counts), CHUNK):
        part = slice(low, low + CHUNK)
        found = _chunk(series[part], spanned[part], int(longest[part].max(initial=0)), jitter)
        allowed = np.arange(SHORTEST, SHORTEST + len(found))[:, None] <= longest[part]
        likeness = np.where(allowed, found, -2.0)
        if len(likeness):
            best[part] = likeness.max(axis=0)
            period[part] = likeness.argmax(axis=0) + SHORTEST
    none = longest < SHORTEST
    return np.where(none, 0.0, best), np.where(none, 0, period)


def _chunk(series: Float64, spanned: Int64, longest: int, jitter: float) -> Float64:
    """(periods, k) the self-likeness at each period from the shortest on."""
    energy = np.append(np.zeros((len(series), 1)), np.cumsum(series**2, axis=1), axis=1)
    periods = range(SHORTEST, longest + 1)
    if int(jitter * longest):
        products = _products(series, longest + int(jitter * longest))
        rows = [_shifted(products, energy, spanned, period, int(jitter * period)) for period in periods]
    else:
        rows = [_unmoved(series, energy, spanned, period) for period in periods]
    return np.array(rows).reshape(-1, len(series))


def _unmoved(series: Float64, energy: Float64, spanned: Int64, period: int) -> Float64:
    """(k,) the series laid on itself a period before."""
    dots = np.einsum("ij,ij->i", series[:, period:], series[:, :-period])
    before = energy[np.arange(len(energy)), np.maximum(spanned - period, 0)]
    return _normalised(dots, before, energy[:, -1] - energy[:, period])


def _products(series: Float64, lags: int) -> Float64:
    """(lags + 1, k, n + 1) sums, up to each place, of the series times itself so many places before."""
    count, length = series.shape
    sums = np.zeros((lags + 1, count, length + 1))
    for lag in range(1, lags + 1):
        np.cumsum(series[:, lag:] * series[:, :-lag], axis=1, out=sums[lag, :, lag + 1 :])
    return sums


def _shifted(products: Float64, energy: Float64, spanned: Int64, period: int, reach: int) -> Float64:
    """(k,) the stretches of one period each laid on the one before, at most ``reach`` buckets away from it."""
    rows = np.arange(len(energy))
    lags = period + np.array(sorted(range(-reach, reach + 1), key=abs))
    begin = np.zeros(len(energy), np.int64)
    sums = np.zeros((3, len(energy)))
    for _ in range(int(spanned.max(initial=0)) // (period - reach) + 1):
        here = np.minimum(begin[:, None] + lags, spanned[:, None])
        there = np.minimum(here + period, spanned[:, None])
        fits = products[lags, rows[:, None], there] - products[lags, rows[:, None], here]
        chosen = fits.round(9).argmax(axis=1)  # of equals the nearest, whatever the rounding
        start, stop = here[rows, chosen], there[rows, chosen]
        if (start >= spanned).all():
            break
        sums[0] += np.where(start < spanned, fits[rows, chosen], 0.0)
        sums[1] += energy[rows, np.minimum(begin + stop - start, spanned)] - energy[rows, begin]
        sums[2] += energy[rows, stop] - energy[rows, start]
        begin = start
    return _normalised(*sums)


def _normalised(dots: Float64, before: Float64, after: Float64) -> Float64:
    norm = np.sqrt(before * after)
    some = norm > 1e-9
    return np.where(some, dots / np.where(some, norm, 1.0), 0.0)
