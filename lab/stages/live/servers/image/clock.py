"""The run's clock: real microseconds after ``start`` as times of the event loop."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Stands still until ``start`` is called; pushed turns wait for that."""

    def __init__(self) -> None:
        self._started = asyncio.Event()
        self._zero_s = 0.0  # the loop's time at which the run's real time is 0

    def start(self, epoch_us: int) -> None:
        """Real time 0 is at ``epoch_us``, wall clock in microseconds since 1970."""
        self._zero_s = asyncio.get_running_loop().time() + epoch_us / 1e6 - time.time()
        self._started.set()

    def real_us(self) -> int:
        """Real time now; 0 before the start."""
        return int((asyncio.get_running_loop().time() - self._zero_s) * 1e6) if self._started.is_set() else 0

    async def at(self, real_us: int) -> None:
        """Waits until ``start`` + ``real_us``; returns at once if that has passed."""
        await self._started.wait()
        await until(self._zero_s + real_us / 1e6)


async def until(when_s: float) -> None:
    """Waits until the loop's time is ``when_s``."""
    left = when_s - asyncio.get_running_loop().time()
    if left > 0:
        await asyncio.sleep(left)
