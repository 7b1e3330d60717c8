"""Phones and hosts that have IPv6 beside IPv4: their addresses, and a timeline in which IPv6 is preferred.

Happy Eyeballs (RFC 8305) takes IPv6 where a name has an AAAA record, and nothing here is in its way: no fallback is
ever played. Hosts without a name, neighbours and the resolver are reached by IPv4. A phone has one address per network
from a stable identifier (RFC 7217); temporary ones (RFC 8981), router advertisements and neighbour discovery are not
played. On mobile networks each phone has a /64 of its own (3GPP TS 23.401, from memory).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from ipaddress import IPv6Address, ip_address

from lab.timeline import Attachment, Device, Host, Timeline

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


def dual_stacked(timeline: Timeline) -> Timeline:
    """The timeline in which the share of hosts that its network says is spoken to by IPv6."""
    return replace(
        timeline,
        hosts=tuple(_host(host, timeline.network.ipv6) for host in timeline.hosts),
        devices=tuple(_device(device) for device in timeline.devices),
    )


def _host(host: Host, share: float) -> Host:
    named = bool(host.name) and host.address.startswith("198.")
    return replace(host, address=six_of_host(host.address)) if named and has_six(host.address, share) else host


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
