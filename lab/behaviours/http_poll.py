"""An agent that asks its server for tasks over HTTP or HTTPS, and sleeps in between.

Law: a renewal process, next poll = this poll + sleep (Cobalt Strike, Mythic and Sliver document sleep and jitter so;
quoted from memory). Most answers are empty; now and then one is a task, and its result is uploaded in the same
connection. All bytes are filler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import LAWS, around, deferred, renewal, thinking
from lab.draft import METHODS, Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of http-poll."""

    tls: bool = setting(True)
    period: float = setting(300.0, unit="s", minimum=1, maximum=7 * 86_400)
    jitter: float = setting(0.0, minimum=0, maximum=1, source="Cobalt Strike allows 0 to 99 %")
    law: str = setting("cobalt-strike", choices=LAWS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    method: str = setting("auto", choices=METHODS, source="auto: POST where the request is large")
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    up: int = setting(420, unit="B", minimum=100, maximum=100_000)
    down: int = setting(310, unit="B", minimum=100, maximum=1_000_000)
    spread: float = setting(0.0, minimum=0, maximum=0.9, source="padding, a fraction around the sizes")
    task_probability: float = setting(0.02, minimum=0, maximum=1)
    task_down: int = setting(2_600, unit="B", minimum=100, maximum=1_000_000)
    result_up: int = setting(9_000, unit="B", minimum=100, maximum=10_000_000)
    deferred: bool = setting(False, source="True: the agent holds no wake lock and waits for Doze windows")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per poll; a task adds an exchange."""
        draft = Draft(window.span)
        speech = draft.web(tls=self.tls, port=self.port, method=self.method)
        peer = draft.peer(self.reach)
        times = renewal(rng, self.law, self.period, self.jitter, window.span)
        if self.deferred:
            times = deferred(rng, times, window)
        n = len(times)
        tasked = rng.random(n) < self.task_probability
        up, down, delay = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n), thinking(rng, n)
        empty = ~tasked
        draft.calls(speech, peer, times[empty], up=up[empty], down=down[empty], delay=delay[empty])
        for index in np.flatnonzero(tasked).tolist():
            result = int(self.result_up * rng.lognormal(0.0, 0.7))
            at = np.array([times[index], times[index] + int(rng.uniform(1.0, 12.0) * SECOND)])
            draft.talk(speech, peer, at, up=[up[index], result], down=[self.task_down, self.down], delay=delay[index])
        return draft.batch()
