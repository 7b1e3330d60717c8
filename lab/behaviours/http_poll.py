"""An agent that asks its server for tasks over HTTP or HTTPS, and sleeps in between.

Law: next poll = this poll + sleep, with the laws of lab/habits/clock.py, gated and hurried as lab/habits/pace.py says
(Cobalt Strike, Mythic and Sliver document sleep and jitter so; quoted from memory). Most answers are empty; now and
then one is a task, and its result is uploaded seconds later, whatever the gate, in the same connection or to another
host (the first host is a dead drop then). The server may hide behind a popular name, have no name, or a new one every
day. All bytes are filler.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import CARRIERS, FRONTS, NAMINGS, REACHES, carried, opening
from lab.habits.clock import around, thinking
from lab.habits.draft import METHODS, Draft
from lab.habits.longflow import Words, words
from lab.habits.pace import Moments, Pace, moments, paced
from lab.habits.ragged import joined
from lab.habits.rotation import CANDIDATES, NAMED, ROTATIONS, in_turn

SMALLEST = 100  # bytes


@dataclass(frozen=True)
class Behaviour:
    """Settings of http-poll."""

    carrier: str = setting("http", choices=CARRIERS, source="http2 and quic are always encrypted")
    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    method: str = setting("auto", choices=METHODS, source="auto: POST where the request is large")
    reach: str = setting("vendor", choices=REACHES, source="popular: a dead drop on a service everybody uses")
    naming: str = setting("name", choices=NAMINGS, source="the ClientHello: SNI, none, ECH, or the name of another")
    front: str = setting("none", choices=FRONTS, source="cdn: domain fronting, Host is the agent's own (T1090.004)")
    resume: bool = setting(False, source="TLS sessions resumed but the first with a host, RFC 8446 section 2.2")
    dga: str = setting(
        "none",
        choices=ROTATIONS,
        source="a new registrable domain for each; reach does not count then",
    )
    names: str = NAMED
    candidates: int = CANDIDATES
    keep: float = setting(
        0.0, unit="s", minimum=0, maximum=3_600, source="how long a connection waits for the next poll; OkHttp: 5 min"
    )
    period: float = paced("period")
    jitter: float = paced("jitter")
    law: str = paced("law", "cobalt-strike")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut")
    wake: str = paced("wake")
    ration: float = paced("ration")
    fast: float = paced("fast")
    fast_for: float = paced("fast_for")
    up: int = setting(420, unit="B", minimum=SMALLEST, maximum=100_000)
    down: int = setting(310, unit="B", minimum=SMALLEST, maximum=1_000_000)
    spread: float = setting(0.0, minimum=0, maximum=0.9, source="padding, a fraction around the sizes")
    pad_up: int = setting(0, unit="B", minimum=0, maximum=100_000, source="uniform, added: say 3 kB, our choice")
    pad_down: int = setting(0, unit="B", minimum=0, maximum=100_000, source="uniform, added: say 8 kB, our choice")
    task_probability: float = paced("task_probability")
    task_down: int = setting(2_600, unit="B", minimum=SMALLEST, maximum=1_000_000)
    result_up: int = setting(9_000, unit="B", minimum=SMALLEST, maximum=10_000_000, source="median, log-normal")
    result_reach: str = setting("same", choices=("same", *REACHES), source="where results go; our choice")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per poll, or of those that come while it is kept; a task adds an exchange."""
        draft = Draft(window.span)
        asked = moments(rng, Pace.of(self), window)
        n = len(asked.time)
        reach = self.reach if self.dga == "none" else "fresh"
        place, hosts = in_turn(rng, draft, self, asked.time, window, turn=self.dga, reach=reach)
        up = around(rng, self.up, self.spread, n) + rng.integers(0, self.pad_up + 1, n)
        down = around(rng, self.down, self.spread, n) + rng.integers(0, self.pad_down + 1, n)
        polls = words(asked.time, up, np.where(asked.tasked, self.task_down, down), thinking(rng, n))
        fresh = opening(asked.time, place, int(self.keep * SECOND))
        of = np.cumsum(fresh) - 1
        results = self._results(rng, asked)
        said = (of, polls)
        if self.result_reach == "same":
            said = joined(said, (of[asked.tasked], results))
        else:
            speech, peer = carried(draft, self, self.result_reach)
            draft.calls(speech, peer, results.time, up=results.up, down=results.down, delay=results.delay)
        speeches, peers = hosts[place[fresh]].T
        draft.talks(speeches, peers, asked.time[fresh], said, linger=int(self.keep * SECOND))
        return draft.batch()

    def _results(self, rng: np.random.Generator, asked: Moments) -> Words:
        tasks = asked.time[asked.tasked]
        time = tasks + (rng.uniform(1.0, 12.0, len(tasks)) * SECOND).astype(np.int64)
        sizes = np.maximum(self.result_up * rng.lognormal(0.0, 0.7, len(tasks)), SMALLEST).astype(np.int64)
        return words(time, sizes, self.down, thinking(rng, len(tasks)))
