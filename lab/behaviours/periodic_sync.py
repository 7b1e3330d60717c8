"""An app that fetches news of its server every so often: weather, feeds, device management, security agents, trackers.

Law: an alarm or job keeps its phase, phase + k T, each run late by up to flex T. A job waits for Doze's maintenance
windows (JobScheduler, developer.android.com "Optimize for Doze and App Standby"; its shortest period is 15 min), as
inexact alarms do, and as the timers of a service do; exact alarms do not. Other laws, gates, alarms in Doze and the
hurry after news are those of lab/habits/pace.py, the same for honest apps and others. A failed run is tried again after
a back-off that doubles from 30 s (JobInfo.DEFAULT_INITIAL_BACKOFF_MILLIS, from memory), each log-normal around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lab.behaviours import SECOND, Batch, Bool, Int64, Window, setting
from lab.habits.carriage import CARRIERS, FRONTS, NAMINGS, REACHES, carried, opening
from lab.habits.clock import around, inside, jobs, thinking
from lab.habits.draft import METHODS, Draft
from lab.habits.gates import gated
from lab.habits.longflow import words
from lab.habits.pace import Moments, Pace, moments, paced
from lab.habits.ragged import joined, positions, summed
from lab.habits.rotation import CANDIDATES, NAMED, ROTATIONS, in_turn

BACKOFF_S = 30.0
MOST_TRIES = 7
FAILURE = 250  # bytes of a 503 with its headers (an assumption)


@dataclass(frozen=True)
class Behaviour:
    """Settings of periodic-sync."""

    tls: bool = setting(True)
    period: float = setting(
        1800.0, unit="s", minimum=5, maximum=7 * 86_400, source="JobScheduler: at least 15 min; alarms may be shorter"
    )
    flex: float = setting(0.1, minimum=0, maximum=1, source="JobInfo.Builder.setPeriodic(interval, flex); or jitter")
    wake: str = paced("wake", "job")
    law: str = paced("law", "phase")
    sigma: float = paced("sigma")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    shut: str = paced("shut", "skip")
    ration: float = paced("ration")
    fast: float = paced("fast")
    fast_for: float = paced("fast_for")
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    method: str = setting("auto", choices=METHODS, source="auto: POST where the request is large")
    reach: str = setting("vendor", choices=REACHES)
    naming: str = setting("name", choices=NAMINGS, source="the ClientHello: SNI, none, or ECH (RFC 9849)")
    front: str = setting("none", choices=FRONTS, source="cdn: through a popular CDN's name, Host is the app's own")
    resume: bool = setting(False, source="TLS sessions resumed but the first with a host, RFC 8446 section 2.2")
    keep: float = setting(
        0.0, unit="s", minimum=0, maximum=3_600, source="how long a connection waits for the next run; OkHttp: 5 min"
    )
    rotates: str = setting(
        "none", choices=ROTATIONS, source="a new host of that reach for each: delivery networks, tests"
    )
    names: str = NAMED
    candidates: int = CANDIDATES
    up: int = setting(480, unit="B", minimum=100, maximum=100_000)
    down: int = setting(3_000, unit="B", minimum=100, maximum=1_000_000)
    spread: float = setting(0.3, minimum=0, maximum=0.9)
    pad_up: int = setting(0, unit="B", minimum=0, maximum=100_000, source="uniform, added; our choice")
    pad_down: int = setting(0, unit="B", minimum=0, maximum=100_000, source="uniform, added; our choice")
    news_probability: float = setting(0.1, minimum=0, maximum=1)
    news_down: int = setting(15_000, unit="B", minimum=100, maximum=10_000_000)
    news_up: int = setting(600, unit="B", minimum=100, maximum=10_000_000)
    news_reach: str = setting("same", choices=("same", *REACHES), source="of the host that has the news, e.g. a CDN")
    news_after: float = setting(4.0, unit="s", minimum=0.5, maximum=60, source="until the news are asked for, at most")
    failures: float = setting(0.0, minimum=0, maximum=0.9, source="share of runs that fail and back off")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per run; news add an exchange, a failure adds runs."""
        draft = Draft(window.span)
        runs = self._runs(rng, window)
        times, run, failed = self._tried(rng, runs.time)
        n = len(times)
        news = runs.tasked[run] & ~failed
        up = around(rng, self.up, self.spread, n) + rng.integers(0, self.pad_up + 1, n)
        down = around(rng, self.down, self.spread, n) + rng.integers(0, self.pad_down + 1, n)
        down[failed] = np.minimum(down[failed], FAILURE)
        delay = thinking(rng, n)
        more = np.maximum(self.news_down * rng.lognormal(0.0, 0.7, n), 100).astype(np.int64)
        after = (rng.uniform(0.3, self.news_after, n) * SECOND).astype(np.int64)
        later = words((times + after)[news], self.news_up, more[news], delay[news])
        place, hosts = in_turn(rng, draft, self, times, window, turn=self.rotates, reach=self.reach)
        fresh = opening(times, place, int(self.keep * SECOND))
        of = np.cumsum(fresh) - 1
        said = (of, words(times, up, down, delay))
        if self.news_reach == "same":
            said = joined(said, (of[news], later))
        else:
            line = carried(draft, self, self.news_reach)
            draft.calls(*line, later.time, up=later.up, down=later.down, delay=later.delay)
        speeches, peers = hosts[place[fresh]].T
        draft.talks(speeches, peers, times[fresh], said, linger=int(self.keep * SECOND))
        return draft.batch()

    def _runs(self, rng: np.random.Generator, window: Window) -> Moments:
        if self.law == "phase" and self.wake == "job":
            due = jobs(rng, window, self.period, self.flex)
            if (self.gate, self.from_hour, self.until_hour) != ("always", 0.0, 24.0):
                due = due[inside(due, gated(window, self.gate, self.from_hour, self.until_hour))]
            return Moments(due, rng.random(len(due)) < self.news_probability)
        pace = replace(Pace.of(self), jitter=self.flex, task_probability=self.news_probability)
        return moments(rng, pace, window)

    def _tried(self, rng: np.random.Generator, due: Int64) -> tuple[Int64, Int64, Bool]:
        """Every try, ascending in time, the run it belongs to, and whether it failed."""
        if not self.failures:
            return due, np.arange(len(due)), np.zeros(len(due), dtype=np.bool_)
        tries = np.minimum(rng.geometric(1.0 - self.failures, len(due)), MOST_TRIES)
        run, nth = positions(tries)
        waits = np.where(nth, BACKOFF_S * 2.0 ** (nth - 1) * rng.lognormal(0.0, 0.3, len(run)), 0.0)
        times = due[run] + (summed(waits, tries) * SECOND).astype(np.int64)
        order = np.argsort(times, kind="stable")
        return times[order], run[order], (nth < tries[run] - 1)[order]
