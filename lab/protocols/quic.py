"""QUIC version 1 (RFC 9000): Initial packets that anyone on the path can open, then packets of random bytes.

The ClientHello is real and protected under the keys of its connection id (RFC 9001 section 5.2), so sensors read SNI,
ALPN and fingerprint. Handshake and 1-RTT packets have the right form and size; nothing in them is encrypted.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from lab.protocols import Dialogue, Message, drawn, exchanges, filler, fresh, moved_behind
from lab.protocols.handshakes import Manner
from lab.protocols.handshakes.initial import VERSION, Keys, initial_keys, integer, room, sealed
from lab.protocols.handshakes.quic_hello import quic_client_hello, quic_server_hello

TRANSPORT = "udp"

LARGEST = 1_250  # bytes of a datagram, as Chromium's first ones
LEAST = 1_200  # bytes of one with an Initial: RFC 9000 section 14.1; no QUIC works where that does not fit
LEAST_UP, LEAST_DOWN = 29, 21  # bytes of a 1-RTT packet: first byte, connection id, and what header protection samples
_ID = 8  # bytes of the server's connection id; the client has none, as Chromium
_CRYPTO, _ACK_0 = 6, b"\2\0\0\0\0"  # frame type; the acknowledgement of packet 0 alone, RFC 9000 section 19
_FLIGHT = (
    1_800,
    3_300,
)  # bytes of certificate chain and the rest, within 3 times a client's first datagram (section 8)
_RESUMED = (150, 250)  # bytes of EncryptedExtensions and Finished alone
_FINISHED = (60, 90)  # bytes of the client's Handshake packet: acknowledgement and Finished
_LAST_WORDS = (180, 600)  # bytes: HANDSHAKE_DONE, tickets, new connection ids
_ACK = (2, 9)  # bytes of a lone acknowledgement beyond the least
_SERVER_CRYPTO_US = (400, 3_000)  # signing and key agreement on a server
_CLIENT_CRYPTO_US = (1_000, 8_000)  # verifying a chain on a phone
_WINDOW, _WIDEST = 10, 320  # datagrams in flight: at first (RFC 9002 section 7.2), and on a wide path


@dataclass
class _Connection:
    """Identifiers, keys and the server's congestion window in datagrams."""

    first: bytes  # the destination the client makes up
    server: bytes
    keys: tuple[Keys, Keys]
    largest: int = LARGEST
    window: int = _WINDOW


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """The handshake when the conversation opens, then the exchanges in 1-RTT packets.

    ``up`` and ``down`` are bytes of datagrams, 1250 at most each, or what the path takes; the least are 29 and 21.
    Lone acknowledgements come on top: one of each round of a server's slow start, and of what a client says without an
    answer. Options: ``sni``, the name in the ClientHello if not the host's, or none; ``ech`` = 1, an outer ECH;
    ``resume`` = 1, a session is resumed, without 0-RTT; ``alpn`` (default h3). Without an exchange the handshake is
    said only if the dialogue has a ``start``. LookupError: unknown client shape.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    first = fresh(dialogue.rng, _ID)
    largest = max(LEAST, min(LARGEST, dialogue.room))
    connection = _Connection(first, fresh(dialogue.rng, _ID), initial_keys(first), largest)
    ready = dialogue.opened
    for message in _handshake(dialogue, connection):
        yield message
        ready = message.time
    said = moved_behind(_talk(dialogue, connection), ready)
    waiting = True
    for message in said:
        if waiting and not (message.from_client and message.time <= ready):
            yield _done(dialogue, ready)
            waiting = False
        yield message  # the first words go with the client's Finished, before the server's last ones
    if waiting:
        yield _done(dialogue, ready)


def _done(dialogue: Dialogue, time: int) -> Message:
    return Message(time, False, _short(dialogue, b"", drawn(dialogue.rng, *_LAST_WORDS)))


def _handshake(dialogue: Dialogue, connection: _Connection) -> Iterator[Message]:
    rng, (ours, theirs) = dialogue.rng, connection.keys
    manner = _manner(dialogue)
    hello, group = quic_client_hello(dialogue.stack, manner=manner, alpn=dialogue.options.get("alpn", "h3"), rng=rng)
    ends = (connection.first, b"")
    yield Message(dialogue.opened, True, sealed(ours, 0, ends, _padded(_crypto(hello), room(connection.largest, ends))))
    answered = dialogue.opened + drawn(rng, *_SERVER_CRYPTO_US)
    back, there = (b"", connection.server), (connection.server, b"")
    flight = sealed(theirs, 0, back, _ACK_0 + _crypto(quic_server_hello(group, rng, resumed=manner.resume)))
    for data in _chain(dialogue, connection, flight, resumed=manner.resume):
        yield Message(answered, False, data)
    finished = _long(dialogue, there, drawn(rng, *_FINISHED))
    confirmed = sealed(ours, 1, there, _padded(_ACK_0, room(connection.largest - len(finished), there)))
    yield Message(answered + drawn(rng, *_CLIENT_CRYPTO_US), True, confirmed + finished)


def _chain(dialogue: Dialogue, connection: _Connection, flight: bytes, *, resumed: bool) -> Iterator[bytes]:
    """The server's first datagrams: its Initial, and Handshake packets as long as the host's chain."""
    ends, left = (b"", connection.server), flight_bytes(dialogue.host, resumed=resumed)
    while left > 0:
        size = min(left, connection.largest - len(flight))
        size = size if left - size >= _least_long(ends) or left == size else size - _least_long(ends)
        yield flight + _long(dialogue, ends, size)
        flight, left = b"", left - size


def flight_bytes(host: str, *, resumed: bool) -> int:
    """Bytes of the Handshake packets in the first flight of that server: its chain, unless a session is resumed."""
    low, high = _RESUMED if resumed else _FLIGHT
    return low + int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big") % (high - low)


def _manner(dialogue: Dialogue) -> Manner:
    name = dialogue.options.get("sni") or dialogue.host
    name = "" if name == "none" or _is_address(name) else name  # RFC 6066 section 3
    return Manner(name, dialogue.options.get("ech") == "1", dialogue.options.get("resume") == "1")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _crypto(message: bytes) -> bytes:
    return bytes([_CRYPTO, 0]) + integer(len(message)) + message


def _padded(frames: bytes, size: int) -> bytes:
    return frames + bytes(max(0, size - len(frames)))


def _least_long(ends: tuple[bytes, bytes]) -> int:
    return 1 + len(VERSION) + 2 + len(ends[0]) + len(ends[1]) + 2 + 20


def _long(dialogue: Dialogue, ends: tuple[bytes, bytes], size: int) -> bytes:
    """A Handshake packet of ``size`` bytes (RFC 9000 section 17.2.4), random behind its length."""
    destination, source = ends
    noise = fresh(dialogue.rng, 1)[0] & 0x0F
    ids = bytes([len(destination)]) + destination + bytes([len(source)]) + source
    head = bytes([0xE0 | noise]) + VERSION + ids
    body = max(size - len(head) - 2, 20)
    return head + integer(body, wide=True) + filler(dialogue.rng, body)


def _short(dialogue: Dialogue, destination: bytes, size: int) -> bytes:
    """A 1-RTT packet of ``size`` bytes (RFC 9000 section 17.3), random behind the connection id."""
    noise = fresh(dialogue.rng, 1)[0] & 0x3F
    return bytes([0x40 | noise]) + destination + filler(dialogue.rng, size - 1 - len(destination))


def _talk(dialogue: Dialogue, connection: _Connection) -> Iterator[Message]:
    rng, server = dialogue.rng, connection.server
    for time, up, down, delay in exchanges(dialogue):
        for size in _cut(up, LEAST_UP, connection.largest):
            yield Message(time, True, _short(dialogue, server, size))
        if not down and up:
            yield Message(time + delay, False, _short(dialogue, b"", LEAST_DOWN + drawn(rng, *_ACK)))
        pushed, sizes = not up, _cut(down, LEAST_DOWN, connection.largest)
        while sizes:
            for size in sizes[: connection.window]:
                yield Message(time + delay, False, _short(dialogue, b"", size), pushed=pushed)
            pushed, sizes = False, sizes[connection.window :]
            connection.window = min(2 * connection.window, _WIDEST) if sizes else connection.window
            yield Message(time + delay, True, _short(dialogue, server, LEAST_UP + drawn(rng, *_ACK)))


def _cut(size: int, least: int, largest: int = LARGEST) -> list[int]:
    """Datagram sizes; a rest too short for a packet takes bytes from the one before.

    >>> _cut(1250, 21), _cut(2505, 21), _cut(5, 21), _cut(0, 21)
    ([1250], [1250, 1234, 21], [21], [])
    """
    full, rest = divmod(size, largest)
    if not full:
        return [max(rest, least)] if rest else []
    if 0 < rest < least:
        return [largest] * (full - 1) + [largest + rest - least, least]
    return [largest] * full + ([rest] if rest else [])
