"""Where every role of a lab lives on the underlay, and the network specification it gets from that."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from lab.stages.live.topology import addresses
from lab.stages.live.topology.image.spec import Spec

MOST_HANDSETS = 200  # of a /24 underlay
_HOSTS = {"gateway": 2, "servers": 3, "strangers": 4, "handset": 10}  # last octet on the underlay; handsets count up


def place(subnet: IPv4Network, role: str, index: int = 0) -> str:
    """Where a role lives on the underlay."""
    return str(subnet[_HOSTS[role] + index])


def resting(index: int) -> tuple[str, str]:
    """The address and MAC of a handset that plays nothing."""
    return f"10.88.254.{index + 1}", f"02:88:00:00:fe:{index + 1:02x}"


def handset_name(index: int) -> str:
    """The name of a handset's container within its lab."""
    return f"handset-{index + 1:02d}"


def gateway_spec(
    subnet: IPv4Network, devices: int, *, neighbours: Iterable[str] = (), incoming: Iterable[str] = ()
) -> Spec:
    """The gateway's network."""
    return addresses.gateway(
        underlay=place(subnet, "gateway"),
        host=str(subnet[1]),
        handsets=[place(subnet, "handset", index) for index in range(devices)],
        servers=place(subnet, "servers"),
        strangers=place(subnet, "strangers"),
        neighbours=neighbours,
        incoming=incoming,
    )


def answering_spec(
    subnet: IPv4Network, role: str, *, neighbours: Iterable[str] = (), incoming: Iterable[str] = ()
) -> Spec:
    """The network of the servers or the strangers."""
    own = {
        "underlay": place(subnet, role),
        "host": str(subnet[1]),
        "gateway_underlay": place(subnet, "gateway"),
    }
    if role == "servers":
        return addresses.servers(**own, neighbours=neighbours)
    return addresses.strangers(**own, incoming=incoming)


def handset_spec(subnet: IPv4Network, index: int, address: str, mac: str) -> Spec:
    """A handset's network under that address."""
    return addresses.handset(
        underlay=place(subnet, "handset", index),
        host=str(subnet[1]),
        gateway_underlay=place(subnet, "gateway"),
        address=address,
        mac=mac,
    )
