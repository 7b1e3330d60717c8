"""STUN (RFC 8489) and TURN (RFC 8656) over UDP: bindings that keep a mapping, or a relayed call in channel data.

Messages are whole: integrity (HMAC-SHA1 under a long-term credential) and fingerprint (CRC-32) are right.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.protocols import Dialogue, Message, drawn, exchanges, filler, filler_text, fresh, moved_behind

TRANSPORT = "udp"

_COOKIE = 0x2112A442
_BINDING, _ALLOCATE, _REFRESH, _CHANNEL_BIND = 0x001, 0x003, 0x004, 0x009
_INDICATION, _SUCCESS, _ERROR = 0x010, 0x100, 0x110
_USERNAME, _INTEGRITY, _ERROR_CODE, _REALM, _NONCE = 0x0006, 0x0008, 0x0009, 0x0014, 0x0015
_CHANNEL, _LIFETIME, _PEER, _RELAYED, _TRANSPORT, _MAPPED = 0x000C, 0x000D, 0x0012, 0x0016, 0x0019, 0x0020
_SOFTWARE, _FINGERPRINT = 0x8022, 0x8028
_FINGERPRINT_XOR = 0x5354554E
_UDP = bytes([17, 0, 0, 0])
_NUMBER = 0x4000  # the first channel, RFC 8656 section 12
_LIFETIME_S = 600  # the default allocation lifetime, RFC 8656 section 3.2
_REFRESHED_US = 240_000_000  # before a permission's five minutes are over, RFC 8656 section 9
_LARGEST, _LEAST_RTP = 1_200, 12
_CHANNEL_HEADER = 4  # RFC 8656 section 12.4
_RTP = bytes([0x80, 111])  # RFC 3550 version 2; 111: what WebRTC calls Opus
_SERVER_US = (200, 2_000)
_LONGEST_SOFTWARE = 763  # bytes, RFC 8489 section 14.14


@dataclass
class _Call:
    """One client's credential at its server, and the two streams of a call."""

    user: bytes
    realm: bytes
    nonce: bytes
    password: bytes
    peer: tuple[bytes, int]
    mapped: tuple[bytes, int]
    streams: dict[bool, bytes]  # ssrc by direction
    counts: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    @property
    def key(self) -> bytes:
        """The long-term credential's key, RFC 8489 section 9.2.2."""
        parts = b":".join((self.user, self.realm, self.password))
        return hashlib.md5(parts, usedforsecurity=False).digest()


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Bindings, or with option ``relay`` = 1 a TURN allocation when the conversation opens and then channel data.

    A binding is a request and its answer; ``down`` = 0: an indication. A request has ``up`` and an answer ``down``
    bytes where its SOFTWARE can fill it (multiples of 4, at least 28 and 40). Channel data are exactly ``up`` and
    ``down`` bytes in datagrams of 4 to 1200, media inside; in between the allocation is refreshed every 4 minutes.
    Option ``user``: the TURN user. An allocation without an exchange is made only if the dialogue has a ``start``.
    """
    if dialogue.options.get("relay") != "1":
        yield from _bindings(dialogue)
        return
    if dialogue.start is None and not len(dialogue.time):
        return
    call = _new_call(dialogue)
    ready = dialogue.opened
    for message in _allocated(dialogue, call):
        yield message
        ready = message.time
    yield from moved_behind(_carried(dialogue, call, ready), ready)


def _bindings(dialogue: Dialogue) -> Iterator[Message]:
    mapped = _somewhere(dialogue)
    for time, up, down, delay in exchanges(dialogue):
        ident = fresh(dialogue.rng, 12)
        kind = _BINDING if down or not up else _BINDING | _INDICATION
        yield Message(time, True, _message(kind, ident, _filled(dialogue, [], up)))
        if down:
            said = _filled(dialogue, [(_MAPPED, _address(mapped))], down)
            yield Message(time + delay, False, _message(_BINDING | _SUCCESS, ident, said))


def _new_call(dialogue: Dialogue) -> _Call:
    rng = dialogue.rng
    user = dialogue.options.get("user", "").encode() or filler_text(rng, 24)
    realm = ".".join(dialogue.host.split(".")[-2:]).encode()
    words = (filler_text(rng, 32), filler_text(rng, 22))
    return _Call(
        user, realm, *words, _somewhere(dialogue), _somewhere(dialogue), {True: fresh(rng, 4), False: fresh(rng, 4)}
    )


def _allocated(dialogue: Dialogue, call: _Call) -> Iterator[Message]:
    """Asked without a credential, refused with a nonce, asked again; then a channel is bound to the peer."""
    time, wanted = dialogue.opened, [(_TRANSPORT, _UDP)]
    ident = fresh(dialogue.rng, 12)
    yield Message(time, True, _message(_ALLOCATE, ident, wanted))
    time += drawn(dialogue.rng, *_SERVER_US)
    refused = [(_ERROR_CODE, b"\0\0\4\1Unauthorized"), (_REALM, call.realm), (_NONCE, call.nonce)]
    yield Message(time, False, _message(_ALLOCATE | _ERROR, ident, refused))
    relayed = (call.peer[0], drawn(dialogue.rng, 49_152, 65_535))  # RFC 8656 section 7.2
    granted = [(_RELAYED, _address(relayed)), (_MAPPED, _address(call.mapped)), _lasting()]
    for kind, asks, answers in ((_ALLOCATE, wanted, granted), (_CHANNEL_BIND, _bound(call), [])):
        yield from _round(dialogue, call, time, kind, (asks, answers))
        time += _SERVER_US[1]


def _round(
    dialogue: Dialogue, call: _Call, time: int, kind: int, said: tuple[_Attributes, _Attributes]
) -> Iterator[Message]:
    """One authenticated request and its success, of these attributes each."""
    asks, answers = said
    ident = fresh(dialogue.rng, 12)
    who = [(_USERNAME, call.user), (_REALM, call.realm), (_NONCE, call.nonce)]
    yield Message(time, True, _message(kind, ident, [*asks, *who], call.key))
    took = drawn(dialogue.rng, *_SERVER_US)
    yield Message(time + took, False, _message(kind | _SUCCESS, ident, answers, call.key))


def _carried(dialogue: Dialogue, call: _Call, ready: int) -> Iterator[Message]:
    due = ready + _REFRESHED_US
    for time, up, down, delay in exchanges(dialogue):
        while time >= due:
            yield from _round(dialogue, call, due, _REFRESH, ([_lasting()], [_lasting()]))
            yield from _round(dialogue, call, due + _SERVER_US[1], _CHANNEL_BIND, (_bound(call), []))
            due += _REFRESHED_US
        for data in _channel_data(dialogue, call, up, up_=True):
            yield Message(time, True, data)
        for data in _channel_data(dialogue, call, down, up_=False):
            yield Message(time + delay, False, data, pushed=not up)


def _channel_data(dialogue: Dialogue, call: _Call, size: int, *, up_: bool) -> Iterator[bytes]:
    """Media in channel messages (RFC 8656 section 12.4), together ``size`` bytes; headers of RTP, bodies of filler."""
    for piece in _cut(size, dialogue.room):
        count = call.counts[up_] = call.counts[up_] + 1
        head = _RTP + (count & 0xFFFF).to_bytes(2, "big") + (960 * count % (1 << 32)).to_bytes(4, "big")
        body = max(0, piece - _CHANNEL_HEADER)
        said = head + call.streams[up_] + filler(dialogue.rng, max(0, body - _LEAST_RTP))
        yield _NUMBER.to_bytes(2, "big") + body.to_bytes(2, "big") + said[:body]


def _cut(size: int, room: int) -> list[int]:
    """Datagram sizes; a rest without room for media takes bytes from the one before.

    >>> _cut(1200, 1472), _cut(1203, 1472), _cut(2, 1472), _cut(0, 1472)
    ([1200], [1187, 16], [2], [])
    """
    largest, least = min(_LARGEST, room), _CHANNEL_HEADER + _LEAST_RTP
    full, rest = divmod(size, largest)
    if full and 0 < rest < least:
        return [largest] * (full - 1) + [largest + rest - least, least]
    return [largest] * full + ([rest] if rest else [])


_Attributes = list[tuple[int, bytes]]


def _filled(dialogue: Dialogue, attributes: _Attributes, size: int) -> _Attributes:
    """The attributes, and a SOFTWARE that makes the message ``size`` bytes, if it can."""
    room = size - 20 - sum(4 + len(value) for _, value in attributes) - 8 - 4
    software = dialogue.agent.encode("utf-8")[: max(0, min(room, _LONGEST_SOFTWARE)) & ~3]
    if room > len(software):
        software += filler_text(dialogue.rng, (min(room, _LONGEST_SOFTWARE) & ~3) - len(software))
    return [*attributes, (_SOFTWARE, software)] if software else attributes


def _message(kind: int, ident: bytes, attributes: _Attributes, key: bytes = b"") -> bytes:
    """A message of that type with these attributes, integrity under ``key`` if there is one, and fingerprint."""
    body = b"".join(_attribute(*attribute) for attribute in attributes)
    if key:
        body += _attribute(_INTEGRITY, hmac.digest(key, _head(kind, len(body) + 24, ident) + body, "sha1"))
    checked = zlib.crc32(_head(kind, len(body) + 8, ident) + body) ^ _FINGERPRINT_XOR
    return _head(kind, len(body) + 8, ident) + body + _attribute(_FINGERPRINT, checked.to_bytes(4, "big"))


def _head(kind: int, length: int, ident: bytes) -> bytes:
    return kind.to_bytes(2, "big") + length.to_bytes(2, "big") + _COOKIE.to_bytes(4, "big") + ident


def _attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)


def _address(place: tuple[bytes, int]) -> bytes:
    """XOR-MAPPED-ADDRESS, RFC 8489 section 14.2, for IPv4."""
    packed, port = place
    hidden = int.from_bytes(packed, "big") ^ _COOKIE
    return bytes([0, 1]) + (port ^ _COOKIE >> 16).to_bytes(2, "big") + hidden.to_bytes(4, "big")


def _lasting() -> tuple[int, bytes]:
    return _LIFETIME, _LIFETIME_S.to_bytes(4, "big")


def _bound(call: _Call) -> _Attributes:
    return [(_CHANNEL, _NUMBER.to_bytes(2, "big") + bytes(2)), (_PEER, _address(call.peer))]


def _somewhere(dialogue: Dialogue) -> tuple[bytes, int]:
    """An endpoint on the lab's internet, 198.18.0.0/15."""
    packed = (198 << 24) + (18 << 16) + drawn(dialogue.rng, 1, (1 << 17) - 1)
    return packed.to_bytes(4, "big"), drawn(dialogue.rng, 1_024, 65_535)
