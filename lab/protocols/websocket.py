"""WebSocket (RFC 6455): the upgrade, then masked client frames and bare server frames, pings and pongs.

The frames are written here because wsproto, which tests read them with, draws its masks from the system.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

import h11
from wsproto.utilities import generate_accept_token

from lab.protocols import Dialogue, Message, exchanges, filler, filler_text, fresh, moved_behind
from lab.protocols.http import authority

TRANSPORT = "tcp"

_TEXT, _BINARY, _PING, _PONG = 1, 2, 9, 10  # opcodes, section 5.2
_SMALL, _MEDIUM = 125, 0xFFFF  # payloads with one and three bytes of length
_MASK = 4
_UPGRADE_US = (1_000, 12_000)  # what a server takes to accept


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """The upgrade when the conversation opens, then one message per direction of each exchange.

    A message is one frame of at most ``up`` or ``down`` bytes, header and mask included, and of as many as frames can
    have (none is 128 or 129 bytes long from a server, say); the minimum is 6 up, 2 down. Options: ``path``; ``host`` as
    in http.py; ``origin`` (section 4.1, what a page's client adds); ``subprotocol``, offered and accepted; ``type``
    binary (default) or text; ``ping_below``: an exchange whose sizes are both under it is a ping, pong being its echo
    (default 0: none). Without an exchange the upgrade is said only if the dialogue has a ``start``.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    key = base64.b64encode(fresh(dialogue.rng, 16))
    accepted = dialogue.opened + int(dialogue.rng.integers(*_UPGRADE_US))
    yield Message(dialogue.opened, True, _ask(dialogue, key))
    yield Message(accepted, False, _accept(key, dialogue.options.get("subprotocol", "")))
    yield from moved_behind(_talk(dialogue), accepted)


def _talk(dialogue: Dialogue) -> Iterator[Message]:
    ping_below = int(dialogue.options.get("ping_below", "0"))
    opcode = _TEXT if dialogue.options.get("type", "binary") == "text" else _BINARY
    for time, up, down, delay in exchanges(dialogue):
        if 0 < max(up, down) < ping_below:
            yield from _beat(dialogue, time, up, down, delay)
            continue
        if up:
            yield Message(time, True, _frame(dialogue, opcode, _payload(dialogue, opcode, up, _MASK), masked=True))
        if down:
            said = _frame(dialogue, opcode, _payload(dialogue, opcode, down, 0), masked=False)
            yield Message(time + delay, False, said, pushed=not up)


def _beat(dialogue: Dialogue, time: int, up: int, down: int, delay: int) -> Iterator[Message]:
    """A ping of whoever speaks first and the other side's pong with the same payload, section 5.5.2."""
    asks = bool(up)
    room = min(up - _MASK if asks else down, 2 + _SMALL)
    data = filler(dialogue.rng, max(0, room - 2))
    ping = _frame(dialogue, _PING, data, masked=asks)
    pong = _frame(dialogue, _PONG, data, masked=not asks)
    yield Message(time if asks else time + delay, asks, ping, pushed=not asks)
    yield Message(time + delay, not asks, pong)


def _payload(dialogue: Dialogue, opcode: int, size: int, mask: int) -> bytes:
    room = size - mask - 2
    if room > _SMALL:
        room = max(_SMALL, room - 2)
    if room > _MEDIUM:
        room = max(_MEDIUM, room - 6)
    return (filler_text if opcode == _TEXT else filler)(dialogue.rng, max(0, room))


def _frame(dialogue: Dialogue, opcode: int, data: bytes, *, masked: bool) -> bytes:
    size, mark = len(data), 0x80 if masked else 0
    if size <= _SMALL:
        head = bytes([0x80 | opcode, mark | size])
    elif size <= _MEDIUM:
        head = bytes([0x80 | opcode, mark | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, mark | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + data
    mask = fresh(dialogue.rng, _MASK)
    return head + mask + _xor(data, mask)


def _xor(data: bytes, mask: bytes) -> bytes:
    """Section 5.3, on whole messages as integers."""
    repeated = (mask * (len(data) // _MASK + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(data), "big")


def _ask(dialogue: Dialogue, key: bytes) -> bytes:
    headers = [("Host", authority(dialogue)), ("Upgrade", "websocket"), ("Connection", "Upgrade")]
    headers += [("Sec-WebSocket-Key", key.decode()), ("Sec-WebSocket-Version", "13"), ("User-Agent", dialogue.agent)]
    for option, name in (("origin", "Origin"), ("subprotocol", "Sec-WebSocket-Protocol")):
        if option in dialogue.options:
            headers.append((name, dialogue.options[option]))
    asked = h11.Request(method="GET", target=dialogue.options.get("path", "/"), headers=headers)
    said = h11.Connection(h11.CLIENT).send(asked)
    assert said is not None
    return said


def _accept(key: bytes, subprotocol: str) -> bytes:
    """The 101 answer (section 4.2.2)."""
    lines = [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade"]
    if subprotocol:
        lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode("ascii"))
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + generate_accept_token(key), b"", b""))
