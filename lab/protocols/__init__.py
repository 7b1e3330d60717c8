"""Wire formats: each file here turns one dialogue into the bytes both sides say. No I/O, no clock, no socket.

A protocol is ``lab/protocols/<name>.py`` with ``TRANSPORT`` ("tcp" or "udp") and
``def messages(dialogue: Dialogue) -> Iterator[Message]``. ``tls.py`` wraps the messages of another protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

DATAGRAM = 1472  # bytes of the largest one that Ethernet takes whole over IPv4
_POOL_SEED = 20261121
_POOL_SIZE = 1 << 20
_PLACES = _POOL_SIZE - 1  # a mask: where a slice may start
_SLICE = 1 << 14  # also the most plaintext a TLS record may hold, RFC 8446 section 5.1
# What sensors take for the beginning of a TLS record, an SSL 2 hello or a Thrift message, wherever a slice begins: two
# bytes in a thousand, enough for one tunnel in thousands to be called TLS and then broken TLS.
_MISTAKEN = re.compile(rb"\x16(?=\x03)|[\x80-\xff](?=.\x01)|\x80(?=\x01)|\x82(?=[\x21\x41\x61\x81])", re.DOTALL)
_XML_OPENED, _XML_CLOSED = b'<?xml version="1.0"?>\r\n<root>', b"</root>\r\n"
_BASE64URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" * 4


@dataclass(frozen=True)
class Dialogue:
    """One conversation as a protocol sees it: names, options, its m exchanges (times in microseconds, ascending)."""

    host: str  # name of the server, or its address as text where it has no name
    port: int
    options: Mapping[str, str]
    agent: str  # the app's user agent
    time: Int64  # (m,)
    up: Int64  # (m,) bytes the client shall say, protocol headers included
    down: Int64  # (m,)
    delay: Int64  # (m,) server thinking time
    rng: np.random.Generator = field(repr=False)
    start: int | None = None  # when the conversation opens; None: at its first exchange
    stack: int = 0  # which client shape a protocol with a TLS handshake of its own (QUIC) has: as lab.protocols.tls
    room: int = DATAGRAM  # bytes of the largest datagram that its path takes

    @property
    def opened(self) -> int:
        """When set-up rounds (greetings, log-in, upgrade) begin: ``start``, or the first exchange; 0 if neither."""
        if self.start is not None:
            return self.start
        return int(self.time[0]) if len(self.time) else 0


@dataclass(frozen=True, slots=True)
class Message:
    """Bytes one side says at a time. A server's answer carries its time WITHOUT the round trip: the stage adds it.

    ``pushed`` marks a server message that answers nothing: its time is when the device sees it. ``upgrades``: behind
    this message the connection is TLS (STARTTLS), where the speech wants it so.
    """

    time: int
    from_client: bool
    data: bytes
    pushed: bool = False
    upgrades: bool = False


def exchanges(dialogue: Dialogue) -> Iterator[tuple[int, int, int, int]]:
    """The exchanges of a dialogue as plain integers: (time, up, down, delay)."""
    return zip(
        dialogue.time.tolist(), dialogue.up.tolist(), dialogue.down.tolist(), dialogue.delay.tolist(), strict=True
    )


def filler(rng: np.random.Generator, size: int) -> bytes:
    """``size`` inert random bytes: slices, at places drawn from ``rng``, of one fixed pool of a mebibyte.

    A slice costs a copy where ``rng.bytes`` costs a generator run. Slices are 16 KiB at most, each at a new place, so
    no long message repeats itself; two messages may share a run of bytes, as two downloads of one file do.
    """
    draw, pool = rng.bit_generator.random_raw, _pool()
    if size <= _SLICE:
        place = draw() & _PLACES
        return pool[place : place + size]
    places = [draw() & _PLACES for _ in range(0, size, _SLICE)]
    return b"".join([pool[place : place + _SLICE] for place in places])[:size]


def fresh(rng: np.random.Generator, size: int) -> bytes:
    """``size`` random bytes that nobody else has: for nonces, ids and keys. A fifth of the cost of ``rng.bytes``.

    ``rng`` must stand on a generator of 64-bit words, as SFC64 and PCG64 are.
    """
    return rng.bit_generator.random_raw(-(-size // 8)).tobytes()[:size]


def drawn(rng: np.random.Generator, low: int, high: int) -> int:
    """An integer from ``low`` up to but not ``high``; a third of the cost of ``rng.integers``."""
    return low + int(rng.random() * (high - low))


def filler_text(rng: np.random.Generator, size: int) -> bytes:
    """``size`` inert characters of base64url's alphabet (RFC 4648 section 5): fit for URLs, TXT records, mail, text."""
    return filler(rng, size).translate(_BASE64URL)


def filler_xml(rng: np.random.Generator, size: int) -> bytes:
    """``size`` bytes that are an inert XML document: one element of filler_text, in which nothing is markup.

    Where its declaration has no room it is an empty element, and below four bytes, which no document has, filler_text.
    XML 1.0, sections 2.1, 2.4 and 3.1 (from memory).
    """
    room = size - len(_XML_OPENED) - len(_XML_CLOSED)
    if room >= 0:
        return b"%b%b%b" % (_XML_OPENED, filler_text(rng, room), _XML_CLOSED)
    return b"<%b/>" % (b"r" * (size - len(b"</>"))) if size >= len(b"<r/>") else filler_text(rng, size)


def moved_behind(messages: Iterable[Message], ready: int) -> Iterator[Message]:
    """The messages, those meant for before ``ready`` (the end of a set-up) moved to it, answers with their requests."""
    lag = 0
    for message in messages:
        if message.from_client or message.pushed:
            lag = max(0, ready - message.time)
        if not lag:
            yield message
            continue
        ready = max(ready, message.time + lag)
        yield Message(message.time + lag, message.from_client, message.data, message.pushed, message.upgrades)


@lru_cache(maxsize=1)
def _pool() -> bytes:
    return _MISTAKEN.sub(b"\x55", np.random.default_rng(_POOL_SEED).bytes(_POOL_SIZE + _SLICE))
