"""An agent that listens at an MQTT broker: tasks are pushed to it, results published, pings keep the connection.

Law: PINGREQ at most every ``keepalive`` (MQTT 3.1.1 section 3.1.2.10), tasks as a Poisson process, and reports of its
own at intervals if it makes any. Nothing polls: the cadence is the keepalive's. The connection breaks after hours, is
dialled again, and lives only while the gate is open. Sizes are those of MQTT packets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.channel import beats, spoken
from lab.habits.clock import around, poisson, thinking, whole
from lab.habits.draft import Draft
from lab.habits.longflow import Words, together, words
from lab.habits.pace import Pace, moments, paced
from lab.habits.ragged import joined
from lab.habits.reconnect import connections

PING = 2  # bytes of PINGREQ and of PINGRESP, MQTT 3.1.1 sections 3.12 and 3.13
PUBACK = 4
SMALLEST = 30  # bytes of a publication with its topic


@dataclass(frozen=True)
class Behaviour:
    """Settings of mqtt-poll."""

    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 8883 with TLS, 1883 without (IANA)")
    reach: str = setting("vendor", choices=REACHES)
    keepalive: float = setting(240.0, unit="s", minimum=10, maximum=3_600, source="60 to 300 s, our choice")
    lifetime: float = setting(6 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    tasks_per_hour: float = setting(0.5, minimum=0, maximum=600, source="our choice")
    task_down: int = setting(600, unit="B", minimum=SMALLEST, maximum=1_000_000)
    result_up: int = setting(4_000, unit="B", minimum=SMALLEST, maximum=10_000_000, source="median, log-normal")
    period: float = setting(0.0, unit="s", minimum=0, maximum=7 * 86_400, source="of reports; 0 = it makes none")
    jitter: float = paced("jitter")
    law: str = paced("law")
    sigma: float = paced("sigma")
    report: int = setting(180, unit="B", minimum=SMALLEST, maximum=100_000)
    spread: float = setting(0.05, minimum=0, maximum=0.9)
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial; CONNECT and SUBSCRIBE are the protocol's own."""
        draft = Draft(window.span)
        keepalive = str(round(self.keepalive))
        speech = draft.speech("mqtt", tls=self.tls, port=self.port or (8883 if self.tls else 1883), keepalive=keepalive)
        peer = draft.peer(self.reach)
        lives = connections(rng, self.lifetime, window, Pace.of(self).openings(window))
        said = joined(spoken(lives, self._said(rng, window)), beats(rng, lives, self.keepalive, PING, PING))
        draft.talks(speech, peer, lives[:, 0], said, close=lives[:, 1])
        return draft.batch()

    def _said(self, rng: np.random.Generator, window: Window) -> Words:
        tasks = poisson(rng, self.tasks_per_hour, whole(window.span))
        results = tasks + (rng.uniform(1.0, 12.0, len(tasks)) * SECOND).astype(np.int64)
        sizes = np.maximum(self.result_up * rng.lognormal(0.0, 0.7, len(tasks)), SMALLEST).astype(np.int64)
        reports = moments(rng, Pace.of(self), window, scheduled=False).time if self.period else tasks[:0]
        reported = np.maximum(around(rng, self.report, self.spread, len(reports)), SMALLEST)
        return together(
            words(tasks, 0, self.task_down),
            words(results, sizes, PUBACK, thinking(rng, len(tasks))),
            words(reports, reported, PUBACK, thinking(rng, len(reports))),
        )
