"""What people say in a chat app: messages that come all day, talk both ways while the app is open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import Int64, Window
from lab.habits.clock import poisson, thinking, whole
from lab.habits.longflow import Words, together, words

RECEIPT, ANSWER = 40, 45  # bytes that confirm a message received, and one sent
SHORTEST = 12


@dataclass(frozen=True)
class Chatter:
    """How much is said: Poisson rates per hour, and the median size of a message in bytes, log-normal (sigma 0.8)."""

    received_per_hour: float
    open_per_hour: float  # each way, while the app is open
    message: int

    def words(self, rng: np.random.Generator, window: Window) -> Words:
        """Messages received and their receipts, messages sent."""
        come = poisson(rng, self.received_per_hour, whole(window.span))
        come = np.sort(np.concatenate([come, poisson(rng, self.open_per_hour, window.foreground)]))
        gone = poisson(rng, self.open_per_hour, window.foreground)
        return together(
            words(come, 0, self._sizes(rng, len(come))),
            words(come + 300_000, RECEIPT, 0),
            words(gone, self._sizes(rng, len(gone)), ANSWER, thinking(rng, len(gone))),
        )

    def _sizes(self, rng: np.random.Generator, count: int) -> Int64:
        return np.maximum(self.message * rng.lognormal(0.0, 0.8, count), SHORTEST).astype(np.int64)
