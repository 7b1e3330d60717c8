"""A voice call through a TURN server: as many bytes up as down, all with one host, while two people talk.

Law: WebRTC (RFC 8825): addresses are gathered with STUN (RFC 8489) when the call begins, media go as channel data of an
allocation (RFC 8656). Opus frames of 20 to 60 ms; in silence one small frame each 400 ms (RFC 7587, section 3.1.3).
Spurts of speech and pauses are exponential, means 1.0 and 1.6 s (ITU-T P.59, from memory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import around, thinking
from lab.habits.draft import Draft
from lab.habits.longflow import together, words
from lab.habits.sittings import sittings

QUIET, QUIET_S = 20, 0.4  # bytes of a frame of silence beside RTP, and how often one comes
SPURT_S, PAUSE_S = 1.0, 1.6
BINDINGS = 3


@dataclass(frozen=True)
class Behaviour:
    """Settings of turn-call."""

    port: int = setting(3_478, minimum=1, maximum=65_535, source="RFC 8656 section 3")
    reach: str = setting("popular", choices=("vendor", "own", "popular", "tail", "tenant"), source="of the TURN server")
    probability: float = setting(0.2, minimum=0, maximum=1, source="that opening the app is a call")
    calls: int = setting(3, minimum=1, maximum=50, source="of a span, at most")
    length: float = setting(150.0, unit="s", minimum=10, maximum=7_200, source="mean")
    frame: float = setting(0.06, unit="s", minimum=0.02, maximum=0.12, source="RFC 7587: 2.5 to 120 ms")
    size: int = setting(180, unit="B", minimum=40, maximum=1_100, source="24 kbit/s of Opus in 60 ms; video has more")
    silence: bool = setting(True, source="False: sends at full rate while the other talks, as video does")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two conversations per call: the gathering of addresses, and the call itself."""
        draft = Draft(window.span)
        gather, relay = draft.speech("stun", port=self.port), draft.speech("stun", port=self.port, relay="1")
        server = draft.peer(self.reach)
        begun = sittings(rng, window.foreground, self.probability, self.length, most=self.calls)
        for begin, end in np.minimum(begun, window.span).tolist():
            asks = begin + np.arange(BINDINGS) * (SECOND // 20)
            draft.talk(gather, server, asks, up=48, down=80, delay=thinking(rng, BINDINGS, 3.0))
            ours, theirs = (self._voice(rng, begin + SECOND, end) for _ in range(2))
            said = together(words(ours[0], ours[1], 0), words(theirs[0], 0, theirs[1]))
            draft.talk(
                relay, server, said.time, up=said.up, down=said.down, delay=0, start=begin + SECOND // 2, close=end
            )
        return draft.batch()

    def _voice(self, rng: np.random.Generator, begin: int, end: int) -> tuple[Int64, Int64]:
        """(times, sizes) of what one side says."""
        n = max(int((end - begin) / (self.frame * SECOND)), 0)
        times = begin + (np.arange(n) * self.frame * SECOND).astype(np.int64) + rng.integers(0, 3_000, n)
        sizes = around(rng, self.size, 0.2, n)
        if not self.silence:
            return times, sizes
        lasts = rng.exponential([SPURT_S, PAUSE_S], (int(n * self.frame / (SPURT_S + PAUSE_S)) * 2 + 8, 2))
        edges = begin + (np.cumsum(lasts.ravel()) * SECOND).astype(np.int64)
        talks = np.searchsorted(edges, times, side="right") % 2 == 0
        sizes[~talks] = QUIET
        kept = talks | (np.arange(n) % max(round(QUIET_S / self.frame), 1) == 0)
        return times[kept], sizes[kept]
