"""ClientHello and ServerHello as QUIC carries them (RFC 9001 section 4): the recorded client shapes, made fit for it.

What only TLS 1.2 or TCP needs goes, so do GREASE and post-quantum shares (a hello then fits one datagram, as clients
without them send it); ALPN is h3's and transport parameters (RFC 9000 section 18) are added.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lab.protocols import fresh
from lab.protocols.handshakes import Manner, shapes
from lab.protocols.handshakes.initial import integer
from lab.protocols.handshakes.keys import share
from lab.protocols.handshakes.variant import with_ech

SERVER_NAME, ALPN, KEY_SHARE = 0, 16, 51  # extension types
_GROUPS, _VERSIONS, _PARAMETERS, _PSK, _ECH = 10, 43, 57, 41, 0xFE0D
_TICKET, _AGE, _BINDER = 192, 4, 32  # bytes: a session's name as servers on BoringSSL give it (from memory), SHA-256
_RANDOM = 6  # where a hello's random stands, behind type, length and version
_SETTINGS = frozenset({17513, 17613})  # Chrome's application settings name an ALPN
_OF_TLS12 = frozenset({11, 17, 21, 22, 23, 35, 49, 65281})  # formats, OCSP v2, padding, EtM, EMS, tickets, PHA, renewal
_SUITES = frozenset({0x1301, 0x1302, 0x1303})
_TLS13 = 0x0304
_HYBRID = 0x0200  # IANA TLS Supported Groups: curves and finite fields lie below, post-quantum hybrids above
_GREASE = 0x0F0F, 0x0A0A  # mask and value, RFC 8701
_LIMITS = (  # number and value, of the size Chromium announces (from memory)
    (1, 30_000),  # max_idle_timeout, ms
    (3, 1_472),  # max_udp_payload_size
    (4, 15 << 20),  # initial_max_data
    (5, 6 << 20),  # initial_max_stream_data: bidirectional local, remote, unidirectional
    (6, 6 << 20),
    (7, 6 << 20),
    (8, 100),  # initial_max_streams: bidirectional, unidirectional
    (9, 103),
)


@dataclass(frozen=True)
class _Hello:
    """A ClientHello, and where each conversation has its own: (offset, length), and the group of a share."""

    data: bytes
    noise: tuple[tuple[int, int], ...]
    shares: tuple[tuple[int, int, int], ...]


def quic_client_hello(stack: int, *, manner: Manner, alpn: str, rng: np.random.Generator) -> tuple[bytes, int]:
    """The handshake message of that client shape, and the group of its first share.

    ``manner``: the name in SNI (None or "": none), whether an outer ECH is added, whether a session is offered as PSK.
    Shapes that only speak TLS 1.2 have none for QUIC: the next one that does stands in. LookupError: unknown stack.
    """
    hello = _hello(stack, manner, alpn)
    data = bytearray(hello.data)
    for place, size in hello.noise:
        data[place : place + size] = fresh(rng, size)
    for place, size, group in hello.shares:
        data[place : place + size] = share(group, rng, size)
    return bytes(data), hello.shares[0][2]


def quic_server_hello(group: int, rng: np.random.Generator, *, resumed: bool) -> bytes:
    """The answer that takes TLS_AES_128_GCM_SHA256 and that group (RFC 8446 section 4.1.3)."""
    key = share(group, rng, 32)
    shared = group.to_bytes(2, "big") + _sized(key, 2)
    extensions = _extension(_VERSIONS, _TLS13.to_bytes(2, "big")) + _extension(KEY_SHARE, shared)
    extensions += _extension(_PSK, b"\0\0") if resumed else b""
    body = b"\3\3" + fresh(rng, 32) + b"\0" + b"\x13\1" + b"\0" + _sized(extensions, 2)
    return b"\2" + _sized(body, 3)


@lru_cache(maxsize=4096)
def _hello(stack: int, manner: Manner, alpn: str) -> _Hello:
    pool = shapes()
    if not 0 <= stack < len(pool):
        raise LookupError(f"unknown TLS client stack {stack}: known are 0 to {len(pool) - 1}")
    body = next(one for one in (*pool[stack:], *pool) if one.modern).client[0].body
    place = 39 + body[38]
    count = _number(body, place)
    suites = [suite.to_bytes(2, "big") for suite in _numbers(body[place + 2 : place + 2 + count]) if suite in _SUITES]
    place += 2 + count
    kept = _fit(body, place + 1 + body[place] + 2, manner.sni or "", alpn)
    if manner.ech:
        kept = with_ech(kept, np.random.default_rng(stack))
    kept += [(_PSK, _session())] if manner.resume else []
    head = body[4:38] + b"\0" + _sized(b"".join(suites), 2) + b"\1\0"
    extensions = b"".join(_extension(*one) for one in kept)
    at = 4 + len(head) + 2
    noise, shares_at = [(_RANDOM, 32)], []
    for kind, data in kept:
        at += 4
        noise += [(at + begin, size) for begin, size in _drawn(kind, data)]
        shares_at += [(at + begin, size, group) for begin, size, group in _shares(data)] if kind == KEY_SHARE else []
        at += len(data)
    return _Hello(b"\1" + _sized(head + _sized(extensions, 2), 3), tuple(noise), tuple(shares_at))


def _fit(body: bytes, place: int, name: str, alpn: str) -> list[tuple[int, bytes]]:
    """The extensions of a recorded ClientHello, which begin at a place, as QUIC has them."""
    kept: dict[int, bytes] = {}
    while place < len(body):
        kind, size = _number(body, place), _number(body, place + 2)
        if kind not in _OF_TLS12 and _real(kind):
            kept[kind] = _changed(kind, body[place + 4 : place + 4 + size])
        place += 4 + size
    kept[ALPN] = _sized(_sized(alpn.encode("ascii"), 1), 2)
    kept[SERVER_NAME] = _sized(b"\0" + _sized(name.encode("ascii"), 2), 2)
    kept[_PARAMETERS] = _parameters()
    return [(kind, data) for kind, data in kept.items() if name or kind != SERVER_NAME]


def _drawn(kind: int, data: bytes) -> list[tuple[int, int]]:
    """Where an extension has bytes nobody else has: the outer ECH (RFC 9849) and a PSK (RFC 8446)."""
    if kind == _PSK:
        return [(4, _TICKET + _AGE), (4 + _TICKET + _AGE + 3, _BINDER)]
    if kind != _ECH or len(data) <= 8:
        return []
    key = _number(data, 6)
    return [(5, 1), (8, key), (10 + key, len(data) - 10 - key)]


def _changed(kind: int, data: bytes) -> bytes:
    if kind == _VERSIONS:
        return b"\2" + _TLS13.to_bytes(2, "big")
    if kind == _GROUPS:
        return _sized(b"".join(one.to_bytes(2, "big") for one in _numbers(data[2:]) if _small(one)), 2)
    if kind == KEY_SHARE:
        return _sized(b"".join(data[at - 4 : at + size] for at, size, group in _shares(data) if _small(group)), 2)
    return data.replace(b"\2h2", b"\2h3") if kind in _SETTINGS else data


def _shares(data: bytes) -> list[tuple[int, int, int]]:
    """Offset, length and group of each share in a key_share extension."""
    place, found = 2, []
    while place < len(data):
        size = _number(data, place + 2)
        found.append((place + 4, size, _number(data, place)))
        place += 4 + size
    return found


def _session() -> bytes:
    """One session and its binder, RFC 8446 section 4.2.11: the last extension."""
    return _sized(_sized(bytes(_TICKET), 2) + bytes(_AGE), 2) + _sized(_sized(bytes(_BINDER), 1), 2)


def _parameters() -> bytes:
    """Transport parameters of a client without a connection id of its own."""
    limits = [(kind, integer(value)) for kind, value in _LIMITS]
    return b"".join(integer(kind) + integer(len(value)) + value for kind, value in [*limits, (15, b"")])


def _small(group: int) -> bool:
    """Whether it is no GREASE and no hybrid: its key exchange leaves a hello within one datagram."""
    return _real(group) and group < _HYBRID


def _real(value: int) -> bool:
    return value & _GREASE[0] != _GREASE[1]


def _numbers(data: bytes) -> list[int]:
    return [_number(data, place) for place in range(0, len(data), 2)]


def _number(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 2], "big")


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + _sized(data, 2)


def _sized(data: bytes, width: int) -> bytes:
    return len(data).to_bytes(width, "big") + data
