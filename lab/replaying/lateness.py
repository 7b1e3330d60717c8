"""How late the frames of a replay were, told by the moments at which each left. Pure: numbers in, numbers out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
_LAST = 0.01  # share of the frames at the end whose median lateness is the drift


@dataclass(frozen=True)
class Spread:
    """Median, 99th percentile and greatest of many, in microseconds."""

    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, nanoseconds: Int64) -> Spread:
        """Of so many nanoseconds; zeros of none."""
        if not len(nanoseconds):
            return cls(0.0, 0.0, 0.0)
        half, most = np.percentile(nanoseconds, [50, 99])
        return cls(round(float(half) / 1e3, 3), round(float(most) / 1e3, 3), round(float(nanoseconds.max()) / 1e3, 3))


@dataclass(frozen=True)
class Lateness:
    """Of all frames that left.

    ``late_us``: behind the plan. ``gap_error_us``: how much the time between two frames differs from the planned.
    ``drift_ms``: the median lateness of the last hundredth, what a run has lost in all.
    """

    frames: int
    planned_s: float
    took_s: float
    per_second: float
    late_us: Spread
    gap_error_us: Spread
    drift_ms: float

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def lateness(due: Int64, left: Int64) -> Lateness:
    """Of frames due and gone at these nanoseconds since the start, in the order in which they left."""
    late = left - due
    gaps = np.abs(np.diff(left) - np.diff(due))
    took = float(left[-1] - left[0]) / 1e9 if len(left) > 1 else 0.0
    tail = late[-max(1, round(len(late) * _LAST)) :]
    return Lateness(
        frames=len(left),
        planned_s=round(float(due[-1] - due[0]) / 1e9, 6) if len(due) else 0.0,
        took_s=round(took, 6),
        per_second=round((len(left) - 1) / took, 1) if took else 0.0,
        late_us=Spread.of(late),
        gap_error_us=Spread.of(gaps),
        drift_ms=round(float(np.median(tail)) / 1e6, 3) if len(late) else 0.0,
    )
