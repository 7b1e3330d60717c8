"""Who is called how in a replay: --map and --mac read, and addresses that may not be sent refused. Pure.

An address leaves only if it lies in the lab's own nets or was mapped by name; nothing else does, whatever is recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lab.errors import ScenarioError
from lab.stages.link import ALLOWED

#: Never routed, so of no place: groups, link-local, broadcast, "this host" (RFC 1122, 3927, 4291).
PLACELESS = tuple(
    ip_network(net)
    for net in ("0.0.0.0/32", "255.255.255.255/32", "224.0.0.0/4", "169.254.0.0/16", "::/128", "fe80::/10", "ff00::/8")
)
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
GATEWAY = "gateway"
_SHOWN = 5

Address = IPv4Address | IPv6Address
Net = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Mapped:
    """What every address of a capture becomes; ``rules`` are nets and what they become, the narrowest first."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    rules: tuple[tuple[Net, Net], ...] = ()

    @property
    def changed(self) -> dict[str, str]:
        """Old to new, of those that change."""
        return {old: new for old, new in zip(self.before, self.after, strict=True) if old != new}

    def says(self) -> dict[bytes, bytes]:
        """Packed addresses that change and what they become."""
        return {ip_address(old).packed: ip_address(new).packed for old, new in self.changed.items()}

    def said(self, packed: bytes) -> bytes:
        """What becomes of an address that only a message names: the same as if somebody had spoken from it."""
        return ip_address(_becomes(ip_address(packed), self.rules)).packed


def mapped(addresses: Sequence[str], wishes: Iterable[str], devices: Mapping[str, Sequence[str]]) -> Mapped:
    """What ``--map`` makes of the addresses; ``devices`` are names of phones and their addresses.

    A wish is WHO=ADDRESS, WHO being a device, an address of the capture, or a net with a net of its size. Raises
    ScenarioError with every wish that cannot be, every address outside the lab that no wish names, and two that
    become one.
    """
    faults: list[str] = []
    rules = _rules(list(wishes), addresses, devices, faults)
    after = tuple(_becomes(ip_address(old), rules) for old in addresses)
    faults += _strangers(addresses, rules)
    seen: dict[str, str] = {}
    for old, new in zip(addresses, after, strict=True):
        if new in seen:
            faults.append(f"--map: {seen[new]} and {old} would both be {new}, expected two addresses")
        seen[new] = old
    if faults:
        raise ScenarioError(faults)
    return Mapped(tuple(addresses), after, tuple(rules))


def _rules(
    wishes: list[str], addresses: Sequence[str], devices: Mapping[str, Sequence[str]], faults: list[str]
) -> list[tuple[Net, Net]]:
    """Nets and what they become, the narrowest first."""
    rules = []
    for wish in (part for text in wishes for part in text.split(",") if part):
        try:
            rules.append(_rule(wish, addresses, devices))
        except ValueError as fault:
            faults.append(f"--map {wish}: {fault}")
    return sorted(rules, key=lambda rule: -rule[0].prefixlen)


def _rule(wish: str, addresses: Sequence[str], devices: Mapping[str, Sequence[str]]) -> tuple[Net, Net]:
    who, equals, what = wish.partition("=")
    if not equals:
        raise ValueError("expected WHO=ADDRESS, such as phone-01=10.50.0.7 or 198.18.0.0/15=10.60.0.0/15")
    new = ip_network(what)
    old = ip_network(_called(who, new, devices)) if who in devices or "/" not in who else ip_network(who)
    if old.version != new.version or old.prefixlen != new.prefixlen:
        raise ValueError(f"found {old} to {new}, expected one version and one size")
    if new.is_multicast or new.is_loopback or new.is_unspecified:
        raise ValueError(f"found {what}, expected an address of a host")
    if not any(ip_address(known) in old for known in addresses):
        raise ValueError(f"{who} is not in the capture; droidrange replay ... --dry-run shows who is")
    return old, new


def _called(who: str, new: Net, devices: Mapping[str, Sequence[str]]) -> str:
    """The address of that name, of the version of what it is to become."""
    if who not in devices:
        try:
            return str(ip_address(who))
        except ValueError:
            known = f"devices {', '.join(sorted(devices))}" if devices else "an address: a capture names no devices"
            raise ValueError(f"found {who!r}, expected {known}") from None
    fitting = [address for address in devices[who] if ip_address(address).version == new.version]
    if len(fitting) != 1:
        raise ValueError(f"{who} has {len(fitting)} IPv{new.version} addresses: name one ({', '.join(fitting)})")
    return fitting[0]


def _becomes(old: Address, rules: Sequence[tuple[Net, Net]]) -> str:
    for net, new in rules:
        if _lies(old, net):
            return str(new[int(old) - int(net.network_address)])
    return str(old)


def _strangers(addresses: Sequence[str], rules: list[tuple[Net, Net]]) -> list[str]:
    """The refusal of addresses that are neither the lab's nor mapped; empty if all are."""
    fit = (*ALLOWED, *PLACELESS, *(net for net, _ in rules))
    found = [one for one in addresses if not any(_lies(ip_address(one), net) for net in fit)]
    if not found:
        return []
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    lab = ", ".join(map(str, ALLOWED))
    advice = f"say what they become, such as --map {found[0]}=198.18.200.1 or --map NET/N=NET/N"
    return [f"found {', '.join(found[:_SHOWN])}{more}, expected addresses of the lab ({lab}): {advice}"]


def _lies(address: Address, net: Net) -> bool:
    return address.version == net.version and address in net


def macs_of(wishes: Iterable[str], known: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Old to new hardware addresses, as ``--mac WHO=MAC`` asks.

    ``known`` maps devices, addresses and "gateway" to the hardware addresses their frames came from; WHO may be one
    of those or a hardware address. Raises ScenarioError with every wish that cannot be.
    """
    faults, table = [], {}
    for wish in (part for text in wishes for part in text.split(",") if part):
        who, _, new = wish.lower().rpartition("=")
        if not MAC.fullmatch(new) or int(new[:2], 16) & 1:
            faults.append(f"--mac {wish}: expected WHO=MAC with the MAC of one host, such as gateway=02:00:00:00:00:01")
        elif MAC.fullmatch(who):
            table[who] = new
        elif who in known:
            table |= dict.fromkeys(known[who], new)
        else:
            faults.append(
                f"--mac {wish}: found {who!r}, expected a device, address or MAC of the capture, or {GATEWAY}"
            )
    if faults:
        raise ScenarioError(faults)
    return table
