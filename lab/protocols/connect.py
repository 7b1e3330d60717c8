"""HTTP CONNECT (RFC 9110 section 9.3.6): a request for a tunnel, 200, then relayed bytes as they are."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import lru_cache

import h11

from lab.protocols import Dialogue, Message, exchanges, filler, moved_behind

TRANSPORT = "tcp"

_DIAL_US = (15_000, 180_000)  # a proxy that resolves and connects before it replies
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"  # no Content-Length: section 9.3.6 forbids it


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """The request and its 200 when the conversation opens, then each exchange as exactly ``up`` and ``down`` bytes.

    Options: ``target`` "host:port" (default: host and port of the dialogue), ``user`` and ``password``: with a user
    the request carries Basic credentials (RFC 7617). The set-up is said even by a dialogue without exchanges if it has
    a ``start``. ValueError: a target without a port.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    target = dialogue.options.get("target") or f"{dialogue.host}:{dialogue.port}"
    user, password = (dialogue.options.get(key, "") for key in ("user", "password"))
    ready = dialogue.opened + int(dialogue.rng.integers(*_DIAL_US))
    yield Message(dialogue.opened, True, request(target, dialogue.agent, f"{user}:{password}" if user else ""))
    yield Message(ready, False, _ESTABLISHED)
    yield from moved_behind(_relayed(dialogue), ready)


@lru_cache(maxsize=4096)
def request(target: str, agent: str, login: str = "") -> bytes:
    """The request for a tunnel to "host:port"; IPv6 in brackets (RFC 3986 section 3.2). ``login`` is "user:password".

    >>> request("www.shop.example:443", "agent/1.0").splitlines()[0]
    b'CONNECT www.shop.example:443 HTTP/1.1'
    """
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"target {target!r}: expected host:port with a port of 1 to 65535")
    headers = [("Host", target), ("User-Agent", agent), ("Proxy-Connection", "Keep-Alive")]
    if login:
        headers.append(("Proxy-Authorization", "Basic " + base64.b64encode(login.encode()).decode("ascii")))
    said = h11.Connection(h11.CLIENT).send(h11.Request(method="CONNECT", target=target, headers=headers))
    assert said is not None
    return said


def _relayed(dialogue: Dialogue) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        if up:
            yield Message(time, True, filler(dialogue.rng, up))
        if down:
            yield Message(time + delay, False, filler(dialogue.rng, down), pushed=not up)
