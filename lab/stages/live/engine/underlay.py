"""The underlay: a free network for a lab, among the machine's routes and the engine's other networks."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path

from lab.errors import PrerequisiteError

POOL = IPv4Network("10.77.0.0/16")
MTU = 1600  # overlays of VXLAN (50 bytes, RFC 7348) keep the 1500 of a phone's network
_ROUTES = Path("/proc/net/route")


def free_subnets(taken: Iterable[IPv4Network]) -> list[IPv4Network]:
    """The /24s of POOL, from 10.77.1.0 on, that overlap none of ``taken``."""
    known = [net for net in taken if net.prefixlen > 0]
    return [net for net in list(POOL.subnets(new_prefix=24))[1:] if not any(net.overlaps(other) for other in known)]


def routed(text: str) -> list[IPv4Network]:
    """The destinations of a routing table as /proc/net/route prints it: hexadecimal words in host order (proc(5))."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return [IPv4Network((_address(row[1]), _address(row[7])), strict=False) for row in rows if len(row) > 7]


def _address(word: str) -> str:
    return socket.inet_ntoa(struct.pack("=I", int(word, 16)))


def machine_routes() -> list[IPv4Network]:
    """The destinations this machine has routes to."""
    try:
        return routed(_ROUTES.read_text(encoding="ascii"))
    except OSError as fault:
        raise PrerequisiteError(f"{_ROUTES}: cannot be read ({fault.strerror}); a live lab needs Linux") from fault
