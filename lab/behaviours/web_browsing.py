"""People browsing while an app is in front: pages of many objects from several hosts, pauses to read.

Law: SURGE (see lab/pages.py) for objects, sizes and reading times; a page's hosts are one or more of the places
people go to, each over its own conversation, kept open for a while after the last object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import thinking
from lab.draft import Draft
from lab.pages import answer_sizes, looks, object_counts


@dataclass(frozen=True)
class Behaviour:
    """Settings of web-browsing."""

    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("popular", choices=("vendor", "own", "popular", "tail", "tenant", "fresh"))
    hosts: int = setting(60, minimum=1, maximum=500, source="how many places this owner goes to")
    per_page: int = setting(5, minimum=1, maximum=40, source="hosts of a page, at most")
    reading: float = setting(15.0, unit="s", minimum=1, maximum=600, source="shortest time between two pages")
    objects: int = setting(14, minimum=1, maximum=200, source="objects of a page, at most")
    largest: int = setting(80_000, unit="B", minimum=1_000, maximum=100_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per page and host."""
        draft = Draft(window.span)
        speech = draft.web(tls=self.tls, port=self.port)
        peers = np.array([draft.peer(self.reach) for _ in range(self.hosts)])
        weights = 1.0 / np.arange(1, self.hosts + 1)
        weights /= weights.sum()
        for begin, end in window.foreground.tolist():
            for at in looks(rng, begin, end, self.reading).tolist():
                count = min(int(1 + rng.poisson(self.per_page / 2)), self.per_page, self.hosts)
                places = rng.choice(peers, size=count, replace=False, p=weights)
                objects = int(object_counts(rng, 1, self.objects)[0])
                self._page(rng, draft, speech, (at, objects), places.tolist())
        return draft.batch()

    def _page(
        self, rng: np.random.Generator, draft: Draft, speech: int, page: tuple[int, int], places: list[int]
    ) -> None:
        at, objects = page
        shares = rng.multinomial(max(objects - len(places), 0), np.full(len(places), 1 / len(places))) + 1
        for nth, (place, count) in enumerate(zip(places, shares.tolist(), strict=True)):
            begin = at if nth == 0 else at + int(rng.uniform(0.2, 1.5) * SECOND)
            steps = rng.exponential(0.25, count) + 0.12
            time = begin + (np.cumsum(steps) * SECOND).astype(np.int64)
            time[0] = begin
            linger = int(min(2.0 + rng.exponential(10.0), 60.0) * SECOND)
            sizes = answer_sizes(rng, count, self.largest)
            up = rng.integers(320, 1_100, count)
            draft.talk(speech, place, time, up=up, down=sizes, delay=thinking(rng, count), linger=linger)
