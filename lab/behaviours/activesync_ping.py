"""Exchange ActiveSync push: a Ping that the server answers when mail comes or its heartbeat is over, ever longer ones.

Law: MS-ASCMD 2.2.1.13: the client gives a HeartbeatInterval, the server answers status 1 after it or status 2 as soon
as there is mail. It grows by a step each time it is reached and falls back, and stays there, when a proxy or NAT on
the way gives up first (step 3 min, start 8 min, longest 28 min: AOSP's Exchange service, from memory; patience of the
networks log-uniform, drawn anew for each network, an assumption).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.habits.carriage import CARRIERS, REACHES, carried
from lab.habits.clock import around, poisson, thinking, whole
from lab.habits.draft import Draft
from lab.habits.longflow import words
from lab.habits.ragged import joined
from lab.habits.reconnect import changes

PAUSE_S = (0.3, 2.0)
GATEWAY_TIMEOUT = 260  # bytes of a 504 (an assumption)
LEAST = SECOND // 5
OVER, FAILED, MAIL, MOVED = range(4)  # what ends a Ping


@dataclass(frozen=True)
class Behaviour:
    """Settings of activesync-ping."""

    tls: bool = setting(True)
    carrier: str = setting("http", choices=CARRIERS)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("tenant", choices=REACHES, source="the enterprise's own host")
    shortest: float = setting(480.0, unit="s", minimum=60, maximum=3_540, source="MS-ASCMD: servers allow 60 to 3540 s")
    longest: float = setting(1_680.0, unit="s", minimum=60, maximum=3_540)
    step: float = setting(180.0, unit="s", minimum=0, maximum=1_800)
    patience: float = setting(600.0, unit="s", minimum=60, maximum=86_400, source="shortest that a network has")
    patience_to: float = setting(3_600.0, unit="s", minimum=60, maximum=86_400, source="longest that a network has")
    mails_per_hour: float = setting(2.5, minimum=0, maximum=600)
    up: int = setting(520, unit="B", minimum=100, maximum=100_000)
    down: int = setting(340, unit="B", minimum=100, maximum=1_000_000)
    spread: float = setting(0.02, minimum=0, maximum=0.9)
    mail: int = setting(6_000, unit="B", minimum=200, maximum=10_000_000, source="of the Sync that follows, median")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per Ping; mail adds a Sync to it."""
        draft = Draft(window.span)
        speech, peer = carried(draft, self, self.reach)
        mails = poisson(rng, self.mails_per_hour, whole(window.span))
        pings = self._pings(rng, window, mails.tolist())
        time, held = (np.array([row[place] for row in pings], dtype=np.int64) for place in (0, 1))
        ended = np.array([row[2] for row in pings], dtype=np.int64)
        n, synced = len(pings), np.flatnonzero(ended == MAIL)
        up, down = around(rng, self.up, self.spread, n), around(rng, self.down, self.spread, n)
        down = np.where(ended == FAILED, GATEWAY_TIMEOUT, down)
        mail = np.maximum(self.mail * rng.lognormal(0.0, 0.9, len(synced)), 200).astype(np.int64)
        later = words(time[synced] + held[synced] + SECOND // 2, up[synced] + 250, mail, thinking(rng, len(synced)))
        draft.talks(speech, peer, time, joined((np.arange(n), words(time, up, down, held)), (synced, later)))
        return draft.batch()

    def _pings(self, rng: np.random.Generator, window: Window, mails: list[int]) -> list[tuple[int, int, int]]:
        """(time, how long it is held, what ends it) of one Ping after the other; none where the network changes."""
        moves = [*changes(window).tolist(), window.span]
        arrivals = [*mails, window.span]
        found: list[tuple[int, int, int]] = []
        now, network, ceiling, heartbeat, patience = int(rng.random() * 60 * SECOND), -1, 0.0, 0.0, 0
        while now < window.span:
            here = bisect_right(moves, now)
            if here != network:
                network, ceiling, heartbeat = here, max(self.longest, self.shortest), self.shortest
                patience = int(np.exp(rng.uniform(*np.log(sorted((self.patience, self.patience_to))))) * SECOND)
            mail, moved = arrivals[min(bisect_right(arrivals, now), len(mails))], moves[min(here, len(moves) - 1)]
            held, ended = min(
                (int(heartbeat * SECOND), OVER), (patience, FAILED), (mail - now, MAIL), (moved - now, MOVED)
            )
            held = max(held, LEAST)
            if ended != MOVED:
                found.append((now, held, ended))
            if ended == OVER:
                heartbeat = min(heartbeat + self.step, ceiling)
            elif ended == FAILED:
                ceiling = heartbeat = max(heartbeat - max(self.step, 1.0), 60.0)
            now += held + int(rng.uniform(*PAUSE_S) * SECOND) + (SECOND if ended == MAIL else 0)
        return found
