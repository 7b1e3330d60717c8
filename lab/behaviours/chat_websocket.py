"""A chat app's WebSocket: presence heartbeats all day, messages both ways while people talk.

Law: heartbeats keep a phase within a connection; messages received are a Poisson process by day, in bursts while the
app is open, and are answered with a receipt. Ping and pong as in RFC 6455 section 5.5.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.clock import around, poisson, thinking, whole
from lab.draft import Draft
from lab.longflow import Words, dials, ticks, together, words

PING, PONG = 6, 2  # empty control frames, RFC 6455 section 5.5


@dataclass(frozen=True)
class Behaviour:
    """Settings of chat-websocket."""

    tls: bool = setting(True)
    port: int = setting(443, minimum=1, maximum=65_535)
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    heartbeat: float = setting(120.0, unit="s", minimum=1, maximum=86_400)
    ping: float = setting(55.0, unit="s", minimum=5, maximum=3_600)
    lifetime: float = setting(4 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    up: int = setting(140, unit="B", minimum=8, maximum=100_000)
    down: int = setting(60, unit="B", minimum=4, maximum=100_000)
    spread: float = setting(0.05, minimum=0, maximum=0.9)
    received_per_hour: float = setting(4.0, minimum=0, maximum=3_600)
    open_per_hour: float = setting(120.0, minimum=0, maximum=3_600, source="each way, while the app is open")
    message: int = setting(350, unit="B", minimum=8, maximum=100_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial; the upgrade is the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("websocket", tls=self.tls, port=self.port, ping_below=str(PING + 1))
        peer = draft.peer(self.reach)
        said = self._messages(rng, window)
        for begin, end in dials(rng, self.lifetime, window.span):
            beats = ticks(rng, begin, end, self.heartbeat)
            n = len(beats)
            up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
            pings = words(ticks(rng, begin, end, self.ping), PING, PONG, 500)
            talked = said.during(begin + 2 * SECOND, end)
            spoken = together(words(beats, up, down, thinking(rng, n)), talked, pings)
            draft.talk(
                speech, peer, spoken.time, up=spoken.up, down=spoken.down, delay=spoken.delay, start=begin, close=end
            )
        return draft.batch()

    def _messages(self, rng: np.random.Generator, window: Window) -> Words:
        come = poisson(rng, self.received_per_hour, whole(window.span))
        come = np.sort(np.concatenate([come, poisson(rng, self.open_per_hour, window.foreground)]))
        gone = poisson(rng, self.open_per_hour, window.foreground)
        return together(
            words(come, 0, self._sizes(rng, len(come))),
            words(come + 300_000, 40, 0),
            words(gone, self._sizes(rng, len(gone)), 45, thinking(rng, len(gone))),
        )

    def _sizes(self, rng: np.random.Generator, count: int) -> Int64:
        return np.maximum(self.message * rng.lognormal(0.0, 0.8, count), 12).astype(np.int64)
