"""An agent that is woken by a push over its own push connection, fetches at once what it is to do, and then sleeps.

Law: pushes are a Poisson process; the fetch follows within seconds. Fewer come to an exempt app while the phone dozes
(``quiet``); any other hears nothing in Doze, for the 10 s that a high-priority message opens (developer.android.com,
"Optimize for Doze") are not modelled. No cadence but that of heartbeats. The push connection is the app's own, beside
that of the phone's push service, so that the whole exchange is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import CARRIERS, FRONTS, NAMINGS, REACHES, carried
from lab.habits.channel import beats, spoken
from lab.habits.clock import around, inside, poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import Words, words
from lab.habits.pace import Pace, paced
from lab.habits.ragged import joined
from lab.habits.reconnect import connections

#: channel -> port, bytes of a beat up and down, bytes of a receipt (MQTT acknowledges by itself)
CHANNELS = {"push": (5228, 12, 12, 40), "mqtt": (8883, 2, 2, 0), "websocket": (443, 6, 2, 40)}
OPTIONS: dict[str, dict[str, str]] = {
    "push": {},
    "mqtt": {"keepalive": "1200"},
    "websocket": {"ping_below": "7"},
}
SMALLEST = 100  # bytes of a request or an answer
LEAST_PUSH, MOST_PUSH = 42, 4_096  # bytes; no heartbeat is as long


@dataclass(frozen=True)
class Behaviour:
    """Settings of push-poll."""

    channel: str = setting("push", choices=tuple(CHANNELS), source="push: as Firebase's, port 5228; all under TLS")
    channel_reach: str = setting("popular", choices=REACHES)
    heartbeat: float = setting(900.0, unit="s", minimum=10, maximum=1_200, source="Firebase's on Wi-Fi: from memory")
    lifetime: float = setting(8 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    pushes_per_hour: float = setting(2.0, minimum=0, maximum=3_600, source="our choice")
    quiet: float = setting(
        0.5,
        minimum=0,
        maximum=1,
        source="share of pushes that come while the phone dozes, of an exempt app: others hear nothing in Doze",
    )
    push: int = setting(300, unit="B", minimum=LEAST_PUSH, maximum=MOST_PUSH, source="median; FCM: at most 4096 B")
    within: float = setting(5.0, unit="s", minimum=0.3, maximum=60, source="of the push: our choice")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    carrier: str = setting("http", choices=CARRIERS, source="of the fetch, as all that follows")
    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("vendor", choices=REACHES)
    naming: str = setting("name", choices=NAMINGS, source="the ClientHello: SNI, none, ECH, or the name of another")
    front: str = setting("none", choices=FRONTS, source="cdn: through a popular CDN's name, Host is the agent's own")
    resume: bool = setting(False, source="TLS sessions resumed, RFC 8446 section 2.2")
    up: int = setting(420, unit="B", minimum=SMALLEST, maximum=100_000)
    down: int = setting(2_600, unit="B", minimum=SMALLEST, maximum=1_000_000)
    spread: float = setting(0.1, minimum=0, maximum=0.9)
    result_probability: float = setting(0.5, minimum=0, maximum=1, source="that what was fetched is answered")
    result_up: int = setting(9_000, unit="B", minimum=SMALLEST, maximum=10_000_000, source="median, log-normal")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial of the push connection, and one per fetch."""
        draft = Draft(window.span)
        port, beat_up, beat_down, receipt = CHANNELS[self.channel]
        speech = draft.speech(self.channel, tls=True, port=port, **OPTIONS[self.channel])
        peer = draft.peer(self.channel_reach)
        open_ = Pace.of(self).openings(window)
        lives = connections(rng, self.lifetime, window, open_)
        owner, pushed = spoken(lives, self._pushes(rng, window, open_))
        said = [(owner, pushed), beats(rng, lives, self.heartbeat, beat_up, beat_down)]
        if receipt:
            said.append((owner, words(pushed.time + 150_000, receipt, 0)))
        draft.talks(speech, peer, lives[:, 0], joined(*said), close=lives[:, 1])
        self._fetch(rng, draft, pushed.time)
        return draft.batch()

    def _pushes(self, rng: np.random.Generator, window: Window, open_: Int64) -> Words:
        come = poisson(rng, self.pushes_per_hour, open_)
        come = come[~inside(come, window.doze) | (rng.random(len(come)) < self.quiet)]
        sizes = np.clip(self.push * rng.lognormal(0.0, 0.3, len(come)), LEAST_PUSH, MOST_PUSH)
        return words(come, 0, sizes.astype(np.int64))

    def _fetch(self, rng: np.random.Generator, draft: Draft, pushes: Int64) -> None:
        speech, peer = carried(draft, self, self.reach)
        n = len(pushes)
        time = pushes + (rng.uniform(0.2, self.within, n) * SECOND).astype(np.int64)
        sizes = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        fetched = words(time, *sizes, thinking(rng, n))
        done = rng.random(n) < self.result_probability
        later = time[done] + (rng.uniform(1.0, 12.0, int(done.sum())) * SECOND).astype(np.int64)
        results = np.maximum(self.result_up * rng.lognormal(0.0, 0.7, len(later)), SMALLEST).astype(np.int64)
        answered = words(later, results, 2 * SMALLEST, thinking(rng, len(later)))
        draft.talks(speech, peer, time, joined((np.arange(n), fetched), (np.flatnonzero(done), answered)))
