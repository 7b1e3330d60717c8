"""When each frame leaves: recorded times made faster, repeated, and held below a rate. Pure arrays, no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

NS = 1_000  # nanoseconds of a microsecond
BURST_S = 0.1  # of the rate cap's packets may leave at once: a burst shorter than that stays as it was recorded


def departures(time: Int64, speed: float, *, cap: float, after: int = 0) -> Int64:
    """Nanoseconds since the start of the replay at which each frame leaves; ``time`` ascends, in microseconds.

    The first leaves at ``after``. Not more than ``cap`` frames leave in a second, but for bursts of BURST_S x cap, by
    the generic cell rate algorithm (ITU-T I.371, from memory), delaying instead of dropping.
    """
    if not len(time):
        return np.zeros(0, np.int64)
    wished = np.round((time - time[0]) * (NS / speed)).astype(np.int64) + after
    return capped(wished, cap)


def capped(wished: Int64, cap: float) -> Int64:
    """The departures that a rate cap leaves of what was wished for (ascending, nanoseconds)."""
    place = np.arange(len(wished))
    earned = np.round(place * (1e9 / cap)).astype(np.int64)
    theoretical = np.maximum.accumulate(wished - earned) + earned  # arrival time of the cell before it, plus its share
    tolerance = int(BURST_S * 1e9)
    held: Int64 = np.maximum.accumulate(np.maximum(wished, theoretical - tolerance))
    return held


def period(time: Int64, span_us: int, speed: float) -> int:
    """Nanoseconds from one repetition's start to the next: the recording's whole span, so that days stay days.

    A capture that knows no span has that of its packets and a second of silence.
    """
    own = int(time[-1] - time[0]) + 1_000_000 if len(time) else 1_000_000
    return round(max(span_us, own) * NS / speed)


def recovered(held: Int64, cap: float) -> int:
    """The moment from which as many frames may leave at once again as at the start, after these departures."""
    if not len(held):
        return 0
    return math.ceil(float((held + np.arange(len(held), 0, -1) * (1e9 / cap)).max()))


@dataclass
class Bucket:
    """The same cap kept while frames leave, on one clock: what a pause of the machine held up does not leave at once.

    ``opens`` is the nanosecond from which the next frame may leave.
    """

    cap: float = math.inf
    opens: int = 0

    def __post_init__(self) -> None:
        self._share = math.floor(1e9 / self.cap)  # not above what the plan gives, or frames on time would wait
        self._tolerance = int(BURST_S * 1e9)

    def took(self, now: int) -> None:
        """Takes note of a frame that left now."""
        spent = self.opens + self._tolerance
        self.opens = max(spent, now) + self._share - self._tolerance
