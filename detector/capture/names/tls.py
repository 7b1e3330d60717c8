"""TLS hellos in a stream's first bytes: server name, ALPN and the JA4 fingerprint of the client.

Rule: bytes in, values out; hostile or cut bytes give less, never an exception. Nothing is decrypted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from struct import Struct, unpack

#: RFC 8446 sections 4.1.2, 4.2, 5.1 and RFC 6066 section 3, RFC 7301 section 3.1.
HANDSHAKE, CLIENT_HELLO, SERVER_HELLO = 22, 1, 2
SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS = 0, 13, 16, 43
MAX_RECORD = 16_384 + 2048  # RFC 5246 section 6.2.3; TLS 1.3 allows less
MAX_EXTENSIONS_BYTES = 65_535
WORTH_BYTES = 24  # shorter bodies are compared though nobody reads them: mostly they repeat

#: RFC 8701: sixteen values that mean nothing, 0x0a0a, 0x1a1a ... 0xfafa.
GREASE = frozenset(0x0A0A + 0x1010 * step for step in range(16))

_READ = frozenset((SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS))
_HEAD = Struct(">HH").unpack_from
_VERSIONS = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a ClientHello shows in clear; ``ja4`` is None where the message is cut."""

    sni: str | None
    alpn: str | None  # the first protocol offered
    ja4: str | None


def client_hello(stream: bytes) -> ClientHello | None:
    """The ClientHello at the start of a TLS record stream, also if split over records; else None."""
    if len(stream) < 10 or stream[0] != HANDSHAKE or stream[1] != 3 or stream[5] != CLIENT_HELLO:
        return None
    message_end = 9 + int.from_bytes(stream[6:9], "big")
    if int.from_bytes(stream[3:5], "big") + 5 >= message_end:
        return parse_hello(stream[5:message_end], "t")
    return parse_hello(_unfragmented(stream), "t")


def is_whole_hello(stream: bytes) -> bool:
    """Whether client_hello needs no byte more: a ClientHello, whole, in one record."""
    if stream[:1] != b"\x16" or len(stream) < 10 or stream[1] != 3 or stream[5] != CLIENT_HELLO:
        return False
    end = 9 + int.from_bytes(stream[6:9], "big")
    return end <= len(stream) and end <= 5 + int.from_bytes(stream[3:5], "big")


def hello_kind(stream: bytes) -> bytes:
    """What the hellos of one client share: the lengths of record, message and session identifier."""
    return stream[3:9] + stream[43:44]


def hello_layout(stream: bytes) -> list[slice] | None:
    """The bytes that client_hello looks at, here: not random, session identifier and long bodies outside _READ.

    The last byte of the message is among them, so that a cut one is never like a whole one. None unless the stream
    starts with a ClientHello that is whole, in one record.
    """
    end = 9 + int.from_bytes(stream[6:9], "big")
    if not is_whole_hello(stream) or end < 48:
        return None
    kept, begin = [slice(0, 11), slice(43, 44)], 44 + stream[43]
    at = begin + 2 + int.from_bytes(stream[begin : begin + 2], "big")
    at += 3 + int.from_bytes(stream[at : at + 1], "big")
    while at + 4 <= end:
        kind, size = _HEAD(stream, at)
        at += 4
        if kind not in _READ and size >= WORTH_BYTES:
            kept.append(slice(begin, at))
            begin = at + size
        at += size
    return [*kept, slice(begin, end), slice(end - 1, end)]


def is_tls(stream: bytes) -> bool:
    """Whether a direction starts with a plausible TLS record: a hello, an alert or application data.

    Raised wrongly by a binary protocol that happens to start with 0x14-0x17, 0x03, 0x00-0x04 and a length.
    """
    if len(stream) < 6 or stream[1] != 3 or stream[2] > 4 or not 20 <= stream[0] <= 23:
        return False
    if not 0 < int.from_bytes(stream[3:5], "big") <= MAX_RECORD:
        return False
    return stream[0] != HANDSHAKE or stream[5] in (CLIENT_HELLO, SERVER_HELLO)


def parse_hello(message: bytes, transport: str) -> ClientHello | None:
    """A ClientHello handshake message, header included; ``transport`` is t (TCP), q (QUIC) or d (DTLS).

    JA4 as published by FoxIO (technical_details/JA4.md): GREASE left out, ciphers and extensions sorted,
    signature algorithms in order of appearance. A cut message gives the names found before the cut.
    """
    try:
        complete = len(message) >= 4 + int.from_bytes(message[1:4], "big")
        legacy = message[4] << 8 | message[5]
        at = 39 + message[38]
        size = message[at] << 8 | message[at + 1]
        ciphers = message[at + 2 : at + 2 + size]
        at += 2 + size
        at += 1 + message[at]
    except IndexError:
        return None
    kinds, bodies = _extensions(message, at + 2)
    whole = complete and len(ciphers) == size
    return _hello(transport, legacy, ciphers if whole else None, kinds, bodies)


@lru_cache(maxsize=8192)
def _hello(
    transport: str, legacy: int, ciphers: bytes | None, kinds: tuple[int, ...], bodies: tuple[bytes | None, ...]
) -> ClientHello:
    """The hello of these parts, cached because an app repeats them; ``ciphers`` is None where the message is cut."""
    name, algorithms, protocols, versions = bodies
    alpn = _first_alpn(protocols or b"")
    ja4 = None
    if ciphers is not None:
        start = transport + _version(versions or b"", legacy) + ("i" if name is None else "d")
        ja4 = _ja4(start, ciphers, kinds, algorithms or b"", alpn)
    return ClientHello(_server_name(name or b""), _text(alpn), ja4)


def _unfragmented(stream: bytes) -> bytes:
    return b"".join(_fragments(stream))


def _fragments(stream: bytes) -> Iterator[bytes]:
    at = 0
    while at + 5 <= len(stream) and stream[at] == HANDSHAKE and stream[at + 1] == 3:
        size = int.from_bytes(stream[at + 3 : at + 5], "big")
        yield stream[at + 5 : at + 5 + size]
        at += 5 + size


def _extensions(message: bytes, at: int) -> tuple[tuple[int, ...], tuple[bytes | None, ...]]:
    """The sorted types of all extensions but GREASE, and the bodies of the four in _READ (None: absent)."""
    kinds: list[int] = []
    bodies: dict[int, bytes] = {}
    last = min(len(message) - 4, at + MAX_EXTENSIONS_BYTES)
    while at <= last:
        kind, size = _HEAD(message, at)
        at += 4
        if kind not in GREASE:
            kinds.append(kind)
            if kind in _READ and kind not in bodies:
                bodies[kind] = message[at : at + size]
        at += size
    kinds.sort()
    get = bodies.get
    return tuple(kinds), (get(SERVER_NAME), get(SIGNATURE_ALGORITHMS), get(ALPN), get(SUPPORTED_VERSIONS))


def _server_name(body: bytes) -> str | None:
    """RFC 6066 section 3: list length, type 0 (host_name), length, name."""
    if len(body) < 6 or body[2] != 0:
        return None
    return _text(body[5 : 5 + int.from_bytes(body[3:5], "big")])


def _first_alpn(body: bytes) -> bytes:
    return body[3 : 3 + body[2]] if len(body) > 3 else b""


def _text(raw: bytes) -> str | None:
    return raw.decode("ascii", "backslashreplace") or None


def _version(body: bytes, legacy: int) -> str:
    offered = [value for value in _sixteen(body[1:]) if value not in GREASE]
    return _VERSIONS.get(max(offered) if offered else legacy, "00")


def _sixteen(raw: bytes) -> tuple[int, ...]:
    return unpack(f">{len(raw) // 2}H", raw[: len(raw) // 2 * 2])


@lru_cache(maxsize=1024)
def _ja4(start: str, ciphers: bytes, kinds: tuple[int, ...], algorithms: bytes, alpn: bytes) -> str:
    suites = sorted(f"{value:04x}" for value in _sixteen(ciphers) if value not in GREASE)
    listed = ",".join(f"{kind:04x}" for kind in kinds if kind not in (SERVER_NAME, ALPN))
    signed = ",".join(f"{value:04x}" for value in _sixteen(algorithms[2:]) if value not in GREASE)
    counts = f"{min(len(suites), 99):02}{min(len(kinds), 99):02}"
    third = f"{listed}_{signed}" if signed else listed
    return f"{start}{counts}{_ends(alpn)}_{_hash(','.join(suites))}_{_hash(third if listed else '')}"


def _ends(alpn: bytes) -> str:
    """First and last character of the first ALPN, of its hexadecimal form where one is not alphanumeric."""
    if not alpn:
        return "00"
    ends = bytes((alpn[0], alpn[-1]))
    if ends.isalnum():
        return ends.decode("ascii")
    return alpn.hex()[0] + alpn.hex()[-1]


def _hash(text: str) -> str:
    return sha256(text.encode("ascii")).hexdigest()[:12] if text else "0" * 12
