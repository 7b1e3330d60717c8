"""Photographs, chats or a whole phone backed up while nobody looks: at night, locked, or on the charger and Wi-Fi.

Law: pictures are taken as a Poisson process while the phone is unlocked; when the gate opens (lab/habits/gates.py) what
has gathered leaves, one request per picture in a conversation that is kept, after a wait for the job scheduler. Sizes
log-normal; small, so that a night stays small. Chunked backups send ``least`` chunks even without pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import CARRIERS, REACHES, carried
from lab.habits.clock import poisson, thinking
from lab.habits.draft import Draft
from lab.habits.gates import gated
from lab.habits.longflow import words
from lab.habits.pace import paced
from lab.habits.ragged import positions, summed


@dataclass(frozen=True)
class Behaviour:
    """Settings of photo-backup."""

    tls: bool = setting(True)
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("popular", choices=REACHES, source="own: Nextcloud or the like")
    gate: str = paced("gate", "locked")
    from_hour: float = paced("from_hour", 1.0)
    until_hour: float = paced("until_hour", 6.0)
    wait: float = setting(600.0, unit="s", minimum=0, maximum=7_200, source="mean, behind the opening of the gate")
    shortest: float = setting(900.0, unit="s", minimum=0, maximum=86_400, source="shorter openings are unused")
    taken_per_hour: float = setting(6.0, minimum=0, maximum=600, source="while unlocked (an assumption)")
    least: int = setting(2, minimum=0, maximum=1_000, source="requests of a night without pictures: an index, a list")
    size: int = setting(180_000, unit="B", minimum=1_000, maximum=100_000_000, source="median, log-normal")
    down: int = setting(320, unit="B", minimum=100, maximum=100_000)
    apart: float = setting(2.0, unit="s", minimum=0.1, maximum=3_600, source="mean, between two pictures")
    most: int = setting(200, minimum=1, maximum=10_000, source="pictures of one opening")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per opening of the gate."""
        draft = Draft(window.span)
        method = "auto" if self.carrier == "quic" else "POST"
        speech, peer = carried(draft, self, self.reach, method=method)
        open_ = gated(window, self.gate, self.from_hour, self.until_hour)
        open_ = open_[open_[:, 1] - open_[:, 0] > self.shortest * SECOND]
        start = open_[:, 0] + (rng.exponential(max(self.wait, 1.0), len(open_)) * SECOND).astype(np.int64)
        start, until = start[start < open_[:, 1]], open_[start < open_[:, 1], 1]
        gathered = np.searchsorted(poisson(rng, self.taken_per_hour, window.unlocked), start)
        counts = np.minimum(np.diff(gathered, prepend=0) + self.least, self.most).astype(np.int64)
        of, nth = positions(counts)
        steps = np.where(nth, rng.exponential(self.apart, len(of)) + 0.3, 0.0)
        time = start[of] + (summed(steps, counts) * SECOND).astype(np.int64)
        index = nth < self.least
        sizes = np.maximum(self.size * rng.lognormal(0.0, 0.6, len(of)), 1_000).astype(np.int64)
        said = words(time, np.where(index, 900, sizes), self.down, thinking(rng, len(of), 80.0))
        held = time < until[of]
        draft.talks(speech, peer, start, (of[held], said.only(held)), linger=5 * SECOND)
        return draft.batch()
