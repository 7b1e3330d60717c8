"""The phone asks a time server over SNTP: once a day, and sooner again when nobody answers.

Law: an alarm of 24 h (AOSP NetworkTimeUpdateService, config_ntpPollingInterval 86 400 s; some builds 64 800 s, from
memory), the first when the phone begins to be watched or has joined a network; unanswered questions are repeated after
``retry``. Messages of 48 bytes (RFC 5905).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.clock import thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words

SIZE = 48
MOST_TRIES = 4


@dataclass(frozen=True)
class Behaviour:
    """Settings of clock-sync."""

    reach: str = setting("popular", choices=REACHES)
    period: float = setting(86_400.0, unit="s", minimum=60, maximum=7 * 86_400)
    flex: float = setting(0.05, minimum=0, maximum=1, source="waits for the phone to be awake")
    retry: float = setting(60.0, unit="s", minimum=1, maximum=3_600)
    unanswered: float = setting(0.03, minimum=0, maximum=0.9)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per question."""
        draft = Draft(window.span)
        speech, peer = draft.speech("ntp", port=123), draft.peer(self.reach)
        count = int(window.span / (self.period * SECOND)) + 1
        late = rng.random(count) * self.flex * self.period
        due = (rng.uniform(1.0, 20.0) + np.arange(count) * self.period + late) * SECOND
        tries = np.minimum(rng.geometric(1.0 - self.unanswered, count), MOST_TRIES)
        owner = np.repeat(np.arange(count), tries)
        nth = np.arange(len(owner)) - (np.cumsum(tries) - tries)[owner]
        times = (due[owner] + nth * self.retry * SECOND).astype(np.int64)
        said = words(times, SIZE, np.where(nth == tries[owner] - 1, SIZE, 0), thinking(rng, len(times), 0.2))
        draft.talks(speech, peer, times, (np.arange(len(times)), said), linger=SECOND)
        return draft.batch()
