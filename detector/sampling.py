"""One packet in a hundred, seen by arithmetic: what a sampling router would have counted of each flow.

Deterministic and independent of row order: every draw is a hash of the flow's number, so both rows of a flow between
two devices agree. Each direction's sampled packets are binomial, drawn by inversion up to NORMAL_FROM expected packets
and by the normal approximation above; first and last sampled packet are the extremes of as many uniform times.
The approximation: packets are spread evenly over the flow and all of a direction are equally large, so bursts and the
sizes of single packets are not there to be found, as they hardly are in real samples of one in a hundred.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from detector.columns import Int64

ONE_IN = 100
NORMAL_FROM = 50.0

Float64 = npt.NDArray[np.float64]


def uniform(number: Int64, stream: int) -> Float64:
    """(n,) numbers in (0, 1), one per flow number and stream, by SplitMix64 (Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        mixed = (number.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
            stream * 0x632BE59BD9B4E019 % 2**64
        )
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def sampled(packets: Int64, number: Int64, stream: int) -> Int64:
    """(n,) how many of ``packets`` were sampled: binomial with probability 1 / ONE_IN."""
    chance = 1.0 / ONE_IN
    first, second = uniform(number, stream), uniform(number, stream + 1)
    mean = packets * chance
    wave = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second)  # Box and Muller, 1958
    many = np.rint(mean + np.sqrt(mean * (1.0 - chance)) * wave).astype(np.int64)
    few = _inverted(np.where(mean > NORMAL_FROM, 0, packets), first, chance)
    return np.where(mean > NORMAL_FROM, np.clip(many, 0, packets), few)


def _inverted(packets: Int64, uniforms: Float64, chance: float) -> Int64:
    """The binomial quantile of each uniform: terms are added until they reach it."""
    count = np.zeros(len(packets), np.int64)
    term = np.power(1.0 - chance, packets.astype(np.float64))
    reached = term.copy()
    open_rows = np.flatnonzero((reached < uniforms) & (packets > 0))
    while len(open_rows):
        left = packets[open_rows] - count[open_rows]
        count[open_rows] += 1
        term[open_rows] *= left / count[open_rows] * (chance / (1.0 - chance))
        reached[open_rows] += term[open_rows]
        going_on = (reached[open_rows] < uniforms[open_rows]) & (count[open_rows] < packets[open_rows])
        open_rows = open_rows[going_on]
    return count


def extremes(start: Int64, end: Int64, samples: Int64, number: Int64, stream: int) -> tuple[Int64, Int64]:
    """First and last of ``samples`` (>= 1) uniform times between start and end."""
    first = 1.0 - np.power(1.0 - uniform(number, stream), 1.0 / np.maximum(samples, 1))
    rest = np.power(uniform(number, stream + 1), 1.0 / np.maximum(samples - 1, 1))
    last = np.where(samples > 1, first + (1.0 - first) * rest, first)
    span = (end - start).astype(np.float64)
    return start + np.floor(first * span).astype(np.int64), start + np.floor(last * span).astype(np.int64)
