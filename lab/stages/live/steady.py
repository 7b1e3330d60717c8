"""Whether the wall clock has gone on evenly since a run began: one that jumps tears capture, sensors and plan apart.

Slewing (NTP) moves the monotonic clock as well and is none; a clock that is set, or a machine that slept, is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

_TRIES = 5  # of reading two clocks at once; a busy machine may stop us in between


def ahead_us() -> int:
    """The wall clock's lead over the monotonic one, us: of several readings the one least interrupted."""
    return min(_reading() for _ in range(_TRIES))[1]


def _reading() -> tuple[int, int]:
    """How long it took to read both clocks, ns, and the wall clock's lead, us."""
    before = time.monotonic_ns()
    wall = time.time_ns()
    after = time.monotonic_ns()
    return after - before, (wall - (before + after) // 2) // 1_000


@dataclass(frozen=True)
class Steady:
    """The wall clock's lead over the monotonic one when this was made, us."""

    began_us: int = field(default_factory=ahead_us)

    def jumped_us(self) -> int:
        """By how much the wall clock has been moved since: forward is positive."""
        return ahead_us() - self.began_us
