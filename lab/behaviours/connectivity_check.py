"""Android's look at every network it joins: /generate_204 over HTTP and HTTPS at once, again when nothing is heard.

Law: NetworkMonitor probes when a network is validated (AOSP packages/modules/NetworkStack, from memory): one plain and
one TLS request side by side, and once more after a log-normal wait where the first is not answered in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import REACHES, web
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.reconnect import changes


@dataclass(frozen=True)
class Behaviour:
    """Settings of connectivity-check."""

    reach: str = setting("popular", choices=REACHES)
    again: float = setting(0.1, minimum=0, maximum=1, source="share of probes that are made once more")
    wait: float = setting(5.0, unit="s", minimum=1, maximum=600, source="median until then")
    up: int = setting(190, unit="B", minimum=100, maximum=2_000)
    down: int = setting(130, unit="B", minimum=80, maximum=2_000, source="a 204 and its headers")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two conversations per probe; the first probe when the span begins."""
        draft = Draft(window.span)
        plain, peer = web(draft, self.reach, tls=False)
        sealed, other = web(draft, self.reach)
        begin = np.concatenate([[0], changes(window)]) + (rng.uniform(0.2, 1.5, 1) * SECOND).astype(np.int64)
        repeated = begin[rng.random(len(begin)) < self.again]
        waits = np.maximum(self.wait * rng.lognormal(0.0, 0.5, len(repeated)), 1.0)
        times = np.sort(np.concatenate([begin, repeated + (waits * SECOND).astype(np.int64)]))
        for speech, host in ((plain, peer), (sealed, other)):
            n = len(times)
            shift = rng.integers(0, 30_000, n)
            up, down = around(rng, self.up, 0.02, n), around(rng, self.down, 0.02, n)
            draft.calls(speech, host, times + shift, up=up, down=down, delay=thinking(rng, n, 10.0))
        return draft.batch()
