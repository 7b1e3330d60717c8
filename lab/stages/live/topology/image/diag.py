"""Sockets as the kernel describes them: the ones destroyed, with what they carried, and the ones that listen.

Formats: linux/inet_diag.h, linux/sock_diag.h, linux/tcp.h (struct tcp_info), sock_diag(7). The kernel sends no owner
with a destroyed socket; who opened it is known from its first packet.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from lab.stages.live.topology.image.logged import End
from lab.stages.live.topology.image.netlink import NLM_F_DUMP, NLM_F_REQUEST, attributes, pack

BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
DESTROY_GROUPS = (1, 2, 3, 4)  # SKNLGRP_INET_TCP, _UDP, _INET6_TCP, _UDP _DESTROY
_MESSAGE = struct.Struct("=BBBB2s2s16s16sIII")  # struct inet_diag_msg up to the cookie
_OWNER = struct.Struct("=IIIII")  # expires, rqueue, wqueue, uid, inode
_INFO, _PROTOCOL = 2, 10  # INET_DIAG_*
_LISTEN, _CLOSE = 10, 7  # TCP_LISTEN; UDP without a peer says TCP_CLOSE
_PROTOCOLS = {6: "tcp", 17: "udp"}
_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96 (RFC 4291 2.5.5.2)


@dataclass(frozen=True)
class Gone:
    """A destroyed socket. ``sent`` counts payload bytes once; ``received`` counts the peer's FIN as one. None: UDP."""

    proto: str
    local: End
    peer: End
    sent: int | None
    received: int | None


@dataclass(frozen=True)
class Heard:
    """A socket that waits for whoever comes."""

    proto: str
    local: End
    uid: int


def parse_gone(body: bytes) -> Gone | None:
    """A destroy notification; None for what is neither TCP nor UDP or is cut."""
    if len(body) < _MESSAGE.size + _OWNER.size:
        return None
    found = attributes(body[_MESSAGE.size + _OWNER.size :])
    proto = _PROTOCOLS.get(found.get(_PROTOCOL, b"\x06")[0])
    if proto is None:
        return None
    local, peer = _ends(body)
    info = found.get(_INFO, b"")
    if proto == "udp" or len(info) < 216:
        return Gone(proto, local, peer, None, None)
    received = struct.unpack_from("=Q", info, 128)[0]  # tcpi_bytes_received
    sent, again = struct.unpack_from("=QQ", info, 200)  # tcpi_bytes_sent, tcpi_bytes_retrans
    return Gone(proto, local, peer, sent - again, received)


def listeners_request(family: int, proto: str) -> bytes:
    """The request for all sockets of a family and protocol that wait for whoever comes."""
    number, state = (6, _LISTEN) if proto == "tcp" else (17, _CLOSE)
    return pack(BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, struct.pack("=BBBxI48x", family, number, 0, 1 << state))


def parse_heard(body: bytes, proto: str) -> Heard | None:
    """A listening socket of the answer; None if it is cut."""
    if len(body) < _MESSAGE.size + _OWNER.size:
        return None
    return Heard(proto, _ends(body)[0], _OWNER.unpack_from(body, _MESSAGE.size)[3])


def _ends(body: bytes) -> tuple[End, End]:
    family, _state, _timer, _retrans, sport, dport, source, target, *_ = _MESSAGE.unpack_from(body)
    return (_text(family, source), int.from_bytes(sport)), (_text(family, target), int.from_bytes(dport))


def _text(family: int, address: bytes) -> str:
    """An address as text; IPv4 in an IPv6 socket as IPv4, the wildcard of either as 0.0.0.0."""
    if family == socket.AF_INET:
        return socket.inet_ntoa(address[:4])
    if address.startswith(_MAPPED):
        return socket.inet_ntoa(address[12:])
    return "0.0.0.0" if not any(address) else socket.inet_ntop(socket.AF_INET6, address)  # noqa: S104 - not bound
