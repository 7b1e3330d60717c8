"""UDP on one port of every address: which address was meant is read with each datagram, and answered from."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable

from lab.stages.live.servers.image.plan import Endpoint

IP_PKTINFO = 8  # Linux, ip(7); the socket module names it from Python 3.14 on
IP_FREEBIND = 15
_INFO = struct.Struct("=I4s4s")  # interface, local address, address in the header
_LARGEST = 1 << 16
_AT_ONCE = 64  # datagrams read before others get their turn
#: (where it came through, data, peer, local)
Arrived = Callable[["Datagrams", bytes, Endpoint, Endpoint], None]


class Datagrams:
    """A bound socket; OSError if it cannot be bound. ``address`` is usually 0.0.0.0."""

    def __init__(self, address: str, port: int, arrived: Arrived) -> None:
        self._arrived, self._port = arrived, port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            self._socket.bind((address, port))
        except OSError:
            self._socket.close()
            raise
        self._port = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    @property
    def port(self) -> int:
        """The port bound."""
        return self._port

    def send(self, data: bytes | memoryview, local: Endpoint, peer: Endpoint) -> None:
        """Sends from ``local``; a datagram that cannot be sent is lost, as datagrams are."""
        info = _INFO.pack(0, socket.inet_aton(local[0]), bytes(4))
        with contextlib.suppress(OSError):
            self._socket.sendmsg([data], [(socket.IPPROTO_IP, IP_PKTINFO, info)], 0, peer)

    def close(self) -> None:
        """Unbinds."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, notes, _flags, peer = self._socket.recvmsg(_LARGEST, socket.CMSG_SPACE(_INFO.size))
            except OSError:
                return  # nothing more, or an ICMP error of an earlier datagram
            for _level, kind, note in notes:
                if kind == IP_PKTINFO:
                    local = socket.inet_ntoa(_INFO.unpack(note[: _INFO.size])[2])
                    self._arrived(self, data, (str(peer[0]), int(peer[1])), (local, self._port))


class DatagramLine(asyncio.Transport):
    """One peer on one local address as a transport: each write is a datagram."""

    def __init__(self, datagrams: Datagrams, local: Endpoint, peer: Endpoint, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._datagrams, self._local, self._peer, self._protocol = datagrams, local, peer, protocol
        self._closed = False
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends one datagram."""
        if not self._closed:
            self._datagrams.send(bytes(data), self._local, self._peer)

    def is_closing(self) -> bool:
        """Whether nothing is sent any more."""
        return self._closed

    def close(self) -> None:
        """Sends nothing any more, and tells so."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def resume_reading(self) -> None:
        """Datagrams come as they come."""

    def pause_reading(self) -> None:
        """Datagrams come as they come."""

    def abort(self) -> None:
        """As closing: there is nothing to reset."""
        self.close()
