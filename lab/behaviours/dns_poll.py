"""An agent that asks for tasks through DNS: a label never asked before under its zone, the answer a TXT or A record.

Law: a renewal process like http-poll's. The device's resolver carries it (RFC 1035; TXT strings of section 3.3.14 hold
the answer), so no connection to the agent's own server exists. A task's result leaves in a burst of long labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.clock import LAWS, around, renewal, thinking
from lab.draft import Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of dns-poll."""

    period: float = setting(60.0, unit="s", minimum=1, maximum=7 * 86_400)
    jitter: float = setting(0.2, minimum=0, maximum=1)
    law: str = setting("uniform", choices=LAWS)
    qtype: str = setting("TXT", choices=("TXT", "A", "NULL"))
    up: int = setting(90, unit="B", minimum=30, maximum=250, source="RFC 1035 2.3.4: names of at most 255 B")
    down: int = setting(180, unit="B", minimum=40, maximum=1_200, source="1232 B without TCP, DNS flag day 2020")
    spread: float = setting(0.1, minimum=0, maximum=0.9)
    task_probability: float = setting(0.01, minimum=0, maximum=1)
    task_down: int = setting(600, unit="B", minimum=40, maximum=1_200)
    result_questions: int = setting(25, minimum=1, maximum=1_000, source="how many questions carry one result")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation (an own UDP socket) per question."""
        draft = Draft(window.span)
        speech = draft.speech("dns", port=53, qtype=self.qtype)
        peer = draft.peer("resolver")
        times = renewal(rng, self.law, self.period, self.jitter, window.span)
        n = len(times)
        up, delay = around(rng, self.up, self.spread, n), thinking(rng, n, 60.0)
        tasked = rng.random(n) < self.task_probability
        down = np.where(tasked, self.task_down, around(rng, self.down, self.spread, n))
        draft.calls(speech, peer, times, up=up, down=down, delay=delay)
        results = self._results(rng, times[tasked])
        draft.calls(speech, peer, results, up=240, down=self.down, delay=thinking(rng, len(results), 60.0))
        return draft.batch()

    def _results(self, rng: np.random.Generator, tasks: Int64) -> Int64:
        """Times of the questions that carry results: a burst that begins seconds after each task."""
        gaps = rng.exponential(0.15, (len(tasks), self.result_questions))
        begins = tasks[:, None] + (rng.uniform(1.0, 10.0, (len(tasks), 1)) * SECOND).astype(np.int64)
        return (begins + (np.cumsum(gaps, axis=1) * SECOND).astype(np.int64)).ravel()
