"""The specification of one container's network: what host and container tell each other, as JSON.

Standard library only: the same file is read on the host and in the image. Every address is checked on the way in,
because the text of commands and rules is made of them.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

ROLES = ("gateway", "servers", "strangers", "handset")
_NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}")  # unicast (IEEE 802: lowest bit of the first octet is 0)


@dataclass(frozen=True)
class Overlay:
    """One VXLAN interface: ``address`` with prefix length, ``peers`` the underlay addresses its frames go to."""

    name: str
    vni: int
    mac: str
    address: str
    peers: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """A route over an overlay; ``via`` is reached on the link itself, whatever the interface's own prefix is."""

    prefix: str
    via: str
    device: str


@dataclass(frozen=True)
class Spec:
    """A container's network: own and host's underlay address, the one port the host may reach, overlays, routes.

    ``local`` are prefixes whose every address is the container's own (AnyIP).
    """

    role: str
    underlay: str
    host: str
    host_port: int
    overlays: tuple[Overlay, ...]
    local: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        """ValueError, naming the word, for anything that is not an address, a name, a MAC or a role."""
        if self.role not in ROLES:
            raise ValueError(f"role {self.role!r} is none of {', '.join(ROLES)}")
        if not 0 < self.host_port < 1 << 16:
            raise ValueError(f"port {self.host_port!r} is none")
        for address in (self.underlay, self.host, *(route.via for route in self.routes)):
            IPv4Address(address)
        for prefix in (*self.local, *(route.prefix for route in self.routes)):
            IPv4Network(prefix)
        for name in (*(overlay.name for overlay in self.overlays), *(route.device for route in self.routes)):
            if not _NAME.fullmatch(name):
                raise ValueError(f"interface name {name!r} is not {_NAME.pattern}")
        for overlay in self.overlays:
            _check_overlay(overlay)

    def to_json(self) -> str:
        """The specification as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Spec:
        """The specification in a line of JSON; ValueError or TypeError for anything else."""
        row = json.loads(text)
        overlays = tuple(Overlay(**{**one, "peers": tuple(one["peers"])}) for one in row.pop("overlays"))
        routes = tuple(Route(**one) for one in row.pop("routes"))
        return cls(**{**row, "overlays": overlays, "routes": routes, "local": tuple(row.get("local", ()))})


def _check_overlay(overlay: Overlay) -> None:
    IPv4Interface(overlay.address)
    for peer in overlay.peers:
        IPv4Address(peer)
    if not 0 < overlay.vni < 1 << 24:
        raise ValueError(f"VXLAN id {overlay.vni!r} has no 24 bits (RFC 7348)")
    if not _MAC.fullmatch(overlay.mac):
        raise ValueError(f"MAC address {overlay.mac!r} is not that of one interface")
