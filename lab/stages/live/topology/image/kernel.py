"""Netlink sockets of this namespace: what the kernel tells, and what it answers. The only file here that opens one."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator

from lab.stages.live.topology.image import conntrack, diag, logged
from lab.stages.live.topology.image.logged import End
from lab.stages.live.topology.image.netlink import NLMSG_DONE, NLMSG_ERROR, Message, error_code, messages

_NETFILTER, _SOCK_DIAG = 12, 4  # NETLINK_*
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_SO_RCVBUFFORCE = 33
_BUFFER = 8 << 20
_DATAGRAM = 1 << 16


class Feed:
    """A netlink socket that the kernel writes to; ``overruns`` counts how often it had to leave something out."""

    def __init__(self, name: str, protocol: int, groups: Iterable[int] = ()) -> None:
        self.name = name
        self.overruns = 0
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self.socket.bind((0, 0))
        for group in groups:
            self.socket.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, group)
        self.socket.setblocking(False)

    def fileno(self) -> int:
        """For select."""
        return self.socket.fileno()

    def waiting(self) -> Iterator[Message]:
        """Every message that waits; never blocks."""
        while True:
            try:
                yield from messages(self.socket.recv(_DATAGRAM))
            except BlockingIOError:
                return
            except OSError as fault:
                if fault.errno != errno.ENOBUFS:
                    raise
                self.overruns += 1


def packets_feed(group: int) -> Feed:
    """The packets that the rules log to a group. OSError if the kernel refuses."""
    feed = Feed("packets", _NETFILTER)
    for request in logged.bind(group):
        ask(feed.socket, request)
    feed.socket.setblocking(False)
    return feed


def sockets_feed() -> Feed:
    """The sockets that are destroyed."""
    return Feed("sockets", _SOCK_DIAG, diag.DESTROY_GROUPS)


def flows_feed() -> Feed:
    """The conntrack entries that are destroyed."""
    return Feed("flows", _NETFILTER, [conntrack.DESTROY_GROUP])


class Questions:
    """Two sockets for questions to the kernel, each answered before the next is put."""

    def __init__(self) -> None:
        self._diag = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
        self._flows = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETFILTER)

    def listeners(self, proto: str) -> list[diag.Heard]:
        """The sockets of a protocol that wait for whoever comes."""
        answers = [
            (message, proto)
            for family in (socket.AF_INET, socket.AF_INET6)
            for message in ask(self._diag, diag.listeners_request(family, proto))
        ]
        heard = [diag.parse_heard(message.body, proto) for message, proto in answers]
        return [one for one in heard if one is not None]

    def take_flow(self, source: End, target: End) -> conntrack.Entry | None:
        """The UDP flow between two ends, which conntrack then forgets; None if there is none."""
        try:
            answers = ask(self._flows, conntrack.get_request(source, target))
            ask(self._flows, conntrack.delete_request(source, target))
        except OSError as fault:
            if fault.errno != errno.ENOENT:
                raise
            return None
        return next((entry for entry in map(conntrack.parse_entry, (one.body for one in answers)) if entry), None)


def ask(sock: socket.socket, request: bytes, timeout_s: float = 2.0) -> list[Message]:
    """What the kernel answers to one request; OSError with the kernel's errno if it refuses."""
    sock.settimeout(timeout_s)
    sock.send(request)
    found: list[Message] = []
    while True:
        for message in messages(sock.recv(_DATAGRAM)):
            if message.kind == NLMSG_ERROR and error_code(message):
                code = error_code(message)
                raise OSError(code, f"netlink: {errno.errorcode.get(code, code)}")
            if message.kind in {NLMSG_ERROR, NLMSG_DONE}:
                return found
            found.append(message)
