"""Spectrum of a pair's connections: frequencies stronger than chance makes them, on which the gaps agree.

After BAYWATCH (Hu et al., DSN 2016; from memory, read was its abstract): a periodogram with a power threshold from
permuted series; candidates shorter than the smallest gap are pruned, the rest verified on the autocorrelation, where a
true period stands on a hill. Left out: its test and mixture of intervals, white lists, ranking by novelty and language.

Where the law of a permuted series' spectrum leaves no doubt, no permutation is drawn: each frequency's share of the
energy is exponential, so the largest of m exceeds z with 1 - (1 - exp(-z))^m (Walker 1914; for few bins Fisher's g of
1929; both from memory), and that of few connections, which are bounded, stays below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.columns import Int64
from detector.grouped import Float64

BINS = 16_384  # at most
EACH = 64  # bins for each connection: a period that fills a tenth of the day still has six
FINEST_US = 1_000_000
FEWEST = 8  # connections
PERMUTATIONS = 19  # to be stronger than all of them is a chance of one in twenty
FIRST = 3  # of them are drawn at first: most of what chance makes is no stronger than these
DOUBTLESS = 1e-6  # by the law: the chance that a permutation is as strong
REPEATS = 4  # a period fits at least so often between the first and the last connection
CANDIDATES = 32  # the strongest frequencies that are looked up in the autocorrelation
CHUNK = 64 * BINS  # bins transformed at once
SCREEN = 0.7  # of what the strongest of as many frequencies of noise has: below, no permutation is tried
UNVERIFIED = 0.25

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spectra:
    """What was found in w series: NaN power where there are too few connections or the screen stopped it."""

    power: Float64  # of the strongest possible period, over the threshold that chance sets
    period_s: Float64  # of the candidate with the highest hill, else of the strongest
    hill: Float64  # the autocorrelation there, 0..1; 0: it stands on none

    @property
    def score(self) -> Float64:
        """(w,) 0 for what chance makes, a quarter for what no hill verifies, from one half on for what one does."""
        verified = np.where(self.hill > 0, 0.5 + self.hill / 2, UNVERIFIED)
        return np.where(np.nan_to_num(self.power) > 1, verified, 0.0)


@dataclass(frozen=True)
class Series:
    """s windows' connections as counts in bins of their own width; zero from ``used`` on."""

    counts: Float32  # (s, bins)
    used: Int64
    bin_us: Int64
    shortest: Int64  # bins: the smallest gap between two connections, at least two
    longest: Int64  # bins: what fits REPEATS times

    @property
    def bins(self) -> int:
        """The bins of each."""
        return int(self.counts.shape[1])

    def band(self, row: int) -> slice:
        """The frequencies, in cycles per ``bins``, of the periods that are possible."""
        low = -(-self.bins // max(int(self.longest[row]), 1))
        return slice(low, max(self.bins // int(self.shortest[row]) + 1, low))


def spectra(start: Int64, edges: Int64, keys: Sequence[str]) -> Spectra:
    """The spectra of w windows of connections, whose starts (microseconds) are in order within each.

    ``keys`` (w,): a name for each, from which its permutations are drawn, and from nothing else.
    """
    count = len(edges) - 1
    found = np.full((3, count), np.nan)
    found[2] = 0.0
    for rows, bins in _alike(np.diff(edges)):
        series = _series(start, edges, rows, bins)
        for place, one in _found(series, [keys[row] for row in rows]):
            found[:, rows[place]] = one
    return Spectra(*found)


def _alike(counts: Int64) -> Iterator[tuple[Int64, int]]:
    """Windows with connections enough that get as many bins, a chunk at a time, and how many bins: a power of two."""
    wished = np.minimum(2 ** np.ceil(np.log2(np.maximum(counts, 1) * EACH)).astype(np.int64), BINS)
    for bins in np.unique(wished[counts >= FEWEST]).tolist():
        rows, most = np.flatnonzero((wished == bins) & (counts >= FEWEST)), CHUNK // bins
        yield from ((rows[low : low + most], bins) for low in range(0, len(rows), most))


def _series(start: Int64, edges: Int64, rows: Int64, most: int) -> Series:
    counts = edges[rows + 1] - edges[rows]
    taken = np.repeat(edges[rows] - np.append(0, np.cumsum(counts)[:-1]), counts) + np.arange(counts.sum())
    owner, first = np.repeat(np.arange(len(rows)), counts), start[edges[rows]]
    whole = start[edges[rows + 1] - 1] - first
    width = np.maximum(FINEST_US, -(-(whole + 1) // most))
    bins = np.minimum((start[taken] - first[owner]) // width[owner], most - 1)
    dense = np.bincount(owner * most + bins, minlength=len(rows) * most).reshape(-1, most)
    gaps = np.diff(start[taken]) + np.where(np.diff(owner) != 0, np.iinfo(np.int32).max * FINEST_US, 0)
    smallest = np.minimum.reduceat(np.append(gaps, gaps.max()), np.append(0, np.cumsum(counts)[:-1]))
    used = whole // width + 1
    return Series(dense.astype(np.float32), used, width, np.maximum(smallest // width, 2), used // REPEATS)


def _found(series: Series, keys: Sequence[str]) -> Iterator[tuple[int, tuple[float, float, float]]]:
    """The row of each series that passes the screen, and its (power, period in seconds, hill)."""
    inside = np.arange(series.bins) < series.used[:, None]
    mean = series.counts.sum(axis=1) / series.used
    centred = np.where(inside, series.counts - mean[:, None].astype(np.float32), np.float32(0))
    power = _power(centred, series.bins)
    for row, key in enumerate(keys):
        band, energy = series.band(row), float((centred[row] ** 2).sum())
        allowed = power[row, band]
        if not len(allowed) or allowed.max() <= SCREEN * energy * np.log(max(len(allowed), 2)):
            continue
        top = float(allowed.max())
        bar = walker(energy, len(allowed), PERMUTATIONS)
        if top < walker(energy, PERMUTATIONS * len(allowed), 1 / DOUBTLESS - 1):
            bar = threshold(centred[row, : int(series.used[row])], band, key, bins=series.bins, above=top)
        strong = np.argsort(-allowed, kind="stable")[:CANDIDATES]
        strong = strong[allowed[strong] > bar] + band.start
        period, hill = (
            _verified(power[row], strong) if len(strong) else (series.bins / (int(allowed.argmax()) + band.start), 0.0)
        )
        yield row, (top / bar, period * float(series.bin_us[row]) / 1e6, hill)


def threshold(centred: Float32, band: slice, key: str, *, bins: int = BINS, above: float = np.inf) -> float:
    """The power of the strongest frequency of a band in permutations of a series, drawn from the key alone.

    As soon as one is as strong as ``above`` no other is drawn: the verdict stands (Besag and Clifford 1991, from
    memory).
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
    bar = 0.0
    for count in (FIRST, PERMUTATIONS - FIRST):
        shuffled = rng.permuted(np.tile(centred, (count, 1)), axis=1)
        bar = max(bar, float(_power(shuffled, bins)[:, band].max()))
        if bar >= above:
            break
    return bar


def walker(energy: float, frequencies: int, against: float) -> float:
    """The power that the strongest of so many frequencies of noise exceeds with odds of 1 to ``against``.

    >>> round(walker(1.0, 1, 19), 3)  # -ln(1/20)
    2.996
    """
    return float(-energy * np.log(-np.expm1(np.log1p(-1 / (1 + against)) / frequencies)))


def _power(series: Float32, bins: int) -> Float32:
    transformed = np.fft.rfft(series, bins, axis=1)
    return np.asarray(transformed.real**2 + transformed.imag**2, np.float32)


def _verified(power: Float32, candidates: Int64) -> tuple[float, float]:
    """Period in bins and height of the candidate on the highest hill; that of the strongest, and 0, if none is on one.

    A hill: within the candidate's width the autocorrelation, three lags wide, is higher than half a period away.
    """
    bins = 2 * (len(power) - 1)
    near = np.fft.irfft(power, bins)
    likeness = (np.roll(near, 1) + near + np.roll(near, -1)) / max(float(near[0]), 1e-12)
    best = (bins / float(candidates[0]), 0.0)
    for frequency in candidates.tolist():
        lags = np.arange(int(bins / (frequency + 0.5)), int(bins / max(frequency - 0.5, 0.5)) + 2)
        top = int(lags[np.argmax(likeness[lags % bins])])
        valley = max(float(likeness[top // 2]), float(likeness[(top + top // 2) % bins]))
        height = min(float(likeness[top % bins]), 1.0)
        if height > max(valley, best[1], 0.0):
            best = (bins / frequency, height)
    return best
