"""WebSocket (RFC 6455) by wsproto, the engine of hypercorn: it reads the client's frames and writes the script's.

wsproto decides what is valid and how it is framed; the script decides when and how much. Pings are answered by the
script's pongs at their time, not by a library at once.
"""

from __future__ import annotations

from functools import lru_cache

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

_TEXT, _BINARY, _PING, _PONG = 1, 2, 9, 10  # opcodes, RFC 6455 section 5.2
_PAD = b"Server"


class WebSocketVoice:
    """The server's side of one connection. A client's turn is its request, then each whole message, ping or pong."""

    def __init__(self) -> None:
        self._connection = WSConnection(ConnectionType.SERVER)
        self._turns = 0
        self._accepted = False
        self.closing = False

    def hear(self, data: bytes) -> int:
        """The client's turns so far; ValueError if it breaks the protocol."""
        try:
            self._connection.receive_data(data)
            for event in self._connection.events():
                self._turns += _whole(event)
                self.closing = self.closing or isinstance(event, CloseConnection)
        except ProtocolError as error:
            raise ValueError(f"websocket: {error}") from error
        return self._turns

    async def say(self, data: bytes | memoryview) -> bytes:
        """The acceptance, with as many bytes as the script's, then the script's frames, framed anew."""
        try:
            if self._accepted:
                return self._connection.send(_event(bytes(data)))
            self._accepted = True
            return _acceptance(self._connection, len(data))
        except ProtocolError as error:
            raise ValueError(f"websocket: {error}") from error

    def close(self) -> None:
        """Nothing is held."""


def _whole(event: Event) -> bool:
    return isinstance(event, (Request, Ping, Pong)) or (isinstance(event, Message) and event.message_finished)


def _acceptance(connection: WSConnection, size: int) -> bytes:
    """101; a Server header fills up to ``size`` if wsproto's own head leaves room for one."""
    spare = size - _bare_acceptance() - len(_PAD) - len(b": \r\n")
    extra = [(_PAD, (b"nginx/1.26.3" + b"0" * spare)[:spare])] if spare > 0 else []
    return connection.send(AcceptConnection(extra_headers=extra))


@lru_cache(maxsize=1)
def _bare_acceptance() -> int:
    """How long this wsproto's acceptance is; versions differ in the reason phrase."""
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    server.receive_data(client.send(Request(host="host", target="/")))
    list(server.events())
    return len(server.send(AcceptConnection()))


def _event(frame: bytes) -> Event:
    """The wsproto event of one whole unmasked frame; ValueError if it is none."""
    opcode, size = frame[0] & 0x0F, frame[1] & 0x7F
    data = frame[{126: 4, 127: 10}.get(size, 2) :]
    if opcode == _TEXT:
        return TextMessage(data=data.decode())
    if opcode == _BINARY:
        return BytesMessage(data=bytearray(data))
    if opcode == _PING:
        return Ping(payload=data)
    if opcode == _PONG:
        return Pong(payload=data)
    raise ValueError(f"websocket: frame with opcode {opcode}, expected text, binary, ping or pong")
