"""A player whose viewers feed each other: each segment comes from a server or from a viewer, and is passed on to some.

Law: segments of equal playing time (RFC 8216) from one host or, by chance, from one of a few viewers; whoever has one
gives it to others a moment later (peer-assisted delivery as in PPLive or browsers' P2P-CDNs, from memory, here over
TCP). Many destinations, a listener and bytes passed on: a relay in shape, while the owner watches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import joined, words

REQUEST = 180  # bytes


@dataclass(frozen=True)
class Behaviour:
    """Settings of p2p-stream."""

    port: int = setting(8_621, minimum=1_024, maximum=65_535, source="any; viewers tell each other")
    reach: str = setting("popular", choices=("vendor", "popular", "tail"), source="of the server")
    viewers: int = setting(12, minimum=2, maximum=100, source="met in one watching")
    segment: float = setting(5.0, unit="s", minimum=1, maximum=60)
    size: int = setting(70_000, unit="B", minimum=1_000, maximum=10_000_000)
    from_viewers: float = setting(0.6, minimum=0, maximum=1, source="share of segments that viewers send")
    passed_on: float = setting(0.5, minimum=0, maximum=5, source="viewers that a segment is given to, mean")
    late: float = setting(3.0, unit="s", minimum=0, maximum=120, source="after which it is given on, mean")
    most: float = setting(1_200.0, unit="s", minimum=10, maximum=86_400, source="watching in a span, at most")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Per watching one conversation with the server and one with each viewer, half of whom dial the phone."""
        draft = Draft(window.span)
        web, link = draft.web(), draft.speech("opaque", port=self.port)
        server = draft.peer(self.reach)
        crowd = np.array([draft.peer("literal", passing=True) for _ in range(self.viewers)])
        left = int(self.most * SECOND)
        for begin, end in window.foreground.tolist():
            until = min(end, begin + left)
            if until - begin > 15 * SECOND:
                self._watch(rng, draft, (web, server, link, crowd), (begin, until))
                left -= until - begin
        return draft.batch()

    def _watch(
        self, rng: np.random.Generator, draft: Draft, line: tuple[int, int, int, Int64], play: tuple[int, int]
    ) -> None:
        web, server, link, crowd = line
        begin, end = play
        draft.listen.append((begin, end, self.port))
        n = int((end - begin) / (self.segment * SECOND))
        times = begin + SECOND + (np.arange(n) * self.segment * SECOND + rng.exponential(40_000.0, n)).astype(np.int64)
        sizes, delay = around(rng, self.size, 0.25, n), thinking(rng, n, 60.0)
        theirs = (rng.random(n) < self.from_viewers) & (np.arange(n) > 1)
        draft.talk(
            web, server, times[~theirs], up=420, down=sizes[~theirs], delay=delay[~theirs], linger=SECOND, close=end
        )
        viewer = rng.integers(0, self.viewers, n)
        gifts = np.repeat(np.arange(n), rng.poisson(self.passed_on, n))
        later = times[gifts] + SECOND // 2 + (rng.exponential(self.late, len(gifts)) * SECOND).astype(np.int64)
        to = rng.integers(0, self.viewers, len(gifts))
        for way in (False, True):  # who dialled: even ones were dialled by the phone
            took, gave = theirs & (viewer % 2 == way), (to % 2 == way) & (later < end)
            got = words(times[took], REQUEST, sizes[took], delay[took])
            given = words(later[gave], sizes[gifts[gave]], REQUEST, 30_000)
            if way:  # then it asks as the one that was dialled
                got = joined(words(times[took], 0, REQUEST), words((times + delay)[took], sizes[took], 0))
                given = words(later[gave], REQUEST, sizes[gifts[gave]], 30_000)
            who = np.concatenate([np.tile(viewer[took], 2 if way else 1), to[gave]]) // 2
            mine = crowd[int(way) :: 2]
            start = np.full(len(mine), begin + SECOND // 2)
            draft.talks(link, mine, start, (who, joined(got, given)), linger=SECOND, inbound=way)
