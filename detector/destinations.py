"""Names and addresses as destinations: registrable domains, and addresses that are nobody's server."""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

#: A host before its port: of IPv6 within brackets, else without a colon of its own.
_PORT: Final = re.compile(r"^(?:\[(.+)\]|([^:\[\]]+)):[0-9]+$")
#: RFC 1918, RFC 4193, RFC 6598, RFC 3927, RFC 4291. Not Python's is_private, which holds test networks for private.
LOCAL: Final = tuple(
    ipaddress.ip_network(block)
    for block in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@cache
def registrable(name: str) -> str:
    """The registrable domain of a name by the bundled public suffix list; names without one stay as they are.

    The list's private section counts: tenants of one host are apart, as attackers rent there, too.

    >>> registrable("a.b.example"), registrable("www.x.co.uk"), registrable("localhost"), registrable("a.b.github.io")
    ('b.example', 'x.co.uk', 'localhost', 'b.github.io')

    A port, as a Host header has it (RFC 9110 section 7.2), says nothing of whose a destination is.

    >>> registrable("192.0.2.1:8080"), registrable("[2001:db8::1]:443"), registrable("2001:db8::1")
    ('192.0.2.1', '2001:db8::1', '2001:db8::1')
    """
    name = _PORT.sub(r"\1\2", name.rstrip(".").lower())
    if is_address(name):
        return name
    return str(_suffixes().privatesuffix(name) or name)


@cache
def host_of(name: str) -> str:
    """The name as one host's: in lower case, without port and final dot.

    >>> host_of("API.b.example.:8080"), host_of("198.18.0.5")
    ('api.b.example', '198.18.0.5')
    """
    return _PORT.sub(r"\1\2", name.lower()).rstrip(".")


@cache
def label_of(name: str) -> str:
    """The label that makes a registrable domain somebody's: ``testing`` of www.testing.com; empty for an address.

    >>> label_of("www.testing.com"), label_of("192.0.2.1")
    ('testing', '')
    """
    return "" if is_address(name) else registrable(name).split(".", 1)[0]


@cache
def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a text; None for a name. Parsing is what costs, so most names are told by their last letter."""
    if ":" not in text and not text[-1:].isdigit():
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address.

    >>> is_address("::1"), is_address("a.example")
    (True, False)
    """
    return _parsed(text) is not None


@cache
def is_group(address: str) -> bool:
    """Whether the address is broadcast, multicast, unspecified or, by its last octet 255, a subnet's broadcast.

    >>> is_group("192.168.1.255"), is_group("ff02::fb"), is_group("198.18.0.5")
    (True, True, False)
    """
    known = _parsed(address)
    if known is None:
        return False
    return known.is_multicast or known.is_unspecified or (known.version == 4 and address.endswith(".255"))


@cache
def is_loopback(address: str) -> bool:
    """Whether the address never leaves its host.

    >>> is_loopback("127.0.0.1"), is_loopback("10.0.0.1")
    (True, False)
    """
    known = _parsed(address)
    return known is not None and known.is_loopback


@cache
def is_local(address: str) -> bool:
    """Whether the address belongs to a private, shared, unique local or link-local network.

    >>> is_local("192.168.0.4"), is_local("198.18.0.1")
    (True, False)
    """
    known = _parsed(address)
    return known is not None and any(known in block for block in LOCAL if block.version == known.version)
