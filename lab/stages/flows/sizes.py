"""How many bytes a message takes for the bytes asked for: a law read off a few messages that were really made.

Most protocols say what was asked, never less than their headers and never more than fits; where neither holds, sizes
are interpolated between those tried. Pure arithmetic: no protocol is named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

CLOSE, CLOSE_BYTES = 0.02, 4  # how far from the sizes tried a simple law may be
_NO_MOST = 1 << 62


@dataclass(frozen=True)
class Law:
    """``asked + shift`` bytes, at least ``least``, at most ``most``; or between the points of ``tried``."""

    least: int
    shift: int = 0
    most: int = _NO_MOST
    tried: tuple[tuple[int, int], ...] = ()

    @property
    def fixed(self) -> bool:
        """Whether the size does not depend on what is asked."""
        return self.least == self.most

    def sizes(self, asked: Int64, longer: Int64) -> Int64:
        """(n,) bytes; ``longer``: how much longer names in the message are than in those tried."""
        if self.fixed:
            return self.least + longer
        if not self.tried:
            whole: Int64 = np.clip(asked + self.shift, self.least + longer, np.maximum(self.most, self.least + longer))
            return whole
        points = np.array(self.tried, dtype=np.float64)
        (before, low), (last, high) = points[-2], points[-1]
        beyond = np.maximum(asked - last, 0) * (high - low) / (last - before)
        between: Int64 = np.rint(np.interp(asked, points[:, 0], points[:, 1]) + beyond).astype(np.int64)
        return np.maximum(between, np.maximum(self.least + longer, 1))


def law_of(asked: list[int], said: list[int]) -> Law:
    """The simplest law that gives these sizes: constant, clipped, or between the points; ``asked`` ascends strictly."""
    if len(set(said)) == 1:
        return Law(said[0], 0, said[0])
    x, y = np.array(asked, dtype=np.int64), np.array(said, dtype=np.int64)
    most = int(y[-1]) if y[-1] == y[-2] else _NO_MOST
    inner = (y > y[0]) & (y < most)
    if inner.any():
        law = Law(int(y[0]), int(np.median((y - x)[inner])), most)
        if _holds(law, x, y):
            return law
    return Law(int(y.min()), tried=tuple(zip(asked, said, strict=True)))


def _holds(law: Law, x: Int64, y: Int64) -> bool:
    wrong: Any = np.abs(law.sizes(x, np.zeros_like(x)) - y)
    return bool((wrong <= np.maximum(CLOSE_BYTES, CLOSE * y)).all())
