"""An agent that leaves a request open until the server has a task or the time is up, and then asks again at once.

Law: HTTP long polling (RFC 6202 section 2): the server answers after ``hold``, or earlier with a task, which come as a
Poisson process; the next request leaves a moment later. The connection is kept for many requests, or one is dialled for
each. A result is a request of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Bool, Int64, Window, setting
from lab.habits.carriage import CARRIERS, FRONTS, NAMINGS, REACHES, carried
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pace import Pace, paced
from lab.habits.waiting import Sleeper, walk

SMALLEST = 100  # bytes
TASK, CUT = 1, 2  # how a request ends, if not after the hold
LEAST_PAUSE_S = 0.3  # longer than a round trip: the answer is there before the next request


@dataclass(frozen=True)
class Behaviour:
    """Settings of long-poll."""

    carrier: str = setting("http", choices=CARRIERS)
    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("vendor", choices=REACHES)
    naming: str = setting("name", choices=NAMINGS, source="the ClientHello: SNI, none, ECH, or the name of another")
    front: str = setting("none", choices=FRONTS, source="cdn: through a popular CDN's name, Host is the agent's own")
    resume: bool = setting(False, source="TLS sessions resumed, RFC 8446 section 2.2")
    hold: float = setting(55.0, unit="s", minimum=5, maximum=600, source="RFC 6202 5.5: 30 s is safe, 120 s works too")
    pause: float = setting(
        0.2, unit="s", minimum=0, maximum=60, source="mean, beyond a round trip; until it asks again"
    )
    lifetime: float = setting(
        1_800.0, unit="s", minimum=0, maximum=7 * 86_400, source="of a connection; 0 = a new one for each request"
    )
    tasks_per_hour: float = setting(0.5, minimum=0, maximum=600, source="our choice")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    up: int = setting(420, unit="B", minimum=SMALLEST, maximum=100_000)
    down: int = setting(220, unit="B", minimum=SMALLEST, maximum=1_000_000, source="of an answer without a task")
    spread: float = setting(0.0, minimum=0, maximum=0.9)
    task_down: int = setting(2_600, unit="B", minimum=SMALLEST, maximum=1_000_000)
    result_up: int = setting(9_000, unit="B", minimum=SMALLEST, maximum=10_000_000, source="median, log-normal")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Requests one after the other, in conversations that live for a while; results beside them."""
        draft = Draft(window.span)
        speech, peer = carried(draft, self, self.reach)
        time, delay, tasked = self._asked(rng, window)
        n = len(time)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        down = np.where(tasked == CUT, 0, np.where(tasked, self.task_down, down))
        said = words(time, up, down, delay)
        fresh = self._dialled(rng, time, delay)
        draft.talks(speech, peer, time[fresh], (np.cumsum(fresh) - 1, said))
        tasks = (time + delay)[tasked == TASK]
        results = tasks + (rng.uniform(1.0, 12.0, len(tasks)) * SECOND).astype(np.int64)
        sizes = np.maximum(self.result_up * rng.lognormal(0.0, 0.7, len(tasks)), SMALLEST).astype(np.int64)
        draft.calls(speech, peer, results, up=sizes, down=self.down, delay=thinking(rng, len(tasks)))
        return draft.batch()

    def _asked(self, rng: np.random.Generator, window: Window) -> tuple[Int64, Int64, Int64]:
        """When requests leave while the gate is open, how long they are held, and how they end."""
        hold, rate_s = self.hold * SECOND, self.tasks_per_hour / 3_600.0

        def draw(count: int) -> Int64:
            until = rng.exponential(SECOND, count) / max(rate_s, 1e-9)
            held = np.where(until < hold, until, hold).astype(np.int64) + thinking(rng, count)
            pause = ((LEAST_PAUSE_S + rng.exponential(max(self.pause, 1e-6), count)) * SECOND).astype(np.int64)
            return np.stack([held + pause, held, until < hold])

        first = int(rng.random() * hold)
        mean_us = hold if rate_s * self.hold < 1 else SECOND / rate_s
        open_ = Pace.of(self).openings(window)
        time, _, delay, tasked = walk(rng, Sleeper(first, mean_us, draw), open_)
        cut = np.minimum(delay, self._closing(time, open_) - time)
        return time, cut, np.where(cut == delay, tasked, CUT)

    def _closing(self, time: Int64, open_: Int64) -> Int64:
        """When the gate that is open at each time shuts: the server's answer is given up then."""
        closing: Int64 = open_[np.searchsorted(open_[:, 0], time, side="right") - 1, 1]
        return closing

    def _dialled(self, rng: np.random.Generator, time: Int64, delay: Int64) -> Bool:
        """Which requests open a connection: the first, those after a gap, and those whose connection has ended."""
        if not self.lifetime:
            return np.ones(len(time), dtype=np.bool_)
        gap = np.diff(time, prepend=np.int64(-(10**12)))
        silent: Bool = gap - np.concatenate([[0], delay[:-1]]) > 10 * self.pause * SECOND + 5 * SECOND
        ended: Bool = rng.random(len(time)) < -np.expm1(-gap / (self.lifetime * SECOND))
        return silent | ended
