"""Streams multiplexed over one connection in yamux frames, as reverse tunnels and backconnect proxies do.

Frame: version 0, type, flags, stream id, length, big-endian, 12 bytes. github.com/hashicorp/yamux spec.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.protocols import Dialogue, Message, exchanges, filler

TRANSPORT = "tcp"

HEADER = 12
_DATA, _WINDOW, _PING = 0, 1, 2
_SYN, _ACK, _FIN = 1, 2, 4
_DELTA = (16 << 20) - (256 << 10)  # grants 16 MiB beside the 256 KiB a stream starts with: no update within a message
_LARGEST_DATA = 1 << 15  # as much as io.Copy hands over at once


@dataclass
class _Session:
    """Which streams are open: the client's have odd numbers, the server's even ones."""

    client: int = -1
    server: int = 0
    waiting: deque[int] = field(default_factory=deque)  # the server's streams, unanswered, oldest first
    pings: int = -1

    def opened_by_client(self) -> int:
        self.client += 2
        return self.client

    def opened_by_server(self) -> int:
        self.server += 2
        self.waiting.append(self.server)
        return self.server


def messages(dialogue: Dialogue) -> Iterator[Message]:
    """Exchanges as streams; ``up`` and ``down`` bytes include frame headers, the minimum is 25 per message.

    ``up`` and ``down`` both at most 12: a ping and its answer. ``up`` = 0: the server opens a stream and asks. ``down``
    = 0: the client answers the server's oldest unanswered stream, or opens one if there is none. Both: the client opens
    a stream and the server answers on it. An answer ends its stream.
    """
    session = _Session()
    for time, up, down, delay in exchanges(dialogue):
        if 0 < max(up, down) <= HEADER:
            yield from _ping(session, time, delay, from_client=bool(up))
        elif up and down:
            stream = session.opened_by_client()
            yield Message(time, True, _speech(dialogue, stream, _SYN, up))
            yield Message(time + delay, False, _speech(dialogue, stream, _ACK | _FIN, down))
        elif up:
            if session.waiting:
                said = _speech(dialogue, session.waiting.popleft(), _ACK | _FIN, up)
            else:
                said = _speech(dialogue, session.opened_by_client(), _SYN | _FIN, up)
            yield Message(time, True, said)
        elif down:
            yield Message(time + delay, False, _speech(dialogue, session.opened_by_server(), _SYN, down), pushed=True)


def _ping(session: _Session, time: int, delay: int, *, from_client: bool) -> Iterator[Message]:
    """Either side pings; the answer repeats the opaque value."""
    session.pings += 1
    asked = time if from_client else time + delay
    yield Message(asked, from_client, _header(_PING, _SYN, 0, session.pings), pushed=not from_client)
    yield Message(time + delay, not from_client, _header(_PING, _ACK, 0, session.pings))


def _speech(dialogue: Dialogue, stream: int, flags: int, size: int) -> bytes:
    """A window update that opens or acknowledges the stream, then data frames; the last one carries FIN."""
    parts = [_header(_WINDOW, flags & ~_FIN, stream, _DELTA)]
    left = max(size - HEADER, HEADER + 1)
    while left > 0:
        piece = min(left, HEADER + _LARGEST_DATA)
        if 0 < left - piece <= HEADER:
            piece -= HEADER  # so that the last frame has room for its header and a byte
        left -= piece
        last = not left and flags & _FIN
        parts += [_header(_DATA, _FIN if last else 0, stream, piece - HEADER), filler(dialogue.rng, piece - HEADER)]
    return b"".join(parts)


def _header(kind: int, flags: int, stream: int, length: int) -> bytes:
    return b"\0" + bytes([kind]) + flags.to_bytes(2, "big") + stream.to_bytes(4, "big") + length.to_bytes(4, "big")
