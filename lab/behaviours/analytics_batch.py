"""An analytics or crash library: events gather while the app is used and leave in batches.

Law: events are a Poisson process while the app is in front; a batch leaves when the app goes to the background, and
what is left at a job of 1 to 4 h (our choice). A batch without events is not sent, but for the first of a start.
Its size is a head and so many bytes per event, compressed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Bool, Int64, Window, setting
from lab.habits.carriage import CARRIERS, REACHES, carried
from lab.habits.clock import jobs, poisson, thinking
from lab.habits.draft import Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of analytics-batch."""

    tls: bool = setting(True)
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("popular", choices=REACHES, source="many apps share one collector")
    resume: bool = setting(False, source="TLS sessions resumed")
    period: float = setting(7_200.0, unit="s", minimum=900, maximum=86_400)
    flex: float = setting(0.2, minimum=0, maximum=1)
    on_leave: float = setting(0.8, minimum=0, maximum=1, source="share of departures to the background that send")
    always: bool = setting(False, source="True: the job sends even without events")
    events_per_minute: float = setting(12.0, minimum=0, maximum=600)
    head: int = setting(700, unit="B", minimum=100, maximum=100_000)
    event: int = setting(90, unit="B", minimum=1, maximum=10_000, source="compressed (an assumption)")
    most: int = setting(200_000, unit="B", minimum=1_000, maximum=10_000_000, source="of one batch")
    down: int = setting(240, unit="B", minimum=100, maximum=100_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per batch."""
        draft = Draft(window.span)
        speech, peer = carried(draft, self, self.reach, method="auto" if self.carrier == "quic" else "POST")
        times, leaving = self._due(rng, window)
        events = poisson(rng, self.events_per_minute * 60.0, window.foreground)
        gathered = np.searchsorted(events, times, side="right")
        count = np.diff(gathered, prepend=0)
        sent = (count > 0) | (self.always & ~leaving)
        sizes = np.minimum(self.head + count * self.event, self.most)[sent]
        n = len(sizes)
        draft.calls(
            speech,
            peer,
            times[sent],
            up=sizes,
            down=self.down,
            delay=thinking(rng, n),
            linger=SECOND,
        )
        return draft.batch()

    def _due(self, rng: np.random.Generator, window: Window) -> tuple[Int64, Bool]:
        """When a batch may leave, ascending, and whether because the app was left."""
        left = window.foreground[rng.random(len(window.foreground)) < self.on_leave, 1]
        left = left + (rng.uniform(0.3, 3.0, len(left)) * SECOND).astype(np.int64)
        due = np.concatenate([left, jobs(rng, window, self.period, self.flex)])
        order = np.argsort(due, kind="stable")
        return due[order], (np.arange(len(due)) < len(left))[order]
