"""An app that keeps a request open at its server until something happens: Matrix, calendars, file sync, smart homes.

Law: HTTP long polling (RFC 6202 section 2): the server answers when an event comes or after ``hold``, and the app asks
again a moment later; Matrix clients ask /sync with a timeout of 30 s (spec.matrix.org, client-server API). Events are a
Poisson process all day, more while the app is open. Requests share a connection until it breaks with the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.carriage import CARRIERS, FRONTS, NAMINGS, REACHES, carried
from lab.habits.clock import around, poisson, thinking, whole
from lab.habits.draft import Draft
from lab.habits.gates import both
from lab.habits.longflow import words
from lab.habits.pace import Pace, paced
from lab.habits.ragged import positions, summed
from lab.habits.reconnect import connections

APART = 2 * SECOND  # events closer than that are answered as one
PAUSE_S = 0.3  # longer than a round trip


@dataclass(frozen=True)
class Behaviour:
    """Settings of event-sync."""

    carrier: str = setting("http", choices=CARRIERS)
    tls: bool = setting(True)
    port: int = setting(0, minimum=0, maximum=65_535, source="0 = 443 with TLS, 80 without")
    reach: str = setting("own", choices=REACHES, source="own: a server of the owner's")
    naming: str = setting("name", choices=NAMINGS)
    front: str = setting("none", choices=FRONTS)
    resume: bool = setting(False)
    hold: float = setting(30.0, unit="s", minimum=5, maximum=600, source="Matrix clients: 30 s (from memory)")
    pause: float = setting(0.2, unit="s", minimum=0, maximum=60, source="mean, until it asks again")
    lifetime: float = setting(
        1_800.0, unit="s", minimum=0, maximum=7 * 86_400, source="of a connection; 0 = a new one for each request"
    )
    events_per_hour: float = setting(6.0, minimum=0, maximum=600)
    open_per_hour: float = setting(60.0, minimum=0, maximum=3_600, source="events while the app is open")
    gate: str = paced("gate")
    from_hour: float = paced("from_hour")
    until_hour: float = paced("until_hour")
    up: int = setting(420, unit="B", minimum=100, maximum=100_000)
    down: int = setting(220, unit="B", minimum=100, maximum=1_000_000, source="of an answer without an event")
    spread: float = setting(0.0, minimum=0, maximum=0.9)
    event: int = setting(1_800, unit="B", minimum=100, maximum=1_000_000, source="median, log-normal")
    sent_up: int = setting(700, unit="B", minimum=100, maximum=1_000_000, source="of what the owner does himself")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Requests one after the other while the gate is open; what the owner does beside them, while the app is."""
        draft = Draft(window.span)
        speech, peer = carried(draft, self, self.reach)
        lives = connections(rng, self.lifetime or 7 * 86_400.0, window)
        lives = both(lives, Pace.of(self).openings(window), window.span)
        life, time, delay, known = self._asked(rng, window, lives)
        n = len(time)
        down = around(rng, self.down, self.spread, n)
        event = np.maximum(self.event * rng.lognormal(0.0, 0.9, n), 100).astype(np.int64)
        said = words(time, around(rng, self.up, self.spread, n), np.where(known, event, down), delay)
        start, of = (lives[:, 0], life) if self.lifetime else (time, np.arange(n))
        draft.talks(speech, peer, start, (of, said))
        sent = poisson(rng, self.open_per_hour, window.foreground)
        draft.calls(speech, peer, sent, up=self.sent_up, down=self.down, delay=thinking(rng, len(sent)))
        return draft.batch()

    def _asked(self, rng: np.random.Generator, window: Window, lives: Int64) -> tuple[Int64, Int64, Int64, Int64]:
        """Of every request its connection, time, how long it is held, and whether an event ends it."""
        come = poisson(rng, self.events_per_hour, whole(window.span))
        come = np.sort(np.concatenate([come, poisson(rng, self.open_per_hour, window.foreground)]))
        come = come[np.diff(come, prepend=np.int64(-(10**12))) > APART]
        life = np.searchsorted(lives[:, 1], come, side="right")
        held = life < len(lives)
        held[held] = come[held] > lives[life[held], 0] + APART
        come, life = come[held], life[held]
        begins, owner = np.concatenate([lives[:, 0], come]), np.concatenate([np.arange(len(lives)), life])
        order = np.argsort(begins, kind="stable")
        begins, owner = begins[order], owner[order]
        by_event = np.append(owner[1:] == owner[:-1], False) if len(owner) else owner > 0
        ends = np.where(by_event, np.append(begins[1:], 0), lives[owner, 1]) if len(owner) else begins
        counts = (ends - begins) // int((self.hold + PAUSE_S) * SECOND) + 1
        of, _ = positions(counts)
        cycle = self.hold + PAUSE_S + rng.exponential(max(self.pause, 1e-6), len(of))
        lag = (PAUSE_S + rng.exponential(max(self.pause, 1e-6), len(begins)))[of]
        before = summed(cycle, counts) - cycle + lag
        time = begins[of] + (before * SECOND).astype(np.int64)
        kept = time < ends[of]
        of, time = of[kept], time[kept]
        left = ends[of] - time
        full = int(self.hold * SECOND) + thinking(rng, len(of), 5.0)
        answered = by_event[of] & (left <= full)
        kept = answered | (left > full)
        return owner[of][kept], time[kept], np.minimum(left, full)[kept], answered[kept]
