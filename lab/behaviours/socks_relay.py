"""A SOCKS5 server on the phone: strangers connect to it and are connected on to wherever they ask.

Law: RFC 1928: greeting, request, reply, then bytes copied both ways; each inbound conversation is followed by one
outbound conversation with the same bytes, a small lag later. The customer's TLS passes through, handshake included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Batch, Window, setting
from lab.clock import gaps, whole
from lab.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, Stream, sealed, streams
from lab.draft import Draft

# A stream in time, before its first request: the customer connects, the phone connects on, the handshake passes.
CONNECTS, DIALS, HANDSHAKE = SECOND, 7 * (SECOND // 10), 4 * (SECOND // 10)


@dataclass(frozen=True)
class Behaviour:
    """Settings of socks-relay."""

    port: int = setting(1080, minimum=1024, maximum=65_535, source="RFC 1928: 1080 by convention")
    reach: str = setting("literal", choices=("literal", "lan"), source="where customers come from")
    customers: int = setting(6, minimum=1, maximum=200)
    destinations: int = setting(40, minimum=1, maximum=500)
    streams_per_hour: float = setting(20.0, minimum=0, maximum=3_600)
    lag_ms: float = setting(12.0, unit="ms", minimum=0, maximum=60_000, source="of copying, mean")
    locked_only: bool = setting(False, source="True: it relays only while the phone is locked")

    def plan(self, rng: np.random.Generator, window: Window) -> Batch:
        """Two conversations per stream: the customer's with the phone, the phone's with the destination."""
        draft = Draft(window.span)
        when = gaps(window.unlocked, window.span) if self.locked_only else whole(window.span)
        customers = [draft.peer(self.reach) for _ in range(self.customers)]
        places = [draft.peer("popular") for _ in range(self.destinations)]
        on = draft.speech("opaque", tls=True, port=443)
        asked = [draft.speech("socks5", port=self.port, target=f"@{place}:443") for place in places]
        listens = int(rng.random() * 60 * SECOND)
        draft.listen.append((listens, window.span, self.port))
        for stream in streams(rng, self.streams_per_hour, self.customers, self.destinations, when):
            lasts = int(stream.time[-1]) + 10 * SECOND < window.span
            if stream.time[0] > listens and lasts:
                lag = int((1.0 + rng.exponential(self.lag_ms)) * 1_000)
                self._inbound(draft, asked[stream.destination], customers[stream.customer], stream, lag)
                draft.talk(
                    on,
                    places[stream.destination],
                    stream.time + lag,
                    up=stream.up,
                    down=stream.down,
                    delay=stream.delay,
                    start=int(stream.time[0]) - DIALS + lag,
                    linger=SECOND,
                    stack=stream.customer,
                )
        return draft.batch()

    def _inbound(self, draft: Draft, speech: int, peer: int, stream: Stream, lag: int) -> None:
        begin = int(stream.time[0])
        draft.talk(
            speech,
            peer,
            np.append(begin - HANDSHAKE, stream.time),
            up=np.append(HANDSHAKE_UP, sealed(stream.up)),
            down=np.append(HANDSHAKE_DOWN, sealed(stream.down)),
            delay=np.append(lag, stream.delay + lag) + lag + SECOND // 20,
            start=begin - CONNECTS,
            linger=SECOND,
            inbound=True,
        )
