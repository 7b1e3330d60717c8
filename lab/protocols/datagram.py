"""WireGuard over UDP in shape, or plain datagrams of a private protocol: inert filler that fits every path.

Layouts: Donenfeld, WireGuard whitepaper (NDSS 2017), section 5.4. Nothing is encrypted, every such byte is random, and
lengths are those of the plan: they are not rounded up to 16 as WireGuard's padding would.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lab.protocols import Dialogue, Message, exchanges, filler, fresh

TRANSPORT = "udp"

LARGEST = 1400  # bytes; leaves room for IPv6 and UDP within 1500
LEAST = 32  # bytes of a keepalive: header and tag
INITIATION, RESPONSE = 148, 92  # bytes
_INITIATION, _RESPONSE, _TRANSPORT = (bytes([kind, 0, 0, 0]) for kind in (1, 2, 4))  # types and reserved zeros
_PRIVATE = b"\x7e"
NAT_KEEPALIVE = b"\xff"  # RFC 3948 section 2.3: what keeps a mapping and says nothing
_NO_COOKIE = bytes(16)  # mac2 of a host that is not under load, section 5.4.4


@dataclass
class _Side:
    """One side of a session: the index its peer calls it by, and how many datagrams it has sent."""

    index: bytes
    counter: int = 0


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Each exchange as exactly ``up`` and ``down`` bytes, in datagrams of 1400 bytes, or as many as the path takes.

    An exchange of 148 and 92 bytes is a handshake: it gives both sides new indices and counters. All others are
    transport data; what is shorter than the 32 bytes of a keepalive is the front of one. Option ``form``: wireguard
    (default), or plain: datagrams with a session and a counter in front, where one of a single byte is a NAT
    keepalive. ValueError: another form.
    """
    form = dialogue.options.get("form", "wireguard")
    if form not in {"wireguard", "plain"}:
        raise ValueError(f"form {form!r}: known are plain, wireguard")
    if form == "plain":
        yield from _plain(dialogue)
        return
    client, server = _session(dialogue.rng)
    for time, up, down, delay in exchanges(dialogue):
        if (up, down) == (INITIATION, RESPONSE):
            client, server = _session(dialogue.rng)
            yield Message(time, from_client=True, data=_initiation(dialogue.rng, client))
            yield Message(time + delay, from_client=False, data=_response(dialogue.rng, client, server))
            continue
        for size in _cut(up, dialogue.room):
            yield Message(time, from_client=True, data=_transport(dialogue.rng, client, server, size))
        for size in _cut(down, dialogue.room):
            data = _transport(dialogue.rng, server, client, size)
            yield Message(time + delay, from_client=False, data=data, pushed=not up)


def _plain(dialogue: Dialogue) -> Iterator[Message]:
    index = fresh(dialogue.rng, 3)
    client, server = _Side(index), _Side(index)
    for time, up, down, delay in exchanges(dialogue):
        for size in _cut(up, dialogue.room):
            yield Message(time, True, _private(dialogue.rng, client, size))
        for size in _cut(down, dialogue.room):
            yield Message(time + delay, False, _private(dialogue.rng, server, size), pushed=not up)


def _private(rng: np.random.Generator, sender: _Side, size: int) -> bytes:
    """A byte of its own, session, counter, filler: what a private protocol shows; no public one begins so."""
    if size == len(NAT_KEEPALIVE):
        return NAT_KEEPALIVE
    head = _PRIVATE + sender.index + sender.counter.to_bytes(4, "big")
    sender.counter += 1
    return head + filler(rng, size - len(head)) if size > len(head) else head[:size]


def _session(rng: np.random.Generator) -> tuple[_Side, _Side]:
    indices = fresh(rng, 8)
    return _Side(indices[:4]), _Side(indices[4:])


def _initiation(rng: np.random.Generator, client: _Side) -> bytes:
    """Sender, ephemeral key, sealed static key and timestamp, mac1, mac2."""
    head = _INITIATION + client.index
    return head + fresh(rng, INITIATION - len(head) - len(_NO_COOKIE)) + _NO_COOKIE


def _response(rng: np.random.Generator, client: _Side, server: _Side) -> bytes:
    """Sender, receiver, ephemeral key, sealed nothing, mac1, mac2."""
    head = _RESPONSE + server.index + client.index
    return head + fresh(rng, RESPONSE - len(head) - len(_NO_COOKIE)) + _NO_COOKIE


def _transport(rng: np.random.Generator, sender: _Side, receiver: _Side, size: int) -> bytes:
    """Receiver, counter, sealed packet."""
    head = _TRANSPORT + receiver.index + sender.counter.to_bytes(8, "little")
    sender.counter += 1
    return head + filler(rng, size - len(head)) if size > len(head) else head[:size]


def _cut(size: int, room: int) -> list[int]:
    """Datagram sizes; a rest too short for WireGuard takes bytes from the one before.

    >>> _cut(1400, 1472), _cut(2805, 1472), _cut(20, 1472), _cut(1400, 1252)
    ([1400], [1400, 1373, 32], [20], [1252, 148])
    """
    largest = min(LARGEST, room)
    full, rest = divmod(size, largest)
    if full and 0 < rest < LEAST:
        return [largest] * (full - 1) + [largest + rest - LEAST, LEAST]
    return [largest] * full + ([rest] if rest else [])
