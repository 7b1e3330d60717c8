"""A residential proxy SDK: the phone dials a gateway and lets its customers out through a tunnel. No listener.

Law: streams of all customers share one tunnel as frames (yamux: 12 B of header, github.com/hashicorp/yamux spec.md),
as WebSocket messages, in one HTTP/2 stream as gRPC has it, or in a private protocol; or, ``paired``, the gateway only
says that somebody wants out, and the phone dials it once more for each stream. The phone connects to wherever it is
told and copies bytes both ways, the customer's TLS handshake included. Rates, gates (charger, Wi-Fi, idle) and tunnels
as studies of residential proxies describe them (Mi et al., S&P 2019; "Your Phone is My Proxy", NDSS 2021; both from
memory).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Window, setting
from lab.habits.clock import interval_of, poisson, thinking
from lab.habits.customers import (
    HANDSHAKE_DOWN,
    HANDSHAKE_UP,
    WAY,
    Demand,
    Streams,
    passed_on,
    places,
    programs,
    sealed,
    speaking,
)
from lab.habits.draft import Draft, Numbers
from lab.habits.gates import GATES, gated
from lab.habits.longflow import Words, dials, dials_during, joined, ticks, together, words

FRAME = 12  # bytes around each message: yamux header; others have about as much
OPEN = 30  # name and port of the place, as text
#: Bytes of a heartbeat and its echo.
BEATS = {"mux": (12, 12), "websocket": (6, 2), "http2": (17, 17), "opaque": (20, 20), "paired": (20, 20)}
OPTIONS = {"websocket": {"ping_below": "7"}, "http2": {"stream": "1"}}
LINK = 400_000  # microseconds in which a phone has dialled the gateway once more, two round trips of TLS and TCP
READY = 2 * SECOND  # from dialling to the first stream
LAST = 5 * SECOND  # a stream that would be over later than this before the tunnel breaks is not begun


@dataclass(frozen=True)
class Behaviour:
    """Settings of backconnect-relay."""

    carrier: str = setting("mux", choices=tuple(BEATS), source="paired: one conversation with the gateway per stream")
    port: int = setting(443, minimum=1, maximum=65_535)
    reach: str = setting(
        "vendor", choices=("vendor", "own", "literal", "popular", "tail", "tenant", "fresh"), source="of the gateway"
    )
    customers: int = setting(12, minimum=1, maximum=200)
    destinations: int = setting(60, minimum=1, maximum=500, source="1: a port forward")
    towards: str = setting("popular", choices=("popular", "tail", "own", "literal", "lan", "tenant"))
    tail: float = setting(0.3, minimum=0, maximum=1, source="share of popular places that are of the long tail")
    streams_per_hour: float = setting(25.0, minimum=0, maximum=3_600, source="6 to 1200: 0.1 to 20 a minute")
    largest: int = setting(20_000, unit="B", minimum=1_000, maximum=10_000_000, source="of an answer; keeps days small")
    lag_ms: float = setting(15.0, unit="ms", minimum=0, maximum=60_000, source="holding a message, exponential, mean")
    inflation: float = setting(1.0, minimum=0.2, maximum=8, source="tunnel bytes per byte: 2 padded, 0.5 compressed")
    chaff_per_hour: float = setting(0.0, minimum=0, maximum=3_600, source="bursts on the tunnel that go nowhere")
    one_stack: bool = setting(False, source="True: ends the customer's TLS, speaks its own to the place")
    heartbeat: float = setting(30.0, unit="s", minimum=5, maximum=3_600, source="yamux keepalive: 30 s")
    lifetime: float = setting(5 * 3600.0, unit="s", minimum=60, maximum=7 * 86_400)
    when: str = setting("always", choices=GATES, source="plugged-idle: charger, Wi-Fi, screen dark")
    from_hour: float = setting(0.0, minimum=0, maximum=24, source="local time; SDKs like 01:00 to 06:00")
    until_hour: float = setting(24.0, minimum=0, maximum=24)
    resident: bool = setting(True, source="False: the tunnel is up only while the gate is open")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """One conversation per dial of the gateway, one per stream with its place, one more each if ``paired``."""
        draft = Draft(window.span)
        carrier = "opaque" if self.carrier == "paired" else self.carrier
        tunnel = draft.speech(carrier, tls=True, port=self.port, **OPTIONS.get(carrier, {}))
        when = gated(window, self.when, self.from_hour, self.until_hour)
        found = dials(rng, self.lifetime, window.span) if self.resident else dials_during(rng, self.lifetime, when)
        up = np.array(found, dtype=np.int64).reshape(-1, 2)
        on = programs(rng, draft, self.customers, one_stack=self.one_stack)
        streams = _carried(self._demand().streams(rng, when, speaking(draft, on)), up)
        gateway = draft.peer(self.reach)
        if self.carrier == "paired":
            told = words(streams.asked, 0, FRAME + OPEN)
            self._links(draft, gateway, streams)
        else:
            told = together(
                words(streams.asked, 0, 2 * FRAME + OPEN + self._sized(HANDSHAKE_UP)), self._copied(streams)
            )
        self._tunnels(rng, draft, (tunnel, gateway), (told, up))
        there = places(rng, draft, self.destinations, self.towards, self.tail)
        passed_on(draft, on, there, streams, linger=SECOND // 2, one_stack=self.one_stack)
        return draft.batch()

    def _demand(self) -> Demand:
        setup = LINK + WAY if self.carrier == "paired" else 0
        return Demand(self.streams_per_hour, self.customers, self.destinations, self.lag_ms, self.largest, setup)

    def _sized(self, size: Numbers) -> Int64:
        """Bytes on the tunnel, without frame."""
        return np.rint(self.inflation * np.asarray(size)).astype(np.int64)

    def _copied(self, streams: Streams) -> Words:
        """What passes between gateway and phone once a stream is open, in no order."""
        return joined(
            words(streams.shaken, FRAME + self._sized(HANDSHAKE_DOWN), 0),
            words(streams.time, 0, FRAME + self._sized(sealed(streams.up))),
            words(streams.answered, FRAME + self._sized(sealed(streams.down)), 0),
        )

    def _tunnels(
        self, rng: np.random.Generator, draft: Draft, dialled: tuple[int, int], what: tuple[Words, Int64]
    ) -> None:
        """All dials, by that speech, of the gateway: a greeting, heartbeats, chaff and what is told."""
        told, up = what
        beats = [ticks(rng, begin, end, self.heartbeat) for begin, end in up.tolist()]
        chaff = poisson(rng, self.chaff_per_hour, up)
        sent, got = FRAME + rng.integers(60, 6_000, (2, len(chaff)))
        ping, pong = BEATS[self.carrier]
        said = together(
            words(up[:, 0], FRAME + 180, FRAME + 20, thinking(rng, len(up))),
            words(np.concatenate([np.zeros(0, dtype=np.int64), *beats]), ping, pong, 1_000),
            words(chaff, sent, got, thinking(rng, len(chaff))),
            told,
        )
        of = interval_of(said.time + said.delay, up)
        said, of = said.only(of >= 0), of[of >= 0]
        draft.talks(*dialled, up[:, 0], (of, said), close=up[:, 1])

    def _links(self, draft: Draft, gateway: int, streams: Streams) -> None:
        """One conversation with the gateway per stream, which copies it without frames of their own."""
        link = draft.speech("opaque", tls=True, port=self.port)
        each = np.arange(len(streams))
        told = words(streams.asked + LINK, FRAME + OPEN, FRAME + self._sized(HANDSHAKE_UP), 1_000)
        of = np.concatenate([each, each, streams.of, streams.of])
        said = joined(told, self._copied(streams))
        draft.talks(link, gateway, streams.asked + 2_000, (of, said), linger=SECOND)


def _carried(streams: Streams, up: Int64) -> Streams:
    """The streams during whose whole life one tunnel is up; the others' customers are turned away."""
    dial = interval_of(streams.asked - READY, up)
    return streams.only((dial >= 0) & (dial == interval_of(streams.ends + LAST, up)))
