"""An app that fetches news of its server every so often: weather, stocks, mail, device management.

Law: an alarm or job keeps its phase, phase + k T, each run late by up to flex T. A job waits for Doze's maintenance
windows (JobScheduler, developer.android.com "Optimize for Doze and App Standby"; its shortest period is 15 min, which
an app exempt from battery optimisation undercuts with alarms).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import alarms, around, jobs, thinking
from lab.draft import METHODS, Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of periodic-sync."""

    tls: bool = setting(True)
    period: float = setting(1800.0, unit="s", minimum=5, maximum=7 * 86_400)
    flex: float = setting(0.1, minimum=0, maximum=1, source="JobInfo.Builder.setPeriodic(interval, flex)")
    exempt: bool = setting(False, source="True: exempt from Doze, as device management is")
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    method: str = setting("auto", choices=METHODS, source="auto: POST where the request is large")
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    up: int = setting(480, unit="B", minimum=100, maximum=100_000)
    down: int = setting(3_000, unit="B", minimum=100, maximum=1_000_000)
    spread: float = setting(0.3, minimum=0, maximum=0.9)
    news_probability: float = setting(0.1, minimum=0, maximum=1)
    news_down: int = setting(15_000, unit="B", minimum=100, maximum=10_000_000)
    news_up: int = setting(600, unit="B", minimum=100, maximum=10_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per run; news add an exchange."""
        draft = Draft(window.span)
        speech = draft.web(tls=self.tls, port=self.port, method=self.method)
        peer = draft.peer(self.reach)
        if self.exempt:
            times = alarms(rng, self.period, self.flex, window.span)
        else:
            times = jobs(rng, window, self.period, self.flex)
        n = len(times)
        news = rng.random(n) < self.news_probability
        up, down, delay = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n), thinking(rng, n)
        draft.calls(speech, peer, times[~news], up=up[~news], down=down[~news], delay=delay[~news])
        for index in np.flatnonzero(news).tolist():
            more = int(self.news_down * rng.lognormal(0.0, 0.7))
            at = np.array([times[index], times[index] + int(rng.uniform(0.3, 4.0) * SECOND)])
            draft.talk(speech, peer, at, up=[up[index], self.news_up], down=[down[index], more], delay=delay[index])
        return draft.batch()
