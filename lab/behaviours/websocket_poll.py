"""An agent that keeps one WebSocket open: it reports in at intervals, tasks are pushed to it, results go back.

Law: inside the connection a renewal process of check-ins; ping and pong of RFC 6455 section 5.5.2 keep NATs open; the
connection breaks after hours and is dialled again. Sizes count WebSocket frames (RFC 6455 section 5.2: 6 B of header
and mask from the client, 2 to 4 B from the server).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import LAWS, around, renewal, thinking
from lab.draft import Draft
from lab.longflow import Words, dials, ticks, together, words

PING, PONG = 6, 2  # empty control frames, RFC 6455 section 5.5


@dataclass(frozen=True)
class Behaviour:
    """Settings of websocket-poll."""

    tls: bool = setting(True)
    port: int = setting(443, minimum=1, maximum=65_535)
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    period: float = setting(120.0, unit="s", minimum=1, maximum=86_400)
    jitter: float = setting(0.2, minimum=0, maximum=1)
    law: str = setting("uniform", choices=LAWS)
    ping: float = setting(55.0, unit="s", minimum=5, maximum=3_600, source="below the 60 s of common proxies")
    lifetime: float = setting(4 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    up: int = setting(140, unit="B", minimum=8, maximum=100_000)
    down: int = setting(60, unit="B", minimum=4, maximum=100_000)
    spread: float = setting(0.05, minimum=0, maximum=0.9)
    task_probability: float = setting(0.01, minimum=0, maximum=1, source="per check-in")
    task_down: int = setting(900, unit="B", minimum=4, maximum=1_000_000)
    result_up: int = setting(6_000, unit="B", minimum=8, maximum=10_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial; the upgrade is the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("websocket", tls=self.tls, port=self.port, ping_below=str(PING + 1))
        peer = draft.peer(self.reach)
        said = self._said(rng, window.span)
        for begin, end in dials(rng, self.lifetime, window.span):
            pings = words(ticks(rng, begin, end, self.ping), PING, PONG, 500)
            spoken = together(said.during(begin + 2 * SECOND, end), pings)
            draft.talk(
                speech, peer, spoken.time, up=spoken.up, down=spoken.down, delay=spoken.delay, start=begin, close=end
            )
        return draft.batch()

    def _said(self, rng: np.random.Generator, span: int) -> Words:
        """Check-ins, pushed tasks and results of the whole day, whichever connection carries them."""
        times = renewal(rng, self.law, self.period, self.jitter, span)
        n = len(times)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        tasks = times[rng.random(n) < self.task_probability] + int(0.4 * SECOND)
        results = tasks + (rng.uniform(1.0, 12.0, len(tasks)) * SECOND).astype(np.int64)
        sizes = np.maximum(self.result_up * rng.lognormal(0.0, 0.7, len(tasks)), 8).astype(np.int64)
        return together(
            words(times, up, down, thinking(rng, n)),
            words(tasks, 0, self.task_down),
            words(results, sizes, 8, thinking(rng, len(tasks))),
        )
