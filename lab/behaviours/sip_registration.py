"""A phone app of an office exchange or provider: it registers, renews the registration and keeps the mapping open.

Law: a registration is renewed before it expires (RFC 3261 section 10.2.4), here after a uniform share of its time, and
a keepalive leaves at intervals uniform in 80 to 100 % of ``keepalive`` (RFC 5626 section 4.4.1; for UDP 24 to 29 s). A
new network is a new registration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import REACHES
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.ragged import joined, positions, summed
from lab.habits.reconnect import connections

CRLF = 4  # bytes of a keepalive, RFC 5626 section 3.5.1


@dataclass(frozen=True)
class Behaviour:
    """Settings of sip-registration."""

    port: int = setting(5_060, minimum=1, maximum=65_535)
    reach: str = setting("tenant", choices=REACHES)
    expires: float = setting(300.0, unit="s", minimum=30, maximum=86_400, source="30 to 300 s behind NAT, from memory")
    renewed: float = setting(0.6, minimum=0.1, maximum=0.95, source="earliest share of it after which it is renewed")
    keepalive: float = setting(29.0, unit="s", minimum=0, maximum=3_600, source="RFC 5626 4.4.2; 0 = none")
    options: bool = setting(False, source="True: the keepalive is an OPTIONS request, answered")
    lifetime: float = setting(12 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    up: int = setting(560, unit="B", minimum=300, maximum=1_300)
    down: int = setting(430, unit="B", minimum=200, maximum=1_300)
    spread: float = setting(0.02, minimum=0, maximum=0.5)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per connection; its first registration is the protocol's own."""
        draft = Draft(window.span)
        method = "OPTIONS" if self.options else "REGISTER"
        speech = draft.speech("sip", port=self.port, method=method, expires=str(round(self.expires)))
        peer = draft.peer(self.reach)
        lives = connections(rng, self.lifetime, window)
        of, time = self._spaced(rng, lives, self.expires * self.renewed, self.expires * max(self.renewed, 0.95))
        n = len(of)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        renewals = (of, words(time, up, down, thinking(rng, n, 8.0)))
        longest = max(self.keepalive, 5.0)
        of, time = self._spaced(rng, lives, 0.8 * longest, longest) if self.keepalive else (of[:0], time[:0])
        sizes = (self.up, self.down) if self.options else (CRLF, 0)
        said = joined(renewals, (of, words(time, *sizes, thinking(rng, len(of), 8.0))))
        draft.talks(speech, peer, lives[:, 0], said, close=lives[:, 1])
        return draft.batch()

    def _spaced(self, rng: np.random.Generator, lives: Int64, least_s: float, most_s: float) -> tuple[Int64, Int64]:
        """(connection, time) of things said at intervals uniform from least to most, while each connection lives."""
        counts = (lives[:, 1] - lives[:, 0]) // int(least_s * SECOND) + 1
        of, _ = positions(counts)
        time = lives[of, 0] + (summed(rng.uniform(least_s, most_s, len(of)), counts) * SECOND).astype(np.int64)
        held = time + SECOND < lives[of, 1]
        return of[held], time[held]
