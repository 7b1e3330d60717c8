"""A residential proxy SDK: the phone dials a gateway and lets its customers out through one multiplexed tunnel.

Law: streams of all customers share the tunnel as frames (yamux: 12 B of header, github.com/hashicorp/yamux spec.md);
the gateway opens them, the phone connects to wherever it is told and copies bytes both ways, the customer's TLS
handshake included. No listener, no inbound connection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import gaps, thinking, whole
from lab.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, Stream, sealed, streams
from lab.draft import Draft
from lab.longflow import Words, dials, ticks, together, words

FRAME = 12  # yamux header
OPEN = 30  # name and port of the place, as text
WAY = SECOND // 20  # a guess at the outbound round trip, which the batch cannot know


@dataclass(frozen=True)
class Behaviour:
    """Settings of backconnect-relay."""

    port: int = setting(443, minimum=1, maximum=65_535)
    reach: str = setting(
        "vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"), source="of the gateway"
    )
    customers: int = setting(12, minimum=1, maximum=200)
    destinations: int = setting(60, minimum=1, maximum=500)
    streams_per_hour: float = setting(25.0, minimum=0, maximum=3_600)
    lag_ms: float = setting(15.0, unit="ms", minimum=0, maximum=60_000, source="of copying, mean")
    heartbeat: float = setting(30.0, unit="s", minimum=5, maximum=3_600, source="yamux keepalive: 30 s")
    lifetime: float = setting(5 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    locked_only: bool = setting(False, source="True: it relays only while the phone is locked")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial of the gateway, and one per stream with its destination."""
        draft = Draft(window.span)
        when = gaps(window.unlocked, window.span) if self.locked_only else whole(window.span)
        tunnel = draft.speech("mux", tls=True, port=self.port)
        gateway = draft.peer(self.reach)
        on = draft.speech("opaque", tls=True, port=443)
        places = [draft.peer("popular") for _ in range(self.destinations)]
        wanted = streams(rng, self.streams_per_hour, self.customers, self.destinations, when)
        for begin, end in dials(rng, self.lifetime, window.span):
            hello = words(np.array([begin]), FRAME + 180, FRAME + 20, thinking(rng, 1))
            beats = words(ticks(rng, begin, end, self.heartbeat), FRAME, FRAME, 1_000)
            parts = [hello, beats]
            for stream in wanted:
                if begin + 2 * SECOND < stream.time[0] and stream.time[-1] + 5 * SECOND < end:
                    lag = int((1.0 + rng.exponential(self.lag_ms)) * 1_000)
                    parts.append(_carried(stream, lag))
                    self._relayed(draft, on, places[stream.destination], stream, lag)
            spoken = together(*parts)
            draft.talk(tunnel, gateway, spoken.time, up=spoken.up, down=spoken.down, delay=spoken.delay, close=end)
        return draft.batch()

    def _relayed(self, draft: Draft, speech: int, place: int, stream: Stream, lag: int) -> None:
        draft.talk(
            speech,
            place,
            stream.time + lag,
            up=stream.up,
            down=stream.down,
            delay=stream.delay,
            start=int(stream.time[0]) - SECOND // 2 + lag,
            linger=SECOND // 2,
            stack=stream.customer,
        )


def _carried(stream: Stream, lag: int) -> Words:
    """What the tunnel says of one stream: opening, handshake, requests pushed down, answers sent up."""
    begin = int(stream.time[0]) - SECOND // 2
    answered = stream.time + stream.delay + 2 * lag + WAY
    return together(
        words(np.array([begin]), 0, FRAME + OPEN + FRAME + HANDSHAKE_UP),
        words(np.array([begin + 2 * lag + WAY]), FRAME + HANDSHAKE_DOWN, 0),
        words(stream.time, 0, FRAME + sealed(stream.up)),
        words(answered, FRAME + sealed(stream.down), 0),
    )
