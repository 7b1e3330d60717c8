"""A messenger or news app that is woken by a push and then fetches pictures: each push, and at once new connections.

Law: one long connection with heartbeats over which pushes come (a Poisson process); a fraction of a second after each
one to three objects are fetched from the hosts of a content network, most of which speak HTTP/2. The sizes of push and
fetch have nothing to do with each other. Fewer pushes come to an exempt app while the phone dozes (``quiet``); any
other hears nothing in Doze: the windows of high-priority messages are not modelled. Rates are assumptions; push
payloads are at most 4096 B (Firebase).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import inside, interval_of, poisson, thinking, whole
from lab.habits.customers import AGREED
from lab.habits.draft import Draft
from lab.habits.longflow import ticks, together, words
from lab.habits.pages import answer_sizes
from lab.habits.ragged import positions
from lab.habits.reconnect import connections
from lab.habits.rotation import registered

BEATS = {"push": (12, 12), "websocket": (6, 2)}
RECEIPT = 40
HTTP2 = AGREED["h2"] / (AGREED["h2"] + AGREED["http/1.1"])  # the share of hosts that speak it, rather than HTTP/1.1
PARTS = 1 << 16  # of which a host's own number is one: it speaks the same on all phones, on every day
PORTS = {"push": 5_228, "websocket": 443}


@dataclass(frozen=True)
class Behaviour:
    """Settings of push-fetch."""

    carrier: str = setting("websocket", choices=tuple(BEATS), source="push: as Firebase's on 5228")
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 for websocket, 5228 for push")
    reach: str = setting("vendor", choices=("vendor", "own", "popular", "tail", "tenant"), source="of the pushes")
    heartbeat: float = setting(240.0, unit="s", minimum=10, maximum=7_200)
    lifetime: float = setting(4 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    pushes_per_hour: float = setting(8.0, minimum=0, maximum=3_600)
    quiet: float = setting(
        0.2,
        minimum=0,
        maximum=1,
        source="share of pushes that come while the phone dozes, of an exempt app: others hear nothing in Doze",
    )
    push: int = setting(600, unit="B", minimum=10, maximum=4_096)
    towards: str = setting(
        "popular", choices=("vendor", "own", "popular", "tail", "tenant", "literal"), source="where it fetches"
    )
    hosts: int = setting(6, minimum=1, maximum=100, source="of the content network")
    objects: int = setting(3, minimum=1, maximum=20, source="fetched after a push, at most, each from a host drawn")
    late: float = setting(0.4, unit="s", minimum=0, maximum=60, source="mean time from push to fetch, past 0.1 s")
    largest: int = setting(60_000, unit="B", minimum=1_000, maximum=10_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial, one per object fetched."""
        draft = Draft(window.span)
        options = {"ping_below": "7"} if self.carrier == "websocket" else {}
        long = draft.speech(self.carrier, tls=True, port=self.port or PORTS[self.carrier], **options)
        server = draft.peer(self.reach)
        up = connections(rng, self.lifetime, window)
        come = poisson(rng, self.pushes_per_hour, whole(window.span))
        come = come[~inside(come, window.doze) | (rng.random(len(come)) < self.quiet)]
        come = come[inside(come - 2 * SECOND, up) & inside(come + SECOND, up)]
        sizes = np.clip(self.push * rng.lognormal(0.0, 0.6, len(come)), 24, 4_096).astype(np.int64)
        beats = np.concatenate([up[:0, 0], *(ticks(rng, begin, end, self.heartbeat) for begin, end in up.tolist())])
        ping, pong = BEATS[self.carrier]
        said = together(
            words(up[:, 0] + SECOND, 300, 120, thinking(rng, len(up))),
            words(beats, ping, pong, 1_000),
            words(come, 0, sizes),
            words(come + 150_000, RECEIPT, 0),
        )
        of = interval_of(said.time + said.delay, up)
        draft.talks(long, server, up[:, 0], (of[of >= 0], said.only(of >= 0)), close=up[:, 1])
        self._fetches(rng, draft, come, window.built_in)
        return draft.batch()

    def _fetches(self, rng: np.random.Generator, draft: Draft, come: Int64, built_in: int) -> None:
        webs = [draft.speech(kind, tls=True, method="GET") for kind in ("http2", "http")]
        hosts = np.array([draft.peer(self.towards) for _ in range(self.hosts)])
        of, _ = positions(rng.integers(1, self.objects + 1, len(come)))
        n = len(of)
        times = come[of] + ((0.1 + rng.exponential(self.late, n)) * SECOND).astype(np.int64)
        chosen = rng.integers(0, self.hosts, n)
        older = np.array([registered(built_in, f"http2/{nth}", PARTS) >= HTTP2 * PARTS for nth in range(self.hosts)])
        draft.calls(
            np.where(older, webs[1], webs[0])[chosen],
            hosts[chosen],
            times,
            up=rng.integers(350, 700, n),
            down=answer_sizes(rng, n, self.largest),
            delay=thinking(rng, n),
            linger=rng.integers(1, 30, n) * SECOND,
        )
