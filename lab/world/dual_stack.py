"""Phones and hosts that have IPv6 beside IPv4: their addresses, and a timeline in which IPv6 is preferred.

Happy Eyeballs (RFC 8305) takes IPv6 where a name has an AAAA record, and nothing here is in its way: no fallback is
ever played. Hosts without a name, neighbours and the resolver are reached by IPv4. A phone has one address per network
from a stable identifier (RFC 7217); temporary ones (RFC 8981), router advertisements and neighbour discovery are not
played. On mobile networks each phone has a /64 of its own (3GPP TS 23.401, from memory).

464XLAT (RFC 6877): on a network of IPv6 alone its resolver makes up AAAA records for names that have none (DNS64,
RFC 6147), under the translator's prefix, and what an app sends to an IPv4 address leaves the phone under that prefix
too. Android's kernel shows such an app's socket with IPv4 addresses (192.0.0.4 its own, RFC 7335), which the phone's
agent is taken to have translated: the table of sockets has the addresses that are on the wire.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from ipaddress import IPv6Address, ip_address

from lab.network import Network
from lab.timeline import Attachment, Device, Host, Timeline

TRANSLATOR = "2001:db8:64:ff9b::"  # of NAT64: 64:ff9b::/96 (RFC 6052) within the lab's net
PHONES = "2001:db8:a58:"  # what all addresses of phones begin with, and no host's
_PREFIX = 0x2001_0DB8
_WIFI, _MOBILE = 0x100, 0x8000  # subnets of phones


def has_six(address: str, share: float) -> bool:
    """Whether the host of that IPv4 address has an AAAA record too: drawn from the address, for a share of hosts."""
    return _drawn("aaaa", address) % 10_000 < share * 10_000


def six_of_host(address: str) -> str:
    """The IPv6 address of the host of that IPv4 address; no two have the same."""
    drawn, plain = _drawn("host", address), int(ip_address(address))
    words = (0x1000 | drawn & 0xEFFF, drawn >> 16 & 0xFFFF, 0, 0, plain >> 16 & 0xFFFF, plain & 0xFFFF)
    return _text(words)


def six_of_phone(address: str, network: str = "home") -> str:
    """The IPv6 address of a phone that has this IPv4 address on a network; no two have the same."""
    drawn = _drawn("phone", address)
    subnet = (
        _MOBILE | int(ip_address(address)) & 0x7FFF if network == "mobile" else _WIFI | _drawn("net", network) & 0xFF
    )
    plain = int(ip_address(address)) & 0xFFFF
    words = (0x0A58, subnet, drawn & 0xFDFF, drawn >> 16 & 0xFFFF, drawn >> 32 & 0xFFFF, plain)
    return _text(words)


def six_in(address: str, network: Network) -> str:
    """The IPv6 address by which that network reaches the host of an IPv4 address; empty if it does not."""
    if has_six(address, network.ipv6):
        return six_of_host(address)
    return translated(address) if network.clat else ""


def translated(address: str) -> str:
    """An IPv4 address behind a translator's prefix (RFC 6052 section 2.2)."""
    return str(IPv6Address(int(IPv6Address(TRANSLATOR)) | int(ip_address(address))))


def dual_stacked(timeline: Timeline) -> Timeline:
    """The timeline in which hosts are spoken to by IPv6 as far as its network says so."""
    return replace(
        timeline,
        hosts=tuple(_host(host, timeline.network) for host in timeline.hosts),
        devices=tuple(_device(device) for device in timeline.devices),
    )


def _host(host: Host, network: Network) -> Host:
    if not host.address.startswith("198."):
        return host
    six = six_in(host.address, network) if host.name else network.clat and translated(host.address)
    return replace(host, name=host.name or host.address, address=six) if six else host


def _device(device: Device) -> Device:
    attachments = tuple(_attachment(one) for one in device.attachments)
    return replace(device, six=six_of_phone(device.address), attachments=attachments)


def _attachment(one: Attachment) -> Attachment:
    return replace(one, six=six_of_phone(one.address, one.network))


def _drawn(*key: str) -> int:
    return int.from_bytes(hashlib.sha256("/".join(key).encode()).digest()[:8], "big")


def _text(words: tuple[int, ...]) -> str:
    number = _PREFIX
    for word in words:
        number = number << 16 | word
    return str(IPv6Address(number))
