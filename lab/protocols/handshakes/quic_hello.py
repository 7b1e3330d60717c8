"""ClientHello and ServerHello as QUIC carries them (RFC 9001 section 4): the recorded client shapes, made fit for it.

What only TLS 1.2 or TCP needs goes, so do GREASE and post-quantum shares (a hello then fits one datagram, as clients
without them send it); ALPN is h3's and transport parameters (RFC 9000 section 18) are added.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lab.protocols import fresh
from lab.protocols.handshakes import Record, shapes
from lab.protocols.handshakes.hello import ALPN, KEY_SHARE, Template, client_hello
from lab.protocols.handshakes.initial import integer
from lab.protocols.handshakes.keys import X25519MLKEM768, share

_GROUPS, _VERSIONS, _PARAMETERS = 10, 43, 57  # extension types
_SETTINGS = frozenset({17513, 17613})  # Chrome's application settings name an ALPN
_OF_TLS12 = frozenset({11, 17, 21, 22, 23, 35, 49, 65281})  # formats, OCSP v2, padding, EtM, EMS, tickets, PHA, renewal
_SUITES = frozenset({0x1301, 0x1302, 0x1303})
_TLS13 = 0x0304
_GREASE = 0x0F0F, 0x0A0A  # mask and value, RFC 8701
_HEADER = 5  # of a TLS record, which QUIC has not
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


def quic_client_hello(stack: int, *, host: str, alpn: str, rng: np.random.Generator) -> tuple[bytes, int]:
    """The handshake message of that client shape, and the group of its first share; "" as host: no SNI.

    Shapes that only speak TLS 1.2 have none for QUIC: the next one that does stands in. LookupError: unknown stack.
    """
    template, group = _template(stack, host, alpn)
    data = bytearray(template.data)
    for place, size in template.noise:
        data[place : place + size] = fresh(rng, size)
    for place, size, of in template.shares:
        data[place : place + size] = share(of, rng, size)
    return bytes(data[_HEADER:]), group


def quic_server_hello(group: int, rng: np.random.Generator) -> bytes:
    """The answer that takes TLS_AES_128_GCM_SHA256 and that group (RFC 8446 section 4.1.3)."""
    key = share(group, rng, 32)
    shared = group.to_bytes(2, "big") + _sized(key, 2)
    extensions = _extension(_VERSIONS, _TLS13.to_bytes(2, "big")) + _extension(KEY_SHARE, shared)
    body = b"\3\3" + fresh(rng, 32) + b"\0" + b"\x13\1" + b"\0" + _sized(extensions, 2)
    return b"\2" + _sized(body, 3)


@lru_cache(maxsize=4096)
def _template(stack: int, host: str, alpn: str) -> tuple[Template, int]:
    pool = shapes()
    if not 0 <= stack < len(pool):
        raise LookupError(f"unknown TLS client stack {stack}: known are 0 to {len(pool) - 1}")
    shape = next(one for one in (*pool[stack:], *pool) if one.modern)
    body, group = _fit(shape.client[0].body)
    return client_hello(Record(22, b"\3\1", body, 0), host=host, alpn=alpn, pads=False), group


def _fit(body: bytes) -> tuple[bytes, int]:
    """A recorded ClientHello's body as QUIC has it, and the group of its first share."""
    place = 39 + body[38]
    count = _number(body, place)
    suites = [suite for suite in _numbers(body[place + 2 : place + 2 + count]) if suite in _SUITES]
    place += 2 + count
    place += 1 + body[place] + 2
    kept: list[tuple[int, bytes]] = []
    while place < len(body):
        kind, size = _number(body, place), _number(body, place + 2)
        if kind not in _OF_TLS12 and _real(kind):
            kept.append((kind, _changed(kind, body[place + 4 : place + 4 + size])))
        place += 4 + size
    if ALPN not in dict(kept):
        kept.append((ALPN, b"\0\3\2h3"))
    kept.append((_PARAMETERS, _parameters()))
    extensions = b"".join(_extension(*one) for one in kept)
    packed = b"".join(suite.to_bytes(2, "big") for suite in suites)
    made = body[4:38] + b"\0" + _sized(packed, 2) + b"\1\0" + _sized(extensions, 2)
    return b"\1" + _sized(made, 3), _number(dict(kept)[KEY_SHARE], 2)


def _changed(kind: int, data: bytes) -> bytes:
    if kind == _VERSIONS:
        return b"\2" + _TLS13.to_bytes(2, "big")
    if kind == _GROUPS:
        return _sized(b"".join(one.to_bytes(2, "big") for one in _numbers(data[2:]) if _small(one)), 2)
    if kind == KEY_SHARE:
        return _sized(b"".join(_shares(data)), 2)
    return data.replace(b"\2h2", b"\2h3") if kind in _SETTINGS else data


def _shares(data: bytes) -> list[bytes]:
    place, found = 2, []
    while place < len(data):
        size = 4 + _number(data, place + 2)
        if _small(_number(data, place)):
            found.append(data[place : place + size])
        place += size
    return found


def _parameters() -> bytes:
    """Transport parameters of a client without a connection id of its own."""
    limits = [(kind, integer(value)) for kind, value in _LIMITS]
    return b"".join(integer(kind) + integer(len(value)) + value for kind, value in [*limits, (15, b"")])


def _small(group: int) -> bool:
    return _real(group) and group != X25519MLKEM768


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
