"""A proxy on the phone: strangers connect to its listener, and it connects them on to wherever they ask.

Law: each inbound conversation is followed by one outbound conversation with the same bytes, a small lag later; the
customer's TLS passes through, handshake included. It does not know in which words a place is asked for.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lab.behaviours import SECOND, Batch, Window
from lab.clock import gaps, whole
from lab.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, Stream, sealed, streams
from lab.draft import Draft

# A stream in time, before its first request: the customer connects, the phone connects on, the handshake passes.
CONNECTS, DIALS, HANDSHAKE = SECOND, 7 * (SECOND // 10), 4 * (SECOND // 10)


class Proxy(Protocol):
    """The settings of a behaviour that is one."""

    @property
    def port(self) -> int:
        """TCP port it listens on."""
        ...

    @property
    def reach(self) -> str:
        """Where customers come from, as in lab.behaviours.Peer."""
        ...

    @property
    def customers(self) -> int:
        """How many there are."""
        ...

    @property
    def destinations(self) -> int:
        """How many places they ask for."""
        ...

    @property
    def streams_per_hour(self) -> float:
        """How often one of them does."""
        ...

    @property
    def lag_ms(self) -> float:
        """Mean time of copying."""
        ...

    @property
    def locked_only(self) -> bool:
        """Whether it relays only while the phone is locked."""
        ...


def relay(proxy: Proxy, protocol: str, rng: np.random.Generator, window: Window) -> Batch:
    """Two conversations per stream: the customer's with the phone, the phone's with the destination.

    Customers speak ``protocol``, whose option ``target`` says where they want to go.
    """
    draft = Draft(window.span)
    when = gaps(window.unlocked, window.span) if proxy.locked_only else whole(window.span)
    customers = [draft.peer(proxy.reach) for _ in range(proxy.customers)]
    places = [draft.peer("popular") for _ in range(proxy.destinations)]
    on = draft.speech("opaque", tls=True, port=443)
    asked = [draft.speech(protocol, port=proxy.port, target=f"@{place}:443") for place in places]
    listens = int(rng.random() * 60 * SECOND)
    draft.listen.append((listens, window.span, proxy.port))
    for stream in streams(rng, proxy.streams_per_hour, proxy.customers, proxy.destinations, when):
        lasts = int(stream.time[-1]) + 10 * SECOND < window.span
        if stream.time[0] > listens and lasts:
            lag = int((1.0 + rng.exponential(proxy.lag_ms)) * 1_000)
            _inbound(draft, asked[stream.destination], customers[stream.customer], stream, lag)
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


def _inbound(draft: Draft, speech: int, peer: int, stream: Stream, lag: int) -> None:
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
