"""A reader of feeds, podcasts or links: at every run it asks many sites what is new, and follows what it finds.

Law: runs at the pace of lab/habits/pace.py or as jobs; each asks every feed with a conditional request (RFC 9110
section 13: 304 where nothing is new), a few at a time; what is new leads to other hosts, often never met before. So one
app talks to dozens of hosts that hardly any other device knows, all at one cadence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import CARRIERS, REACHES, carried
from lab.habits.clock import around, jobs, thinking
from lab.habits.draft import Draft
from lab.habits.pace import Pace, moments, paced
from lab.habits.pages import answer_sizes
from lab.habits.ragged import positions


@dataclass(frozen=True)
class Behaviour:
    """Settings of feed-reader."""

    tls: bool = setting(True)
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("tail", choices=REACHES, source="of the feeds")
    towards: str = setting("fresh", choices=REACHES, source="of what they link to")
    feeds: int = setting(20, minimum=0, maximum=300, source="0: only the links, e.g. a preview of each new message")
    period: float = paced("period", 3_600.0)
    jitter: float = paced("jitter", 0.1)
    law: str = setting("job", choices=("job", "phase", "fixed", "uniform", "exponential", "lognormal"))
    sigma: float = paced("sigma")
    links: float = setting(0.6, minimum=0, maximum=1, source="share of runs that follow one link, to a host of its own")
    fresh_news: float = setting(0.08, minimum=0, maximum=1, source="share of feeds that have news")
    up: int = setting(340, unit="B", minimum=100, maximum=100_000)
    down: int = setting(190, unit="B", minimum=100, maximum=1_000_000, source="a 304")
    largest: int = setting(60_000, unit="B", minimum=1_000, maximum=100_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per feed and run, one per link."""
        draft = Draft(window.span)
        runs = self._runs(rng, window)
        speech, _ = carried(draft, self, self.reach)
        for _ in range(1, self.feeds):
            draft.peer(self.reach)
        run, feed = positions(np.full(len(runs), self.feeds))
        n = len(run)
        times = runs[run] + ((feed // 4) * 0.4 * SECOND).astype(np.int64) + rng.integers(0, 300_000, n)
        news = rng.random(n) < self.fresh_news
        down = np.where(news, answer_sizes(rng, n, self.largest), around(rng, self.down, 0.05, n))
        draft.calls(speech, feed, times, up=around(rng, self.up, 0.1, n), down=down, delay=thinking(rng, n))
        led = runs[rng.random(len(runs)) < self.links]
        led = led + (rng.uniform(1.0, 20.0, len(led)) * SECOND).astype(np.int64) if self.feeds else led
        places = np.array([draft.peer(self.towards, passing=True) for _ in led], dtype=np.int64)
        sizes, up = answer_sizes(rng, len(led), self.largest), around(rng, self.up, 0.1, len(led))
        draft.calls(speech, places, led, up=up, down=sizes, delay=thinking(rng, len(led)))
        return draft.batch()

    def _runs(self, rng: np.random.Generator, window: Window) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if self.law == "job":
            return jobs(rng, window, self.period, self.jitter)
        return moments(rng, Pace.of(self), window).time
