"""The first protocol of every accepted TCP connection: it finds out whose it is, then hands it to who plays it.

What comes meanwhile waits. Afterwards it only counts plain bytes and notes when they came.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from lab.stages.live.servers.image.ledger import Entry
from lab.stages.live.servers.image.part import Arrivals

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing resets
MOST_PENDING = 1 << 20  # bytes kept for a connection that nobody has claimed yet


class Metered(asyncio.Transport):
    """A transport whose plain bytes are counted."""

    def __init__(self, under: asyncio.Transport, entry: Entry) -> None:
        super().__init__()
        self._under, self._entry = under, entry

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Counts and passes on."""
        self._entry.sent += len(data)
        self._under.write(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Counts and passes on."""
        self.write(b"".join(list_of_data))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As below."""
        return self._under.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """As below."""
        return self._under.is_closing()

    def close(self) -> None:
        """As below."""
        self._under.close()

    def abort(self) -> None:
        """As below."""
        self._under.abort()

    def can_write_eof(self) -> bool:
        """As below."""
        return self._under.can_write_eof()

    def write_eof(self) -> None:
        """As below."""
        self._under.write_eof()

    def pause_reading(self) -> None:
        """As below."""
        self._under.pause_reading()

    def resume_reading(self) -> None:
        """As below."""
        self._under.resume_reading()

    def is_reading(self) -> bool:
        """As below."""
        return self._under.is_reading()

    def get_write_buffer_size(self) -> int:
        """As below."""
        return self._under.get_write_buffer_size()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """As below."""
        self._under.set_write_buffer_limits(high, low)


class Front(asyncio.Protocol):
    """``begun`` is called with this object once the connection (and its TLS) stands, ``ended`` when it is gone."""

    def __init__(self, begun: Callable[[Front], None], ended: Callable[[Front], None]) -> None:
        now = asyncio.get_running_loop().time()
        self.arrivals = Arrivals(now, now)
        self._begun, self._ended = begun, ended
        self._pending: list[bytes] = []
        self._inner: asyncio.Protocol | None = None
        self._entry: Entry | None = None
        self._ending = False  # the client has said its last word
        self.transport: asyncio.Transport | None = None
        self.n: int | None = None  # the conversation, once claimed

    @property
    def over(self) -> bool:
        """Whether all of its script has been said: what comes now on the same ports is somebody else's."""
        return bool(getattr(self._inner, "done", False))

    def hand_to(self, inner: asyncio.Protocol, entry: Entry) -> None:
        """From now on ``inner`` plays and ``entry`` counts; what has come already comes again."""
        if self.transport is None or self.transport.is_closing():
            return
        self._inner, self._entry = inner, entry
        inner.connection_made(Metered(self.transport, entry))
        for data in self._pending:
            entry.received += len(data)
            inner.data_received(data)
        self._pending.clear()
        self.transport.resume_reading()
        if self._ending and not inner.eof_received():
            self.transport.close()

    def refuse(self) -> None:
        """Resets the connection."""
        if self.transport is None:
            return
        accepted = self.transport.get_extra_info("socket")
        if accepted is not None:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.arrivals.opened = asyncio.get_running_loop().time()
        self._begun(self)

    def data_received(self, data: bytes) -> None:
        """Counts, notes the time, passes on or keeps."""
        self.arrivals.last = asyncio.get_running_loop().time()
        if self._inner and self._entry:
            self._entry.received += len(data)
            self._inner.data_received(data)
            return
        self._pending.append(data)
        if self.transport and sum(map(len, self._pending)) > MOST_PENDING:
            self.transport.pause_reading()

    def eof_received(self) -> bool | None:
        """Who plays decides; meanwhile the connection stays open."""
        self._ending = True
        return self._inner.eof_received() if self._inner else True

    def connection_lost(self, exc: Exception | None) -> None:
        """Passed on."""
        self.transport = None
        if self._inner:
            self._inner.connection_lost(exc)
        self._ended(self)

    def pause_writing(self) -> None:
        """Passed on."""
        if self._inner:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Passed on."""
        if self._inner:
            self._inner.resume_writing()
