"""Whose conversation an accepted connection is: said by the orchestrator and, behind the gateway, by mitmproxy too.

The two may speak in any order, before or after the connection; every wait is bounded. A client's port is used again in
the course of a day: what is over and done with claims nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from lab.stages.live.servers.image.plan import Endpoint

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
WAIT_S = 10.0


class Board(Generic[K, V]):
    """Notes by key; who reads waits for a note, who posts replaces the older one."""

    def __init__(self) -> None:
        self._notes: dict[K, V] = {}
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}

    def post(self, key: K, value: V) -> None:
        """Wakes all who wait for the key."""
        self._notes[key] = value
        for waiter in self._waiting.pop(key, []):
            if not waiter.done():
                waiter.set_result(value)

    def note(self, key: K) -> V | None:
        """The note, if there is one now."""
        return self._notes.get(key)

    def drop(self, key: K) -> None:
        """Takes the note away, if there is one."""
        self._notes.pop(key, None)

    async def read(self, key: K, timeout_s: float, valid: Callable[[V], bool] = lambda _: True) -> V | None:
        """The note; None if there is no valid one in time."""
        if key in self._notes and valid(self._notes[key]):
            return self._notes[key]
        waiter: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except TimeoutError:
            return None
        finally:
            waiters = self._waiting.get(key, [])
            if waiter in waiters:
                waiters.remove(waiter)
                if not waiters:
                    del self._waiting[key]


class Claims:
    """``gateway`` is the address behind which mitmproxy's upstream connections come from."""

    def __init__(self, gateway: str, wait_s: float = WAIT_S) -> None:
        self._gateway, self._wait_s = gateway, wait_s
        self._clients: Board[tuple[str, Endpoint, Endpoint], int] = Board()  # (transport, client, server) -> n
        # (transport, upstream, server) -> client; a port of the gateway's may lead to several servers at once
        self._behind: Board[tuple[str, Endpoint, Endpoint], Endpoint] = Board()

    def client(self, n: int, transport: str, client: Endpoint, server: Endpoint) -> None:
        """The orchestrator: conversation n is held by ``client`` with ``server``."""
        self._clients.post((transport, client, server), n)

    def behind(self, transport: str, upstream: Endpoint, server: Endpoint, client: Endpoint) -> None:
        """The gateway: what comes from ``upstream`` to ``server`` is ``client``'s."""
        self._behind.post((transport, upstream, server), client)

    async def conversation(
        self, transport: str, peer: Endpoint, local: Endpoint, current: Callable[[int], bool]
    ) -> int | None:
        """The conversation of a connection from ``peer`` to ``local``; None if nobody claims it in time.

        ``current`` tells whether a conversation may still have a connection: an older one with the same ports may not.
        """
        client: Endpoint | None = peer
        if peer[0] == self._gateway:
            client = await self._behind.read((transport, peer, local), self._wait_s)
        if client is None:
            return None
        return await self._clients.read((transport, client, local), self._wait_s, current)

    def over(self, transport: str, peer: Endpoint, local: Endpoint, n: int | None) -> None:
        """The connection of conversation n has closed: its ports may be used again, or are already."""
        if peer[0] == self._gateway:
            self._behind.drop((transport, peer, local))
        elif n is not None and self._clients.note((transport, peer, local)) == n:
            self._clients.drop((transport, peer, local))
