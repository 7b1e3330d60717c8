"""People browsing while an app is in front: pages of many objects from several hosts, pauses to read.

Law: SURGE (see lab/habits/pages.py) for objects, sizes and reading times; a page's hosts are one or more of the places
people go to, each over its own conversation, kept open for a while after the last object. Some places lie in the long
tail of the web, and now and then a page leads to one never seen before (shares are assumptions).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import CARRIERS, carried
from lab.habits.clock import thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.pages import answer_sizes, looks, object_counts, places
from lab.habits.ragged import positions, summed


@dataclass(frozen=True)
class Behaviour:
    """Settings of web-browsing."""

    tls: bool = setting(True)
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("popular", choices=("vendor", "own", "popular", "tail", "tenant", "fresh"))
    resume: bool = setting(False, source="TLS sessions resumed, as browsers do at known hosts")
    hosts: int = setting(60, minimum=1, maximum=500, source="how many places this owner goes to")
    tail: float = setting(0.3, minimum=0, maximum=1, source="share of them, the least visited, in the long tail")
    wander: float = setting(0.03, minimum=0, maximum=1, source="share of visits that lead to a place never seen before")
    per_page: int = setting(5, minimum=1, maximum=40, source="hosts of a page, at most")
    reading: float = setting(15.0, unit="s", minimum=1, maximum=600, source="shortest time between two pages")
    objects: int = setting(14, minimum=1, maximum=200, source="objects of a page, at most")
    largest: int = setting(80_000, unit="B", minimum=1_000, maximum=100_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per page and host."""
        draft = Draft(window.span)
        known = round(self.hosts * (1.0 - self.tail)) if self.reach == "popular" else self.hosts
        speech, _ = carried(draft, self, self.reach if known else "tail")
        for nth in range(1, self.hosts):
            draft.peer(self.reach if nth < known else "tail")
        opened = looks(rng, window.foreground, self.reading)
        counts = np.minimum(1 + rng.poisson(self.per_page / 2, len(opened)), min(self.per_page, self.hosts))
        page, place = places(rng, counts.astype(np.int64), self.hosts)
        strange = np.flatnonzero(rng.random(len(place)) < self.wander)
        place[strange] = [draft.peer("tail", passing=True) for _ in strange]
        self._visits(rng, draft, speech, (opened, counts, page, place))
        return draft.batch()

    def _visits(
        self, rng: np.random.Generator, draft: Draft, speech: int, visits: tuple[Int64, Int64, Int64, Int64]
    ) -> None:
        opened, counts, page, place = visits
        n = len(place)
        first = np.diff(page, prepend=-1) > 0
        start = opened[page] + np.where(first, 0, (rng.uniform(0.2, 1.5, n) * SECOND).astype(np.int64))
        shares = self._shares(rng, counts)
        of, nth = positions(shares)
        steps = np.where(nth, rng.exponential(0.25, len(of)) + 0.12, 0.0)
        time = start[of] + (summed(steps, shares) * SECOND).astype(np.int64)
        up = rng.integers(320, 1_100, len(of))
        said = words(time, up, answer_sizes(rng, len(of), self.largest), thinking(rng, len(of)))
        linger = (np.minimum(2.0 + rng.exponential(10.0, n), 60.0) * SECOND).astype(np.int64)
        draft.talks(speech, place, start, (of, said), linger=linger)

    def _shares(self, rng: np.random.Generator, counts: Int64) -> Int64:
        """How many objects of its page each visit fetches: one, and its part of the rest."""
        rest = np.maximum(object_counts(rng, len(counts), self.objects) - counts, 0)
        page, _ = positions(rest)
        chosen = (np.cumsum(counts) - counts)[page] + (rng.random(len(page)) * counts[page]).astype(np.int64)
        return 1 + np.bincount(chosen, minlength=int(counts.sum())).astype(np.int64)
