"""An agent that keeps one WebSocket open: it reports in at intervals, tasks are pushed to it, results go back.

Law: inside the connection check-ins with the laws of lab/habits/clock.py; ping and pong of RFC 6455 section 5.5.2 keep
NATs open; the connection breaks after hours and is dialled again, and lives only while the gate is open. Sizes count
WebSocket frames (RFC 6455 section 5.2: 6 B of header and mask from the client, 2 to 4 B from the server).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.channel import beats, spoken
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import Words, together, words
from lab.habits.pace import Pace, moments, paced
from lab.habits.ragged import joined
from lab.habits.reconnect import connections

PING, PONG = 6, 2  # empty control frames, RFC 6455 section 5.5


@dataclass(frozen=True)
class Behaviour:
    """Settings of websocket-poll."""

    tls: bool = setting(True)
    port: int = setting(443, minimum=1, maximum=65_535)
    reach: str = setting("vendor", choices=REACHES)
    period: float = paced("period", 120.0)
    jitter: float = paced("jitter", 0.2)
    law: str = paced("law")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut")
    fast: float = paced("fast")
    fast_for: float = paced("fast_for")
    ping: float = setting(55.0, unit="s", minimum=5, maximum=3_600, source="below the 60 s of common proxies")
    lifetime: float = setting(4 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400, source="1 to 6 h, our choice")
    up: int = setting(140, unit="B", minimum=8, maximum=100_000)
    down: int = setting(60, unit="B", minimum=4, maximum=100_000)
    spread: float = setting(0.05, minimum=0, maximum=0.9)
    task_probability: float = paced("task_probability", 0.01)
    task_down: int = setting(900, unit="B", minimum=4, maximum=1_000_000)
    result_up: int = setting(6_000, unit="B", minimum=8, maximum=10_000_000, source="median, log-normal")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial; the upgrade is the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("websocket", tls=self.tls, port=self.port, ping_below=str(PING + 1))
        peer = draft.peer(self.reach)
        lives = connections(rng, self.lifetime, window, Pace.of(self).openings(window))
        said = joined(spoken(lives, self._said(rng, window)), beats(rng, lives, self.ping, PING, PONG))
        draft.talks(speech, peer, lives[:, 0], said, close=lives[:, 1])
        return draft.batch()

    def _said(self, rng: np.random.Generator, window: Window) -> Words:
        """Check-ins, pushed tasks and results of the whole day, whichever connection carries them."""
        made = moments(rng, Pace.of(self), window, scheduled=False)
        n = len(made.time)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        tasks = made.time[made.tasked] + int(0.4 * SECOND)
        results = tasks + (rng.uniform(1.0, 12.0, len(tasks)) * SECOND).astype(np.int64)
        sizes = np.maximum(self.result_up * rng.lognormal(0.0, 0.7, len(tasks)), 8).astype(np.int64)
        return together(
            words(made.time, up, down, thinking(rng, n)),
            words(tasks, 0, self.task_down),
            words(results, sizes, 8, thinking(rng, len(tasks))),
        )
