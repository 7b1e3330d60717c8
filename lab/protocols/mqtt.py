"""MQTT 3.1.1 (OASIS Standard, 29 October 2014): connect, subscribe, pings and publications at quality of service 1.

Under TLS it goes to port 8883, plain to 1883. Payloads are filler.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab.protocols import Dialogue, Message, exchanges, filler, filler_text, moved_behind

TRANSPORT = "tcp"

_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
_PINGREQ, _PINGRESP = b"\xc0\0", b"\xd0\0"
_QOS1 = 0x02  # bit 1 of a publication's flags, section 3.3.1
_PING = 8  # bytes; exchanges up to here, both ways, are pings
_ACK = 4  # bytes of a PUBACK
_NAMED, _PASSWORD, _CLEAN = 0x80, 0x40, 0x02  # connect flags, section 3.1.2.3
_KEEPALIVE_S = 60
_BROKER_US = (500, 8_000)
_IDENT = 20  # characters of a client identifier; section 3.1.3.1 has every server take 23


@dataclass
class _Session:
    """Names both sides use, and the packet identifiers each has given."""

    up_topic: bytes
    down_topic: bytes
    client: int = 1  # SUBSCRIBE had it
    server: int = 0

    def by_client(self) -> int:
        self.client = self.client % 0xFFFF + 1
        return self.client

    def by_server(self) -> int:
        self.server = self.server % 0xFFFF + 1
        return self.server


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """CONNECT, SUBSCRIBE and their answers when the conversation opens, then the exchanges.

    Up to 8 bytes both ways: a PINGREQ and its PINGRESP, 2 bytes each. Otherwise ``up`` is a publication of the client
    of that size and ``down`` the server's PUBACK, followed by a publication of the rest where that is more; it is
    acknowledged by the client, as is what the server pushes (``up`` = 0). Such a PUBACK comes on top of the sizes.
    ``down`` = 0: published once at most (QoS 0). Options: ``keepalive`` seconds (default 60); ``topic``, under which
    the client listens at ``<topic>/cmd`` and publishes at ``<topic>/up``; ``user`` and ``password``. Without an
    exchange the set-up is said only if the dialogue has a ``start``. ValueError: a keepalive that is no 16-bit number.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    ident = filler_text(dialogue.rng, _IDENT)
    topic = dialogue.options.get("topic", "").encode() or b"dev/" + ident[:8]
    session = _Session(topic + b"/up", topic + b"/cmd")
    ready = dialogue.opened
    for message in _setup(dialogue, ident, session):
        yield message
        ready = message.time
    yield from moved_behind(_talk(dialogue, session), ready)


def _setup(dialogue: Dialogue, ident: bytes, session: _Session) -> Iterator[Message]:
    user, password = (dialogue.options.get(key, "").encode() for key in ("user", "password"))
    keepalive = int(dialogue.options.get("keepalive", _KEEPALIVE_S))
    if not 0 <= keepalive <= 0xFFFF:
        raise ValueError(f"keepalive of {keepalive} s: expected 0 to {0xFFFF}, MQTT 3.1.1 section 3.1.2.10")
    flags = _CLEAN | (_NAMED if user else 0) | (_PASSWORD if user and password else 0)
    said = _text(b"MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big") + _text(ident)
    said += (_text(user) if user else b"") + (_text(password) if user and password else b"")
    accepted, granted = (int(dialogue.rng.integers(*_BROKER_US)) for _ in range(2))
    time = dialogue.opened
    yield Message(time, True, _packet(_CONNECT, said))
    yield Message(time + accepted, False, _packet(_CONNACK, b"\0\0"))
    time += accepted
    yield Message(time, True, _packet(_SUBSCRIBE, b"\0\1" + _text(session.down_topic) + b"\1"))
    yield Message(time + granted, False, _packet(_SUBACK, b"\0\1\1"))


def _talk(dialogue: Dialogue, session: _Session) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        if up and max(up, down) <= _PING:
            yield Message(time, True, _PINGREQ)
            yield Message(time + delay, False, _PINGRESP)
            continue
        acknowledged = b""
        if up:
            number = session.by_client() if down else 0
            yield Message(time, True, _publication(dialogue, session.up_topic, number, up))
            acknowledged = _packet(_PUBACK, number.to_bytes(2, "big")) if down else b""
        rest = down - len(acknowledged)
        number = session.by_server() if rest > 0 else 0
        pushed = _publication(dialogue, session.down_topic, number, rest) if number else b""
        if down:
            yield Message(time + delay, False, acknowledged + pushed, pushed=not up)
        if number:
            yield Message(time + delay, True, _packet(_PUBACK, number.to_bytes(2, "big")))


def _publication(dialogue: Dialogue, topic: bytes, number: int, size: int) -> bytes:
    """A PUBLISH of ``size`` bytes, or a byte less where the length's own length leaves a gap; number 0: QoS 0."""
    head = _text(topic) + (number.to_bytes(2, "big") if number else b"")
    body = max(0, size - 2 - len(head))
    while body and 1 + len(_length(len(head) + body)) + len(head) + body > size:
        body -= 1
    return _packet(_PUBLISH | (_QOS1 if number else 0), head + filler(dialogue.rng, body))


def _packet(first: int, rest: bytes) -> bytes:
    return bytes([first]) + _length(len(rest)) + rest


def _length(size: int) -> bytes:
    """Remaining length, section 2.2.3: base 128, least significant first, four bytes at most.

    >>> _length(321).hex()
    'c102'
    """
    groups = []
    while size > 0x7F:
        groups.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*groups, size])


def _text(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
