"""Casting: a television on the same network pulls from the phone what the phone fetches from one host.

Law: HTTP segments (RFC 8216): each request of the television is followed at once by the phone's own request, and the
answer is passed on; a relay in shape, with one destination and an owner who has just pressed the button. Televisions
are found by a question to a multicast group (RFC 6762; UPnP Device Architecture), if ``discovery`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import around, thinking
from lab.habits.customers import WAY
from lab.habits.draft import Draft


@dataclass(frozen=True)
class Behaviour:
    """Settings of casting."""

    port: int = setting(8_008, minimum=1_024, maximum=65_535, source="Chromecast's plain HTTP; others differ")
    reach: str = setting(
        "popular", choices=("vendor", "own", "popular", "tail", "tenant", "fresh"), source="where the film comes from"
    )
    probability: float = setting(0.5, minimum=0, maximum=1, source="that opening the app starts a film")
    films: int = setting(2, minimum=1, maximum=50, source="of a span, at most")
    length: float = setting(420.0, unit="s", minimum=10, maximum=36_000, source="mean")
    segment: float = setting(8.0, unit="s", minimum=1, maximum=60)
    size: int = setting(60_000, unit="B", minimum=1_000, maximum=100_000_000)
    discovery: str = setting("none", choices=("none", "mdns", "ssdp"), source="how the television is found")
    lag_ms: float = setting(10.0, unit="ms", minimum=0, maximum=10_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two conversations per film: the television's with the phone, the phone's with its source."""
        draft = Draft(window.span)
        pull, fetch = draft.web(tls=False, port=self.port), draft.web()
        television, source = draft.peer("lan"), draft.peer(self.reach)
        begins = window.foreground[rng.random(len(window.foreground)) < self.probability, 0]
        last, films = -1, 0
        for begin in begins.tolist():
            if begin > last and films < self.films:
                films += 1
                self._discover(draft, television, begin)
                last = self._film(rng, draft, (pull, television, fetch, source), begin) + 60 * SECOND
        return draft.batch()

    def _discover(self, draft: Draft, television: int, begin: int) -> None:
        """Two questions to the group a second apart, each from a port of its own, and an answer to the first."""
        if self.discovery == "none":
            return
        asked = draft.speech(self.discovery, port={"mdns": 5_353, "ssdp": 1_900}[self.discovery])
        times = begin + np.array([SECOND // 4, SECOND // 4 + SECOND])
        draft.calls(asked, draft.peer("group"), times, up=140, down=0, delay=0)
        draft.talk(asked, television, times[:1] + SECOND // 10, up=0, down=380, delay=0)

    def _film(self, rng: np.random.Generator, draft: Draft, line: tuple[int, int, int, int], begin: int) -> int:
        pull, television, fetch, source = line
        n = int(max(rng.exponential(self.length), 3 * self.segment) / self.segment)
        time = begin + 2 * SECOND + (np.arange(n) * self.segment * SECOND).astype(np.int64)
        time += rng.exponential(30_000.0, n).astype(np.int64)
        lag = ((1.0 + rng.exponential(self.lag_ms, n)) * 1_000).astype(np.int64)
        size, delay = around(rng, self.size, 0.25, n), thinking(rng, n)
        end = int(time[-1]) + 10 * SECOND
        draft.listen.append((begin, end, self.port))
        draft.talk(
            pull,
            television,
            time,
            up=around(rng, 220, 0.05, n),
            down=size,
            delay=delay + 2 * lag + WAY,
            inbound=True,
            close=end,
        )
        draft.talk(fetch, source, time + lag, up=around(rng, 420, 0.05, n), down=size, delay=delay, close=end)
        return end
