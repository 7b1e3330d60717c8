"""SOCKS5 (RFC 1928, RFC 1929): greeting, CONNECT request and reply, then relayed bytes as they are."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from lab.protocols import Dialogue, Message, exchanges, filler, moved_behind

TRANSPORT = "tcp"

_VERSION, _NO_AUTHENTICATION, _USER_PASSWORD, _CONNECT, _SUCCEEDED = 5, 0, 2, 1, 0
_IPV4, _NAME, _IPV6 = 1, 3, 4
_GREETING_US = (200, 3_000)  # a proxy that only looks at a byte
_DIAL_US = (15_000, 180_000)  # a proxy that resolves and connects before it replies


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Set-up rounds when the conversation opens, then each exchange as exactly ``up`` and ``down`` relayed bytes.

    Options: ``target`` "host:port" (default: host and port of the dialogue), ``user`` and ``password``: with a user
    both methods are offered and RFC 1929 follows. The set-up is said even by a dialogue without exchanges if it has
    a ``start``. ValueError: a target without a port, or a name longer than 255 bytes.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    ready = dialogue.opened
    for message in _setup(dialogue):
        yield message
        ready = message.time
    yield from moved_behind(_relayed(dialogue), ready)


def request(target: str) -> bytes:
    """The CONNECT request for "host:port"; an IPv6 address may stand in brackets.

    >>> request("www.shop.example:443").hex(" ", 1)[:23]
    '05 01 00 03 10 77 77 77'
    """
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"target {target!r}: expected host:port with a port of 1 to 65535")
    return bytes([_VERSION, _CONNECT, 0]) + _address(host.strip("[]")) + int(port).to_bytes(2, "big")


def _setup(dialogue: Dialogue) -> Iterator[Message]:
    user, password = (dialogue.options.get(key, "").encode() for key in ("user", "password"))
    greeted, asked, dialled = (int(dialogue.rng.integers(*span)) for span in (_GREETING_US, _GREETING_US, _DIAL_US))
    methods = bytes([_NO_AUTHENTICATION, _USER_PASSWORD] if user else [_NO_AUTHENTICATION])
    yield Message(dialogue.opened, True, bytes([_VERSION, len(methods)]) + methods)
    time = dialogue.opened + greeted
    yield Message(time, False, bytes([_VERSION, _USER_PASSWORD if user else _NO_AUTHENTICATION]))
    if user:
        credentials = bytes([1, len(user)]) + user + bytes([len(password)]) + password
        yield Message(time, True, credentials)
        time += asked
        yield Message(time, False, bytes([1, _SUCCEEDED]))
    yield Message(time, True, request(dialogue.options.get("target") or f"{dialogue.host}:{dialogue.port}"))
    yield Message(time + dialled, False, bytes([_VERSION, _SUCCEEDED, 0, _IPV4]) + bytes(4) + bytes(2))


def _relayed(dialogue: Dialogue) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        if up:
            yield Message(time, True, filler(dialogue.rng, up))
        if down:
            yield Message(time + delay, False, filler(dialogue.rng, down), pushed=not up)


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("ascii")
        if len(name) > 255:
            raise ValueError(f"target name of {len(name)} bytes: RFC 1928 has one byte for its length") from None
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
