"""A lab that is up: its containers, its handsets, and where to reach them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from lab.stages.live.engine import Engine, Session
from lab.stages.live.gateway.gateway import AUTHORITY
from lab.stages.live.wiring import handset_name, place


@dataclass(frozen=True)
class Handset:
    """A phone of the lab: its container, and where its adbd listens."""

    index: int
    container: Any
    underlay: str

    @property
    def hosts(self) -> str:
        """The file of the lab's folder that the phone reads as /etc/hosts."""
        return f"{handset_name(self.index)}.hosts"


@dataclass(frozen=True)
class LiveLab:
    """A lab that is up. Addresses are those of the underlay."""

    engine: Engine
    session: Session
    subnet: IPv4Network
    containers: dict[str, Any]  # gateway, servers, strangers
    handsets: tuple[Handset, ...]

    def at(self, role: str, index: int = 0) -> str:
        """The underlay address of a role."""
        return place(self.subnet, role, index)

    @property
    def host(self) -> str:
        """This machine's address on the underlay."""
        return str(self.subnet[1])

    def folder(self, name: str) -> Path:
        """``rec``, ``plan`` or ``pki`` of the lab's own folder."""
        return self.session.folder / name

    def trusted(self) -> str:
        """The PEM of the authority that mitmproxy signs with, without its key."""
        pem = (self.folder("pki") / AUTHORITY).read_text(encoding="ascii")
        return pem[pem.index("-----BEGIN CERTIFICATE-----") :]
