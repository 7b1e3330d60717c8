"""A VPN: one long tunnel that carries what the owner does, keepalives, and a fresh handshake every other minute of use.

Law: WireGuard (Donenfeld, NDSS 2017; wireguard.com/protocol): handshake of 148 and 92 B after 120 s of use, keepalives
of 32 B every 25 s as its manual advises behind NAT, 32 B added to each packet. Over TLS the same words go through one
TCP conversation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.clock import gaps, inside, poisson, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import Words, ticks, together, words
from lab.habits.pages import answer_sizes
from lab.habits.reconnect import connections

INITIATION, RESPONSE, KEEPALIVE = 148, 92, 32
REKEY_S = 120.0  # REKEY_AFTER_TIME


@dataclass(frozen=True)
class Behaviour:
    """Settings of vpn-tunnel."""

    udp: bool = setting(True, source="False: over TLS")
    port: int = setting(51_820, minimum=1, maximum=65_535, source="WireGuard's manual; 443 over TLS")
    reach: str = setting("vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    keepalive: float = setting(25.0, unit="s", minimum=5, maximum=3_600, source="wg(8), PersistentKeepalive")
    lifetime: float = setting(10 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    requests_per_hour: float = setting(90.0, minimum=0, maximum=36_000, source="carried while the phone is unlocked")
    idle_per_hour: float = setting(12.0, minimum=0, maximum=3_600, source="carried while it is locked: others' syncs")
    largest: int = setting(80_000, unit="B", minimum=1_000, maximum=100_000_000)

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial."""
        draft = Draft(window.span)
        speech = draft.speech("datagram" if self.udp else "opaque", tls=not self.udp, port=self.port)
        peer = draft.peer(self.reach)
        used = poisson(rng, self.requests_per_hour, window.unlocked)
        idle = poisson(rng, self.idle_per_hour, gaps(window.unlocked, window.span))
        asked = np.sort(np.concatenate([used, idle]))
        n = len(asked)
        carried = words(asked, rng.integers(300, 1_300, n), answer_sizes(rng, n, self.largest), thinking(rng, n))
        for begin, end in connections(rng, self.lifetime, window).tolist():
            spoken = self._spoken(rng, window, carried, (begin, end))
            draft.talk(
                speech, peer, spoken.time, up=spoken.up, down=spoken.down, delay=spoken.delay, start=begin, close=end
            )
        return draft.batch()

    def _spoken(self, rng: np.random.Generator, window: Window, carried: Words, during: tuple[int, int]) -> Words:
        begin, end = during
        rekeys = ticks(rng, begin, end, REKEY_S)
        used = np.append(begin, rekeys[inside(rekeys, window.unlocked)])
        return together(
            words(used, INITIATION, RESPONSE, 2_000),
            words(ticks(rng, begin, end, self.keepalive), KEEPALIVE, 0),
            carried.during(begin + 2 * SECOND, end),
        )
