"""A volunteer's bridge for people whose network is censored: Orbot's kindness mode, a Snowflake proxy.

Law: the phone asks a broker at intervals whether somebody wants out; if so it opens a WebRTC channel to that person's
address and a WebSocket to the bridge, and copies cells of 514 B both ways for minutes (Snowflake's technical overview
and tor-spec, from memory). A true relay, consented, with one destination. The channel's DTLS over UDP is carried by
protocol ``datagram``: sizes are right, first bytes are not those of DTLS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import alarms, inside, poisson, thinking
from lab.habits.customers import WAY
from lab.habits.draft import Draft
from lab.habits.gates import GATES, gated
from lab.habits.longflow import words
from lab.habits.ragged import joined, positions

CELL = 514  # bytes of a Tor cell, tor-spec section 0.2
AROUND = 60  # bytes of SCTP and DTLS around a message, about
LARGEST = 12_000  # bytes copied at once


@dataclass(frozen=True)
class Behaviour:
    """Settings of snowflake-proxy."""

    reach: str = setting("vendor", choices=("vendor", "popular", "tail"), source="of broker and bridge")
    period: float = setting(60.0, unit="s", minimum=5, maximum=86_400, source="of asking the broker")
    clients_per_hour: float = setting(2.0, minimum=0, maximum=60)
    people: int = setting(8, minimum=1, maximum=100, source="different addresses")
    length: float = setting(600.0, unit="s", minimum=10, maximum=14_400, source="of a session, mean")
    requests_per_minute: float = setting(6.0, minimum=0, maximum=120, source="of a client, while there")
    cells: float = setting(8.0, minimum=1, maximum=20, source="of an answer, mean")
    lag_ms: float = setting(8.0, unit="ms", minimum=0, maximum=10_000, source="of copying, mean")
    when: str = setting("always", choices=GATES, source="plugged-idle: charger and Wi-Fi only, as Orbot offers")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per asking, two per client: with the person, and with the bridge."""
        draft = Draft(window.span)
        open_ = gated(window, self.when)
        broker, bridge = draft.peer(self.reach), draft.peer(self.reach)
        people = np.array([draft.peer("literal", passing=True) for _ in range(self.people)])
        asks = alarms(rng, self.period, 0.05, window.span)
        asks = asks[inside(asks, open_)]
        n = len(asks)
        draft.calls(
            draft.web(method="POST"), broker, asks, up=520, down=380, delay=thinking(rng, n, 200.0), linger=SECOND
        )
        self._sessions(rng, draft, (bridge, people), poisson(rng, self.clients_per_hour, open_))
        return draft.batch()

    def _sessions(self, rng: np.random.Generator, draft: Draft, who: tuple[int, Int64], begins: Int64) -> None:
        bridge, people = who
        channel = draft.speech("datagram", port=int(rng.integers(20_000, 60_000)))
        tunnel = draft.speech("websocket", tls=True, port=443)
        n = len(begins)
        lasts = np.maximum(rng.exponential(self.length, n), 10.0)
        of, _ = positions(rng.poisson(lasts / 60.0 * self.requests_per_minute) + 1)
        m = len(of)
        came = begins[of] + 3 * SECOND + (rng.random(m) * lasts[of] * SECOND).astype(np.int64)
        up = CELL * rng.integers(1, 4, m)
        down = np.minimum(CELL * rng.geometric(1.0 / self.cells, m), LARGEST // CELL * CELL)
        delay = thinking(rng, m, 150.0)
        lag, back = (1_000 + rng.exponential(self.lag_ms * 1_000, (2, m))).astype(np.int64)
        met = np.arange(n), words(begins, 300, 400, 30_000)
        answered = came + lag + delay + back + WAY
        of_person, person = joined(met, (of, words(came, 0, up + AROUND)), (of, words(answered, down + AROUND, 0)))
        draft.talks(channel, rng.choice(people, n), begins, (of_person, person))
        onward = joined((of, words(came + lag, up, down, delay)))
        draft.talks(tunnel, bridge, begins + SECOND, onward, linger=SECOND)
