"""Where an injected recording lives in somebody's capture: which address and port stands for which of its own.

Rule: no address that the capture has is given away, but those it was asked for (``--as-device``) and its resolver's;
on such an address no port is taken that the capture uses there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_network

from lab.errors import EvidenceError
from lab.injecting.census import Census
from lab.stages.link import ALLOWED, GROUPS, LAN, RESOLVER

EPHEMERAL = range(32_768, 61_000)  # Linux ip_local_port_range
HOSTS, HOSTS_SIX = (net for net in ALLOWED if net != LAN)
NEIGHBOURS = 24  # bits of the network in which neighbours of the capture's hosts live


@dataclass(frozen=True)
class Places:
    """``addresses`` maps old to new as text, ``ports`` (old device address, old port) to a new port.

    Whatever is in neither keeps what it has. ``model`` is the capture's host whose manner is borrowed; ``shared`` are
    the new addresses that the capture's own packets have, too.
    """

    model: str
    addresses: Mapping[str, str]
    ports: Mapping[tuple[str, int], int] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()

    def address(self, old: str | None) -> str | None:
        """The new address; what is no address of the recording stays."""
        return self.addresses.get(old, old) if old is not None else None

    def port(self, address: str | None, old: int | None) -> int | None:
        """The new port at an old address."""
        return self.ports.get((address, old), old) if address is not None and old is not None else old

    @property
    def hosts(self) -> dict[str, str]:
        """The internet's addresses that had to be changed: what DNS answers say of them changes, too."""
        return {old: new for old, new in self.addresses.items() if old != new and _of_hosts(old)}


def placed(
    devices: Mapping[str, str], others: Iterable[str], census: Census, asked: Mapping[str, str], model: str
) -> Places:
    """Places for ``devices`` (address -> name) and for the ``others`` that they speak with.

    ``asked``: name -> address, as the user wants it for the first address of that name. EvidenceError where a network
    has no free address.
    """
    taken = census.addresses()
    found: dict[str, str] = {}
    wanted = dict(asked)
    reserved = set(asked.values())
    near = _free(_around(model), taken | reserved)
    for address, name in devices.items():
        if name in wanted and ip_address(wanted[name]).version == ip_address(address).version:
            found[address] = wanted.pop(name)
        elif ip_address(address).version == 4:
            found[address] = _next(near, _around(model))
    resolver = census.resolver(model)
    for address in sorted(set(others) - set(found), key=lambda text: (ip_address(text).version, ip_address(text))):
        if address in GROUPS or ip_address(address).is_multicast:
            continue
        if address == RESOLVER and resolver and ip_address(resolver).version == 4:
            found[address] = resolver
        elif _near(address):
            found[address] = _next(near, _around(model))
        elif address in taken:
            found[address] = _elsewhere(address, taken | set(found.values()))
    return Places(model, found, shared=frozenset(set(found.values()) & taken - {resolver or ""}))


def moved_ports(places: Places, used: Mapping[str, set[int]], census: Census) -> dict[tuple[str, int], int]:
    """New ports for those of ``used`` (old device address -> client ports) that the capture uses there as well.

    EvidenceError if the ephemeral ports of an address do not suffice.
    """
    found: dict[tuple[str, int], int] = {}
    for address, ports in used.items():
        new = places.addresses.get(address, address)
        if new not in places.shared:
            continue
        busy = census.ports(new)
        free = (port for port in EPHEMERAL if port not in busy and port not in ports)
        for port in sorted(ports & busy):
            chosen = next(free, None)
            if chosen is None:
                raise EvidenceError(
                    f"{new}: found no ephemeral port free for the recording; choose another --as-device"
                )
            found[address, port] = chosen
    return found


def _of_hosts(address: str) -> bool:
    one = ip_address(address)
    return any(one in net for net in (HOSTS, HOSTS_SIX) if net.version == one.version)


def _near(address: str) -> bool:
    one = ip_address(address)
    return one.version == 4 and one in LAN


def _around(model: str) -> IPv4Network:
    one = ip_address(model)
    if isinstance(one, IPv6Address):
        return IPv4Network("192.168.1.0/24")  # a capture of IPv6 alone shows no network of the other kind
    return IPv4Network((int(one) >> (32 - NEIGHBOURS) << (32 - NEIGHBOURS), NEIGHBOURS))


def _free(network: IPv4Network, taken: set[str]) -> Iterator[str]:
    """Free addresses: of the network from its middle on, as DHCP servers give them, then of those beside it."""
    size = network.num_addresses
    for step in range(256):
        net = IPv4Network((int(network.network_address) ^ (step << (32 - NEIGHBOURS)), NEIGHBOURS))
        hosts = [str(net[(size // 2 + k) % size]) for k in range(size) if (size // 2 + k) % size not in (0, 1, 255)]
        yield from (host for host in hosts if host not in taken)


def _next(free: Iterator[str], network: IPv4Network) -> str:
    found = next(free, None)
    if found is None:
        raise EvidenceError(f"{network}: found no free address for the recording; narrow the capture or the recording")
    return found


def _elsewhere(address: str, taken: set[str]) -> str:
    """A free address of the same kind: of the lab's internet, since names and addresses there are nobody's."""
    net = HOSTS if ip_address(address).version == 4 else ip_network(HOSTS_SIX)
    begin, size = int(ip_address(address)) - int(net.network_address), net.num_addresses
    for step in range(1, 1 << 16):
        new = str(net[(begin + 257 * step) % size])
        if new not in taken:
            return new
    raise EvidenceError(f"{address}: found in the capture, and no address of {net} is free for it")
