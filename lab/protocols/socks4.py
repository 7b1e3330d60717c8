"""SOCKS4 (Ying-Da Lee, 1992) and 4A: a CONNECT request with a user id, its reply, then relayed bytes as they are."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from lab.protocols import Dialogue, Message, exchanges, filler, moved_behind

TRANSPORT = "tcp"

_VERSION, _CONNECT, _GRANTED = 4, 1, 90
_NAMED = bytes([0, 0, 0, 1])  # 4A: an address that none has says that a name follows
_DIAL_US = (15_000, 180_000)  # a proxy that resolves and connects before it replies
_LONGEST_NAME = 255  # bytes, RFC 1035 section 2.3.4


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Request and reply when the conversation opens, then each exchange as exactly ``up`` and ``down`` relayed bytes.

    Options: ``target`` "host:port" (default: host and port of the dialogue): a name makes it SOCKS4A; ``user``, the
    user id (default none). The set-up is said even by a dialogue without exchanges if it has a ``start``. ValueError: a
    target without a port, with an IPv6 address, or a name or user with a NUL, which ends both.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    target = dialogue.options.get("target") or f"{dialogue.host}:{dialogue.port}"
    ready = dialogue.opened + int(dialogue.rng.integers(*_DIAL_US))
    yield Message(dialogue.opened, True, request(target, dialogue.options.get("user", "")))
    yield Message(ready, False, bytes([0, _GRANTED]) + bytes(6))
    yield from moved_behind(_relayed(dialogue), ready)


def request(target: str, user: str = "") -> bytes:
    """The CONNECT request for "host:port".

    >>> request("198.18.0.9:80").hex(" ")
    '04 01 00 50 c6 12 00 09 00'
    """
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"target {target!r}: expected host:port with a port of 1 to 65535")
    address, name = _address(host)
    if "\0" in user + host:
        raise ValueError(f"target {target!r}, user {user!r}: a NUL ends both on the wire")
    return bytes([_VERSION, _CONNECT]) + int(port).to_bytes(2, "big") + address + user.encode() + b"\0" + name


def _relayed(dialogue: Dialogue) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        if up:
            yield Message(time, True, filler(dialogue.rng, up))
        if down:
            yield Message(time + delay, False, filler(dialogue.rng, down), pushed=not up)


def _address(host: str) -> tuple[bytes, bytes]:
    """The four bytes of the address, and what follows the user id."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        name = host.encode("ascii")
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"target name of {len(name)} bytes: none is longer than {_LONGEST_NAME}") from None
        return _NAMED, name + b"\0"
    if address.version != 4:
        raise ValueError(f"target {host}: SOCKS4 knows IPv4 only")
    return address.packed, b""
