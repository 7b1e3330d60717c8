"""A proxy on the phone: strangers connect to its listener, and it connects them on to wherever they ask.

Law: each inbound conversation is followed by one outbound conversation with the same bytes, a small lag later; the
customer's TLS passes through, handshake included. The proxy answers at once and dials when the first bytes come, as
programs that save a round trip do. It does not know in which words a place is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lab.behaviours import SECOND, Batch, Int64, Speech, Window
from lab.habits.customers import (
    HANDSHAKE_DOWN,
    HANDSHAKE_UP,
    Demand,
    Streams,
    passed_on,
    places,
    programs,
    sealed,
    speaking,
)
from lab.habits.draft import Draft
from lab.habits.longflow import joined, words

#: From a customer's first packet to its ClientHello: three round trips of at most 140 ms, and the proxy's own turns.
CONNECTS = 6 * (SECOND // 10)


@dataclass(frozen=True)
class Listener:
    """How a proxy is asked: protocol and its options, TCP port, who customers are, and where they may go.

    ``towards`` and ``tail`` are the reach of the places (lab.habits.customers.places), ``one_stack`` whether the proxy
    ends their TLS and speaks its own. With ``named`` the protocol's option ``target`` says where a customer wants to
    go.
    """

    protocol: str
    port: int
    reach: str
    towards: str = "popular"
    tail: float = 0.0
    one_stack: bool = False
    named: bool = True
    options: Mapping[str, str] = field(default_factory=dict)


def relay(listener: Listener, demand: Demand, rng: np.random.Generator, window: Window, when: Int64) -> Batch:
    """Two conversations per stream asked for in the intervals: the customer's, and the phone's with the place."""
    draft = Draft(window.span)
    customers = np.array([draft.peer(listener.reach) for _ in range(demand.customers)])
    there = places(rng, draft, demand.destinations, listener.towards, listener.tail)
    ways = np.array([_asked(draft, listener, place) for place in there])
    listens = int(rng.random() * 60 * SECOND)
    draft.listen.append((listens, window.span, listener.port))
    on = programs(rng, draft, demand.customers, one_stack=listener.one_stack)
    streams = demand.streams(rng, when, speaking(draft, on))
    lasts = (streams.asked - CONNECTS > listens) & (streams.ends + 10 * SECOND < window.span)
    streams = streams.only(lasts)
    _inbound(draft, ways[streams.destination], customers[streams.customer], streams)
    passed_on(draft, on, there, streams, one_stack=listener.one_stack)
    return draft.batch()


def _asked(draft: Draft, listener: Listener, place: int) -> int:
    target = {"target": f"@{place}:443"} if listener.named else {}
    draft.speeches.append(Speech(listener.protocol, port=listener.port, options={**target, **listener.options}))
    return len(draft.speeches) - 1


def _inbound(draft: Draft, speech: Int64, peer: Int64, streams: Streams) -> None:
    hello = words(streams.asked, HANDSHAKE_UP, HANDSHAKE_DOWN, streams.shaken - streams.asked)
    asked = words(streams.time, sealed(streams.up), sealed(streams.down), streams.answered - streams.time)
    of = np.concatenate([np.arange(len(streams)), streams.of])
    draft.talks(speech, peer, streams.asked - CONNECTS, (of, joined(hello, asked)), linger=SECOND, inbound=True)
