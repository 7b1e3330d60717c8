"""The one long connection over which a push service wakes apps: a heartbeat now and then, pushes when there are any.

Law: heartbeats keep their phase within a connection, pushes are a Poisson process, fewer by night. Port 5228 is the
one Firebase names for its messaging (firebase.google.com, "ports and your firewall"); heartbeats of about 28 min on
mobile networks and 15 min on Wi-Fi are from memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import inside, poisson, thinking, whole
from lab.draft import Draft
from lab.longflow import dials, ticks, together, words

RECEIPT = 40  # bytes; longer than any heartbeat


@dataclass(frozen=True)
class Behaviour:
    """Settings of push-keepalive."""

    port: int = setting(5228, minimum=1, maximum=65_535)
    reach: str = setting("popular", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"))
    heartbeat: float = setting(900.0, unit="s", minimum=10, maximum=7_200)
    lifetime: float = setting(8 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    pushes_per_hour: float = setting(6.0, minimum=0, maximum=3_600)
    quiet: float = setting(0.2, minimum=0, maximum=1, source="share of pushes that come while the phone dozes")
    beat: int = setting(12, unit="B", minimum=2, maximum=1_000)
    push: int = setting(700, unit="B", minimum=10, maximum=4_096, source="FCM: payloads of at most 4096 B")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial; the log-in is the protocol's own."""
        draft = Draft(window.span)
        speech = draft.speech("push", tls=True, port=self.port)
        peer = draft.peer(self.reach)
        come = poisson(rng, self.pushes_per_hour, whole(window.span))
        come = come[~inside(come, window.doze) | (rng.random(len(come)) < self.quiet)]
        sizes = np.clip(self.push * rng.lognormal(0.0, 0.6, len(come)), 40, 4_096)
        pushed = together(words(come, 0, sizes), words(come + 150_000, RECEIPT, 0))
        for begin, end in dials(rng, self.lifetime, window.span):
            beats = ticks(rng, begin, end, self.heartbeat)
            kept = words(beats, self.beat, self.beat, thinking(rng, len(beats), 5.0))
            spoken = together(pushed.during(begin + 2 * SECOND, end), kept)
            draft.talk(
                speech, peer, spoken.time, up=spoken.up, down=spoken.down, delay=spoken.delay, start=begin, close=end
            )
        return draft.batch()
