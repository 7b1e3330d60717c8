"""A messenger with its own encrypted protocol over plain TCP to an address without a name, as Telegram's clients do.

Law: the client opens with 64 bytes of key material and pings every minute while it is kept alive (MTProto,
core.telegram.org/mtproto/transports "Transport obfuscation", ping_delay_disconnect; from memory); messages as in
lab/habits/chatter.py. A connection ends after hours or with the network it was made on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import Batch, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.channel import beats, spoken
from lab.habits.chatter import Chatter
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.ragged import joined
from lab.habits.reconnect import connections

HELLO = (64 + 340, 600)  # key material and the first request, its answer


@dataclass(frozen=True)
class Behaviour:
    """Settings of mtproto-session."""

    port: int = setting(443, minimum=1, maximum=65_535, source="443, 80 and 5222 are offered")
    reach: str = setting("literal", choices=REACHES, source="data centres are known by address")
    ping: float = setting(60.0, unit="s", minimum=5, maximum=3_600)
    lifetime: float = setting(3 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    up: int = setting(105, unit="B", minimum=16, maximum=100_000, source="a padded ping")
    down: int = setting(121, unit="B", minimum=16, maximum=100_000)
    spread: float = setting(0.1, minimum=0, maximum=0.9, source="12 to 1024 B of padding in MTProto 2.0, few of them")
    received_per_hour: float = setting(6.0, minimum=0, maximum=3_600)
    open_per_hour: float = setting(120.0, minimum=0, maximum=3_600, source="each way, while the app is open")
    message: int = setting(400, unit="B", minimum=16, maximum=100_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per connection."""
        draft = Draft(window.span)
        speech, peer = draft.speech("opaque", port=self.port), draft.peer(self.reach)
        lives = connections(rng, self.lifetime, window)
        said = Chatter(self.received_per_hour, self.open_per_hour, self.message).words(rng, window)
        of, pings = beats(rng, lives, self.ping, self.up, self.down)
        n = len(of)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        pinged = (of, words(pings.time, up, down, thinking(rng, n, 5.0)))
        hello = (np.arange(len(lives)), words(lives[:, 0], *HELLO, 30_000))
        draft.talks(speech, peer, lives[:, 0], joined(hello, pinged, spoken(lives, said)), close=lives[:, 1])
        return draft.batch()
