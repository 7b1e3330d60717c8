"""Bytes passed on between an accepted connection and a daemon on loopback, as they are."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lab.stages.live.servers.image.plan import Endpoint


class Relay(asyncio.Protocol):
    """The accepted side; the daemon's side is opened when the connection stands, and ends with it."""

    def __init__(self, daemon: Endpoint) -> None:
        self._daemon = daemon
        self._client: asyncio.Transport | None = None
        self._beyond: asyncio.Transport | None = None
        self._early: list[bytes] = []
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Dials the daemon."""
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        self._task = asyncio.create_task(self._dial(transport))

    def data_received(self, data: bytes) -> None:
        """To the daemon."""
        if self._beyond:
            self._beyond.write(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        """The client's last word; the daemon's answer may still come."""
        self._ending = True
        if self._beyond and self._beyond.can_write_eof():
            self._beyond.write_eof()
        return True

    def connection_lost(self, _: Exception | None) -> None:
        """Hangs up beyond."""
        self._client = None
        if self._task:
            self._task.cancel()
        if self._beyond:
            self._beyond.close()

    def pause_writing(self) -> None:
        """The client does not keep up: the daemon waits."""
        if self._beyond:
            self._beyond.pause_reading()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._beyond:
            self._beyond.resume_reading()

    async def _dial(self, client: asyncio.Transport) -> None:
        with suppress(OSError):
            loop = asyncio.get_running_loop()
            self._beyond, _ = await loop.create_connection(lambda: _Beyond(client), *self._daemon)
            self._beyond.writelines(self._early)
            self._early.clear()
            if self._ending:
                self._beyond.write_eof()
            return
        client.close()


class _Beyond(asyncio.Protocol):
    """The daemon's side: what it says goes to the client."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client
        self._own: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._own = transport

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._client.close()

    def pause_writing(self) -> None:
        self._client.pause_reading()

    def resume_writing(self) -> None:
        self._client.resume_reading()
