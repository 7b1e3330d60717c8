"""Customers of a relay: whose requests pass through a phone, to which places, when and how large.

The same for every kind of relay; it knows neither tunnels nor listeners. Streams are what browsers and crawlers make:
short TLS conversations with a few requests (sizes as in lab/pages.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lab.behaviours import SECOND, Int64
from lab.clock import poisson, thinking
from lab.pages import answer_sizes

#: Bytes of a TLS handshake in the pool of lab/protocols/tls, to the server and back: medians of its TLS 1.3 shapes.
HANDSHAKE_UP, HANDSHAKE_DOWN = 600, 3_400
LARGEST = 20_000  # bytes of an answer, at most: keeps a day small
RECORD = 1 << 14  # RFC 8446 section 5.1
RECORD_OVERHEAD = 22  # 5 B of header, 1 B of content type, 16 B of tag (RFC 8446 section 5.2)


@dataclass(frozen=True)
class Stream:
    """One relayed conversation: customer and destination by number; requests and answers in columns, no TLS counted."""

    customer: int
    destination: int
    time: Int64
    up: Int64
    down: Int64
    delay: Int64


def streams(
    rng: np.random.Generator, per_hour: float, customers: int, destinations: int, intervals: Int64
) -> list[Stream]:
    """Streams that begin in the intervals, ascending; customers come in turns, destinations by rank (Zipf)."""
    begins = poisson(rng, per_hour, intervals)
    weights = 1.0 / np.arange(1, destinations + 1) ** 0.7
    where = rng.choice(destinations, size=len(begins), p=weights / weights.sum())
    who = rng.integers(0, customers, len(begins))
    return [_stream(rng, *row) for row in zip(begins.tolist(), who.tolist(), where.tolist(), strict=True)]


def _stream(rng: np.random.Generator, begin: int, customer: int, destination: int) -> Stream:
    count = int(min(1 + rng.geometric(0.5), 8))
    gaps = np.concatenate([[1.0], rng.lognormal(np.log(0.8), 0.9, count - 1) + 0.6])
    time = begin + (np.cumsum(gaps) * SECOND).astype(np.int64)
    up = rng.integers(250, 1_400, count)
    return Stream(customer, destination, time, up, answer_sizes(rng, count, LARGEST), thinking(rng, count))


def sealed(size: Int64) -> Int64:
    """Bytes on the wire of application data of that size, under TLS 1.3."""
    records = np.maximum(-(-size // RECORD), 1)
    whole: Int64 = size + records * RECORD_OVERHEAD
    return whole
