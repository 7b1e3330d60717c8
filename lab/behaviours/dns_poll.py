"""An agent that asks for tasks through DNS: a label never asked before under its zone, the answer a TXT or A record.

Law: sleeps and gates like http-poll's. The device's resolver carries it (RFC 1035; TXT strings of section 3.3.14 hold
the answer), so that no connection to the agent's own server exists; or a public resolver over TLS or HTTPS (RFC 7858,
RFC 8484), where only the resolver is seen. A task's result leaves in a burst of long labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import QTYPES, RESOLVERS, asked
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pace import Pace, moments, paced


@dataclass(frozen=True)
class Behaviour:
    """Settings of dns-poll."""

    carrier: str = setting(
        "dns", choices=RESOLVERS, source="dns, dns-tcp: the device's resolver; dot, doh: a public one"
    )
    keep: float = setting(
        10.0, unit="s", minimum=0, maximum=3_600, source="how long a connection of DNS waits for another question"
    )
    period: float = paced("period", 60.0)
    jitter: float = paced("jitter", 0.2)
    law: str = paced("law")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut")
    wake: str = paced("wake")
    ration: float = paced("ration")
    fast: float = paced("fast")
    fast_for: float = paced("fast_for")
    qtype: str = setting("TXT", choices=QTYPES)
    up: int = setting(90, unit="B", minimum=30, maximum=250, source="RFC 1035 2.3.4: names of at most 255 B")
    down: int = setting(180, unit="B", minimum=40, maximum=1_200, source="1232 B without TCP, DNS flag day 2020")
    spread: float = setting(0.1, minimum=0, maximum=0.9)
    task_probability: float = paced("task_probability", 0.01)
    task_down: int = setting(600, unit="B", minimum=40, maximum=1_200)
    result_questions: int = setting(25, minimum=1, maximum=1_000, source="how many questions carry one result")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per question over UDP; over TCP, of those that come while it is kept."""
        draft = Draft(window.span)
        speech, peer = asked(draft, self.carrier, qtype=self.qtype)
        polls = moments(rng, Pace.of(self), window)
        n = len(polls.time)
        down = np.where(polls.tasked, self.task_down, around(rng, self.down, self.spread, n))
        results = self._results(rng, polls.time[polls.tasked])
        time = np.concatenate([polls.time, results])
        up = np.concatenate([around(rng, self.up, self.spread, n), np.full(len(results), 240)])
        down = np.concatenate([down, np.full(len(results), self.down)])
        order = np.argsort(time, kind="stable")
        said = words(time[order], up[order], down[order], thinking(rng, len(time), 60.0))
        keep = -1 if self.carrier == "dns" else int(self.keep * SECOND)
        fresh = np.diff(said.time, prepend=np.int64(-(10**12))) > keep
        draft.talks(speech, peer, said.time[fresh], (np.cumsum(fresh) - 1, said), linger=max(keep, 0))
        return draft.batch()

    def _results(self, rng: np.random.Generator, tasks: Int64) -> Int64:
        """Times of the questions that carry results: a burst that begins seconds after each task."""
        gaps = rng.exponential(0.15, (len(tasks), self.result_questions))
        begins = tasks[:, None] + (rng.uniform(1.0, 10.0, (len(tasks), 1)) * SECOND).astype(np.int64)
        return (begins + (np.cumsum(gaps, axis=1) * SECOND).astype(np.int64)).ravel()
