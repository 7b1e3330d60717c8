"""A push service's frames: log-in, heartbeats and data in tag, varint length, body, as Google's MCS has them.

Tags: Chromium, google_apis/gcm/protocol (mcs.proto, constants). Bodies are filler: they travel under TLS anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.protocols import Dialogue, Message, exchanges, filler, moved_behind

TRANSPORT = "tcp"

_VERSION = 41  # first byte of each side
_PING, _ACK, _LOGIN, _LOGIN_ANSWER, _DATA = 0, 1, 2, 3, 8
_HEARTBEAT = 32  # bytes; frames up to here, both ways, are heartbeats
_LOGIN_UP, _LOGIN_DOWN = (180, 420), (60, 180)  # bytes: ids, token, settings, persistent ids
_LOGIN_US = (5_000, 60_000)


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """The log-in when the conversation opens, then one frame per direction of each exchange.

    Frames have ``up`` and ``down`` bytes, header included, except sizes no varint frame has (130, say): they are a byte
    smaller; the minimum is 2. An exchange of at most 32 bytes both ways is a heartbeat and its acknowledgement.
    Without an exchange the log-in is said only if the dialogue has a ``start``.
    """
    if dialogue.start is None and not len(dialogue.time):
        return
    rng, version = dialogue.rng, bytes([_VERSION])
    up, down, took = (int(rng.integers(*span)) for span in (_LOGIN_UP, _LOGIN_DOWN, _LOGIN_US))
    yield Message(dialogue.opened, True, version + _frame(dialogue, _LOGIN, up))
    yield Message(dialogue.opened + took, False, version + _frame(dialogue, _LOGIN_ANSWER, down))
    yield from moved_behind(_talk(dialogue), dialogue.opened + took)


def _talk(dialogue: Dialogue) -> Iterator[Message]:
    for time, up, down, delay in exchanges(dialogue):
        beat = max(up, down) <= _HEARTBEAT
        if up:
            yield Message(time, True, _frame(dialogue, _PING if beat else _DATA, up))
        if down:
            tag = (_ACK if up else _PING) if beat else _DATA
            yield Message(time + delay, False, _frame(dialogue, tag, down), pushed=not up)


def _frame(dialogue: Dialogue, tag: int, size: int) -> bytes:
    body = max(0, size - 2)
    while body and 1 + len(varint(body)) + body > size:
        body -= 1
    return bytes([tag]) + varint(body) + filler(dialogue.rng, body)


def varint(value: int) -> bytes:
    """Base-128, least significant group first, as Protocol Buffers encode lengths.

    >>> varint(300).hex()
    'ac02'
    """
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
