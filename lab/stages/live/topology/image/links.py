"""The ip and bridge commands that turn a namespace as it is into one as specified. Pure: states in, lines out.

Idempotent: what is already right is not touched, so that a capture on an interface goes on. What is there and not
specified (addresses, routes, peers of an overlay) goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from lab.stages.live.topology.image.rules import VXLAN_PORT
from lab.stages.live.topology.image.spec import Overlay, Spec

MTU = 1500
_FLOOD = "00:00:00:00:00:00"  # the entry for frames whose receiver is not known (bridge(8), all-zeros MAC)


@dataclass(frozen=True)
class Present:
    """What ``ip -j -d addr``, ``ip -j route show table all`` and ``bridge -j fdb`` say now."""

    links: list[dict[str, Any]]
    routes: list[dict[str, Any]] = field(default_factory=list)
    fdb: list[dict[str, Any]] = field(default_factory=list)

    def underlay_device(self, address: str) -> str:
        """The interface that has this address; LookupError if none has: names swap when a container restarts."""
        for link in self.links:
            if any(one.get("local") == address for one in link["addr_info"]):
                return str(link["ifname"])
        raise LookupError(f"no interface has the address {address}")

    def link(self, name: str) -> dict[str, Any] | None:
        """That interface, if it is there."""
        return next((link for link in self.links if link["ifname"] == name), None)


def ip_commands(spec: Spec, present: Present) -> list[str]:
    """Lines for ``ip -batch``."""
    device = present.underlay_device(spec.underlay)
    lines = [  # first, because a default route of ours would replace it
        f"route del default via {row['gateway']} dev {device}"
        for row in present.routes
        if row["dst"] == "default" and row.get("dev") == device and "gateway" in row
    ]
    lines += [line for overlay in spec.overlays for line in _overlay(overlay, spec.underlay, present)]
    lines += _local(spec, present)
    lines += _routes(spec, present)
    return lines


def readdress_commands(old: Spec, new: Spec) -> list[str]:
    """Lines for ``ip -batch`` that give a running handset another address and MAC; ValueError for any other change."""
    (before,), (after,), (route,) = old.overlays, new.overlays, new.routes
    if (old.role, old.underlay, before.name) != (new.role, new.underlay, after.name) or new.role != "handset":
        raise ValueError(f"{old.underlay}: only a handset gets another address, and stays where it is")
    source = after.address.partition("/")[0]
    lines = [f"link set {after.name} address {after.mac}"]
    lines += [f"addr add {after.address} dev {after.name}"] if after.address != before.address else []
    lines.append(f"route replace {plain(route.prefix)} via {route.via} dev {route.device} onlink src {source}")
    lines += [f"addr del {before.address} dev {after.name}"] if after.address != before.address else []
    return [*lines, f"neigh flush dev {after.name}"]


def fdb_commands(spec: Spec, present: Present) -> list[str]:
    """Lines for ``bridge -batch``: every peer of an overlay gets what is flooded, nobody else does."""
    lines = []
    for overlay in spec.overlays:
        rows = [row for row in present.fdb if row.get("ifname") == overlay.name]
        flooded = {row["dst"] for row in rows if row["mac"] == _FLOOD and "dst" in row}
        lines += [f"fdb append {_FLOOD} dev {overlay.name} dst {peer}" for peer in overlay.peers if peer not in flooded]
        gone = [row for row in rows if "dst" in row and row["dst"] not in overlay.peers]
        lines += [f"fdb del {row['mac']} dev {overlay.name} dst {row['dst']}" for row in gone]
    return lines


def _overlay(overlay: Overlay, underlay: str, present: Present) -> list[str]:
    name, there = overlay.name, present.link(overlay.name)
    lines = []
    made = there.get("linkinfo", {}).get("info_data", {}) if there else {}
    if there and (made.get("id"), made.get("local")) != (overlay.vni, underlay):
        lines.append(f"link del {name}")
        there = None
    if there is None:
        tunnel = f"type vxlan id {overlay.vni} dstport {VXLAN_PORT} local {underlay}"
        lines.append(f"link add {name} address {overlay.mac} mtu {MTU} {tunnel}")
    elif there["address"] != overlay.mac:
        lines.append(f"link set {name} address {overlay.mac}")
    known = {f"{one['local']}/{one['prefixlen']}" for one in there["addr_info"]} if there else set()
    lines += [f"addr add {overlay.address} dev {name}"] if overlay.address not in known else []
    lines.append(f"link set {name} up")
    lines += [f"neigh flush dev {name}"] if there else []  # who has moved is asked for again
    return lines + [f"addr del {address} dev {name}" for address in sorted(known - {overlay.address})]


def _local(spec: Spec, present: Present) -> list[str]:
    known = {
        plain(row["dst"])
        for row in present.routes
        if row.get("type") == "local" and row.get("dev") == "lo" and row.get("protocol") != "kernel"
    }
    wanted = {plain(prefix) for prefix in spec.local}
    lines = [f"route add local {prefix} dev lo table local" for prefix in sorted(wanted - known)]
    return lines + [f"route del local {prefix} dev lo table local" for prefix in sorted(known - wanted)]


def _routes(spec: Spec, present: Present) -> list[str]:
    source = {overlay.name: overlay.address.partition("/")[0] for overlay in spec.overlays}
    lines = [
        f"route replace {plain(route.prefix)} via {route.via} dev {route.device} onlink src {source[route.device]}"
        for route in spec.routes
    ]
    wanted = {(plain(route.prefix), route.device) for route in spec.routes}
    stale = {
        (plain(row["dst"]), row["dev"])
        for row in present.routes
        if row.get("dev") in source and row.get("protocol") != "kernel" and row.get("type", "unicast") == "unicast"
    }
    return lines + [f"route del {prefix} dev {device}" for prefix, device in sorted(stale - wanted)]


def plain(prefix: str) -> str:
    """A prefix as 10.0.0.0/8, also where iproute2 says ``default`` or leaves out /32."""
    return str(IPv4Network("0.0.0.0/0" if prefix == "default" else prefix))
