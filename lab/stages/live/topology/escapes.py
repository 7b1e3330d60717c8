"""What is tried to get out of a lab, and when that counts as having got out. Pure: addresses in, attempts out.

A proxy of the lab may accept a connection to anywhere: for such targets only an answer of the target counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Any

from lab.stages.live.topology.addresses import CONTROL_PORT, GATEWAY_INET, GATEWAY_LAB, SERVERS_INET
from lab.stages.live.topology.image.rules import ADB_PORT, ENGINE_DNS

OUTSIDE = "198.51.100.7"  # RFC 5737: documentation, routed nowhere
OUTSIDE_RESOLVER = "198.51.100.53"
OUTSIDE_IPV6 = "2001:db8::7"  # RFC 3849
METADATA = "169.254.169.254"  # where clouds answer their machines (RFC 3927 link-local)
PROXY_PORT, PROXY_DNS_PORT = 8888, 5300
CANARY_PORT = 9999


@dataclass(frozen=True)
class Escape:
    """One attempt. ``counts``: ``connect`` (being connected is enough), ``token`` (its answer), ``answer`` (of DNS)."""

    what: str
    how: str
    host: str
    port: int
    counts: str
    say: str = ""

    @property
    def target(self) -> str:
        """Where it goes, as text."""
        if self.how in {"raw", "packet"}:
            return f"a {self.how} socket"
        return f"{self.host}:{self.port}/{self.how}" if self.port else self.host


@dataclass(frozen=True)
class Member:
    """A container of the lab: its role, underlay address and MAC, and the uid its attempts are made under."""

    name: str
    role: str
    address: str
    mac: str
    uid: int


def escapes(
    member: Member, lab: Iterable[Member], hosts: Iterable[tuple[str, int, str]], question: str
) -> list[Escape]:
    """What is tried from one container over the network.

    ``hosts``: (address, port, what) of the machine's own listeners and the canary's; ``question``: a DNS question of
    ``dns_question``, for a name that exists nowhere.
    """
    web = "token" if member.role == "handset" else "connect"  # a phone's is accepted by the gateway, for nobody
    tried = [
        Escape("outside address", "tcp", OUTSIDE, 9999, "connect"),
        Escape("outside address, web", "tcp", OUTSIDE, 443, web, "GET / HTTP/1.0\r\n\r\n"),
        Escape("outside address, datagram", "udp", OUTSIDE, 9999, "token", "x"),
        Escape("IPv6", "tcp", OUTSIDE_IPV6, 443, "connect"),
        Escape("outside resolver", "udp", OUTSIDE_RESOLVER, 53, "answer", question),
        Escape("engine's resolver", "udp", ENGINE_DNS, 53, "answer", question),
        Escape(
            "metadata service",
            "tcp",
            METADATA,
            80,
            "connect" if web == "connect" else "token",
            "GET / HTTP/1.0\r\n\r\n",
        ),
        Escape("broadcast", "udp", "255.255.255.255", CANARY_PORT, "token", "x"),
        Escape("broadcast on the underlay", "udp", _broadcast(member.address), CANARY_PORT, "token", "x"),
        *(Escape(what, how, host, port, "token", "x") for host, port, what in hosts for how in ("tcp", "udp")),
    ]
    if member.role == "handset":
        tried.append(Escape("lab's resolver, outside name", "udp", GATEWAY_LAB, 53, "answer", question))
    return tried + _doors(member, lab)


def _doors(member: Member, lab: Iterable[Member]) -> list[Escape]:
    """What is meant for the host or the gateway itself, tried by somebody else."""
    found = []
    for other in lab:
        if other == member:
            continue
        port = ADB_PORT if other.role == "handset" else CONTROL_PORT
        found.append(Escape(f"{other.name}'s own port", "tcp", other.address, port, "connect"))
    if member.role != "gateway":
        own = GATEWAY_LAB if member.role == "handset" else GATEWAY_INET
        found += [
            Escape("gateway's proxy, directly", "tcp", own, port, "connect") for port in (PROXY_PORT, PROXY_DNS_PORT)
        ]
        found.append(Escape("gateway's control", "tcp", own, CONTROL_PORT, "connect"))
    if member.role in {"handset", "strangers"}:
        found.append(Escape("servers' control", "tcp", SERVERS_INET, CONTROL_PORT, "connect"))
    return found


def privileges(canary: str) -> list[Escape]:
    """What needs a right that no container has under the uid of its work."""
    return [
        Escape("raw socket", "raw", "", 0, "connect"),
        Escape("packet socket", "packet", "", 0, "connect"),
        Escape("another gateway", "route", canary, 0, "connect"),
    ]


def got_out(escape: Escape, result: Mapping[str, Any], token: str) -> bool:
    """Whether what came back means that the target was reached."""
    if escape.counts == "connect":
        return bool(result["connected"])
    if escape.counts == "token":
        return token in result["said"]
    return answers(str(result["said"]).encode("latin-1")) > 0


def _broadcast(address: str) -> str:
    return str(IPv4Interface(f"{address}/24").network.broadcast_address)


def dns_question(name: str) -> str:
    """A DNS question for the address of a name, as latin-1 text (RFC 1035 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return (b"\x12\x34\x01\x00\x00\x01" + bytes(6) + labels + b"\x00\x00\x01\x00\x01").decode("latin-1")


def answers(message: bytes) -> int:
    """How many answers a DNS message has; 0 for a refusal, an error or no message."""
    if len(message) < 12 or message[3] & 15:
        return 0
    return int.from_bytes(message[6:8])
