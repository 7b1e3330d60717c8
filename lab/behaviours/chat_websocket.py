"""A chat app's WebSocket: presence heartbeats all day, messages both ways while people talk.

Law: heartbeats keep a phase within a connection, or sleep by a law of lab/habits/clock.py; messages received are a
Poisson process by day, in bursts while the app is open, and are answered with a receipt. Ping and pong as in RFC 6455
section 5.5.2. A connection ends after hours or with the network it was made on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import Batch, Int64, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.channel import beats, spoken
from lab.habits.chatter import Chatter
from lab.habits.clock import LAWS, around, renewal, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import Words, words
from lab.habits.ragged import joined
from lab.habits.reconnect import connections

PING, PONG = 6, 2  # empty control frames, RFC 6455 section 5.5


@dataclass(frozen=True)
class Behaviour:
    """Settings of chat-websocket."""

    tls: bool = setting(True)
    port: int = setting(443, minimum=1, maximum=65_535)
    reach: str = setting("vendor", choices=REACHES)
    heartbeat: float = setting(120.0, unit="s", minimum=1, maximum=86_400)
    law: str = setting("phase", choices=("phase", *LAWS), source="of heartbeats; phase: they keep theirs")
    jitter: float = setting(0.0, minimum=0, maximum=1, source="of the law: presence is often randomised")
    ping: float = setting(55.0, unit="s", minimum=5, maximum=3_600, source="below the 60 s of common proxies")
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
        lives = connections(rng, self.lifetime, window)
        said = Chatter(self.received_per_hour, self.open_per_hour, self.message).words(rng, window)
        pings = beats(rng, lives, self.ping, PING, PONG)
        heard = joined(self._heartbeats(rng, lives, window.span), spoken(lives, said), pings)
        draft.talks(speech, peer, lives[:, 0], heard, close=lives[:, 1])
        return draft.batch()

    def _heartbeats(self, rng: np.random.Generator, lives: Int64, span: int) -> tuple[Int64, Words]:
        if self.law == "phase":
            of, said = beats(rng, lives, self.heartbeat, self.up, self.down)
        else:
            told = renewal(rng, self.law, self.heartbeat, self.jitter, span)
            of, said = spoken(lives, words(told, self.up, self.down, 500))
        n = len(of)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        return of, words(said.time, up, down, thinking(rng, n))
