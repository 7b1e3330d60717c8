"""The addresses of a live lab, and each container's network made of them.

The underlay (10.77.N.0/24, one per lab) is the engine's choice; everything else is fixed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lab.stages.live.topology.image.rules import ADB_PORT
from lab.stages.live.topology.image.spec import Overlay, Route, Spec

DEVICES_NET = "10.88.0.0/16"
INTERNET_NET = "198.18.0.0/15"  # RFC 2544: benchmarking, routed nowhere
GATEWAY_LAB = "10.88.0.1"
GATEWAY_INET, SERVERS_INET, STRANGERS_INET = "100.64.77.1", "100.64.77.2", "100.64.77.3"  # RFC 6598, link only
LAB_VNI, INET_VNI = 88, 18
CONTROL_PORT = 9000
#: what only the engine may set, since /proc/sys is read-only in a container; by role, for ``sysctls=``
SYSCTLS: Mapping[str, Mapping[str, str]] = {
    "gateway": {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.send_redirects": "0"},
    "handset": {"net.netfilter.nf_conntrack_acct": "1", "net.ipv4.conf.all.accept_redirects": "0"},
    "servers": {"net.ipv4.ip_unprivileged_port_start": "0"},
    "strangers": {"net.ipv4.ip_unprivileged_port_start": "0"},
}
_NO_IPV6 = {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"}
_MACS = {GATEWAY_LAB: "02:88:00:00:00:01", GATEWAY_INET: "02:18:00:00:00:01"}
_MACS |= {SERVERS_INET: "02:18:00:00:00:02", STRANGERS_INET: "02:18:00:00:00:03"}


def sysctls(role: str) -> dict[str, str]:
    """Kernel settings of a role's own network namespace, for ``sysctls=`` of the engine."""
    redirects = {"net.ipv4.conf.default.send_redirects": "0"}
    return {**_NO_IPV6, **redirects, **SYSCTLS[role]}


def gateway(
    *,
    underlay: str,
    host: str,
    handsets: Iterable[str],
    servers: str,
    strangers: str,
    mac: str = _MACS[GATEWAY_LAB],
    neighbours: Iterable[str] = (),
    incoming: Iterable[str] = (),
) -> Spec:
    """The gateway. ``handsets``, ``servers``, ``strangers``: underlay addresses; ``mac``: of its lab0.

    ``neighbours`` are LAN addresses that are only servers, ``incoming`` the strangers' addresses that call phones.
    """
    lab = Overlay("lab0", LAB_VNI, mac, f"{GATEWAY_LAB}/16", tuple(handsets))
    inet = Overlay("inet0", INET_VNI, _MACS[GATEWAY_INET], f"{GATEWAY_INET}/24", (servers, strangers))
    routes = [(INTERNET_NET, SERVERS_INET), *((f"{one}/32", SERVERS_INET) for one in sorted(neighbours))]
    routes += [(f"{one}/32", STRANGERS_INET) for one in sorted(incoming)]
    made = tuple(Route(prefix, via, "inet0") for prefix, via in routes)
    return Spec("gateway", underlay, host, CONTROL_PORT, (lab, inet), routes=made)


def servers(*, underlay: str, host: str, gateway_underlay: str, neighbours: Iterable[str] = ()) -> Spec:
    """The servers: the whole of INTERNET_NET and the LAN neighbours are their own addresses."""
    local = (INTERNET_NET, *(f"{one}/32" for one in sorted(neighbours)))
    return _answering("servers", SERVERS_INET, underlay=underlay, host=host, peer=gateway_underlay, local=local)


def strangers(*, underlay: str, host: str, gateway_underlay: str, incoming: Iterable[str] = ()) -> Spec:
    """The strangers: hosts of the internet that connect into phones, one address each."""
    local = tuple(f"{one}/32" for one in sorted(incoming))
    return _answering("strangers", STRANGERS_INET, underlay=underlay, host=host, peer=gateway_underlay, local=local)


def _answering(role: str, address: str, *, underlay: str, host: str, peer: str, local: tuple[str, ...]) -> Spec:
    inet = Overlay("inet0", INET_VNI, _MACS[address], f"{address}/24", (peer,))
    routes = [Route(DEVICES_NET, GATEWAY_INET, "inet0")]
    routes += [Route(INTERNET_NET, GATEWAY_INET, "inet0")] if role == "strangers" else []
    return Spec(role, underlay, host, CONTROL_PORT, (inet,), local, tuple(routes))


def handset(*, underlay: str, host: str, gateway_underlay: str, address: str, mac: str) -> Spec:
    """A phone: one address, and everything else, LAN neighbours too, behind the gateway."""
    lab = Overlay("lab0", LAB_VNI, mac, f"{address}/32", (gateway_underlay,))
    routes = (Route("0.0.0.0/0", GATEWAY_LAB, "lab0"),)
    return Spec("handset", underlay, host, ADB_PORT, (lab,), routes=routes)
