"""An app that renews what it shows while it is in front: advertisements, tickers, map tiles; and its widget behind.

Law: the first refresh a moment after the app is opened, then one every ``period`` of a kept phase, each late by up to
flex T; a widget's job runs in the background by the rules of JobScheduler. Refreshes of one opening share connections
that outlive ``keep``; advertisements come from whoever won the auction, hence from several hosts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import CARRIERS, REACHES, carried
from lab.habits.clock import around, inside, jobs, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.ragged import positions, summed


@dataclass(frozen=True)
class Behaviour:
    """Settings of foreground-refresh."""

    tls: bool = setting(True)
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("vendor", choices=REACHES)
    resume: bool = setting(False, source="TLS sessions resumed")
    hosts: int = setting(1, minimum=1, maximum=200, source="each refresh goes to one of them")
    period: float = setting(
        30.0, unit="s", minimum=1, maximum=3_600, source="ads 30 s, tickers 5 to 10 s, map tiles 90 s; our choice"
    )
    flex: float = setting(0.05, minimum=0, maximum=1)
    objects: int = setting(1, minimum=1, maximum=100, source="requests of one refresh, e.g. map tiles")
    keep: float = setting(20.0, unit="s", minimum=0, maximum=3_600, source="how long an idle connection is kept")
    widget: float = setting(0.0, unit="s", minimum=0, maximum=86_400, source="period of the widget; 0 = there is none")
    up: int = setting(520, unit="B", minimum=100, maximum=100_000)
    down: int = setting(4_000, unit="B", minimum=100, maximum=1_000_000)
    spread: float = setting(0.3, minimum=0, maximum=0.9)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per opening and host while refreshes follow each other within ``keep``, else one each."""
        draft = Draft(window.span)
        speech, _ = carried(draft, self, self.reach)
        for _ in range(1, self.hosts):
            draft.peer(self.reach)
        refreshed = np.sort(np.concatenate([self._shown(rng, window.foreground), self._widget(rng, window)]))
        host = rng.integers(0, self.hosts, len(refreshed))
        refresh, nth = positions(np.full(len(refreshed), self.objects))
        steps = np.where(nth, rng.exponential(0.08, len(refresh)) + 0.03, 0.0)
        counts = np.full(len(refreshed), self.objects)
        time = refreshed[refresh] + (summed(steps, counts) * SECOND).astype(np.int64)
        order = np.lexsort((time, host[refresh]))
        time, at = time[order], host[refresh][order]
        fresh = (np.diff(time, prepend=np.int64(-(10**12))) > self.keep * SECOND) | (np.diff(at, prepend=-1) > 0)
        n = len(time)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        said = words(time, up, down, thinking(rng, n))
        linger = int(self.keep * SECOND)
        draft.talks(speech, at[fresh], time[fresh], (np.cumsum(fresh) - 1, said), linger=linger)
        return draft.batch()

    def _shown(self, rng: np.random.Generator, uses: Int64) -> Int64:
        """Refreshes while the app is in front: phase + k T of each opening."""
        period = int(self.period * SECOND)
        begin = uses[:, 0] + (rng.uniform(0.3, 1.5, len(uses)) * SECOND).astype(np.int64)
        counts = np.maximum(-((begin - uses[:, 1]) // period), 0)
        use, nth = positions(counts)
        late = rng.random(len(use)) * self.flex * period * (nth > 0)
        times = begin[use] + nth * period + late.astype(np.int64)
        found: Int64 = times[times < uses[use, 1]]
        return found

    def _widget(self, rng: np.random.Generator, window: Window) -> Int64:
        if not self.widget:
            return np.zeros(0, dtype=np.int64)
        due = jobs(rng, window, max(self.widget, 900.0), 0.1)
        return due[~inside(due, window.foreground)]
