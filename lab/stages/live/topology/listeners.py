"""Listeners on this machine's own addresses that hand out a token: what nobody in a lab may be given."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterable
from typing import Self


class Listeners:
    """TCP and UDP on an ephemeral port of each address that can be bound, while the context lasts."""

    def __init__(self, addresses: Iterable[str], token: str) -> None:
        self.bound: list[tuple[str, int]] = []
        self.reached_by: set[str] = set()
        self._wanted = list(addresses)
        self._token = token.encode()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._serve, name="token listeners", daemon=True)
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        """Binds; an address that this machine does not have (a distant engine's) is left out."""
        for address in self._wanted:
            with contextlib.suppress(OSError):
                self._bind(address)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Closes everything."""
        self._stopping.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]  # sockets, all of them
        self._selector.close()

    def _bind(self, address: str) -> None:
        server = socket.create_server((address, 0))
        port = server.getsockname()[1]
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind((address, port))
        except OSError:
            server.close()
            datagrams.close()
            raise
        for one in (server, datagrams):
            one.setblocking(False)
            self._selector.register(one, selectors.EVENT_READ)
        self.bound.append((address, port))

    def _serve(self) -> None:
        while not self._stopping.is_set():
            for key, _ in self._selector.select(0.1):
                with contextlib.suppress(OSError):  # whoever asked has left
                    self._answer(key.fileobj)  # type: ignore[arg-type]  # sockets, all of them

    def _answer(self, one: socket.socket) -> None:
        if one.type == socket.SOCK_DGRAM:
            peer = one.recvfrom(2048)[1]
            one.sendto(self._token, peer)
        else:
            opened, peer = one.accept()
            with opened:
                opened.settimeout(0.5)
                opened.sendall(self._token)
        self.reached_by.add(peer[0])


def own_address() -> str | None:
    """The address this machine speaks to others from; None if it has no way out. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.7", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
