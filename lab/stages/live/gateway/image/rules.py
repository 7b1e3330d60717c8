"""The gateway's own nftables rules: what is handed to mitmproxy, what is forwarded, nothing else passes.

Pure: addresses in, text out. The namespace's general rules are the topology's; a packet must pass those and these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

TABLE = "ip droidrange_gateway"
RESOLVER = "10.88.0.1"  # what phones ask for names: the gateway's own address
DEVICES_NET, INTERNET_NET = "10.88.0.0/16", "198.18.0.0/15"
WEB_PORTS = (80, 443, 8080, 8443)  # intercepted unless exempt
DNS_PORT = 5300  # where mitmproxy listens; only redirected packets get there
# A phone uses one port towards several servers at once. Redirected to a single port these would be one connection to
# the kernel, which then changes the phone's port: nobody could tell whose it is. So there is a choice of ports.
PROXY_PORTS = range(8888, 8920)
_CHOICE = f"{PROXY_PORTS[0]}-{PROXY_PORTS[-1]}"

#: (address, port)
Place = tuple[str, int]


@dataclass(frozen=True)
class Plan:
    """What to intercept besides WEB_PORTS, what never, and which phones' apps pin: (phone, address, port) let through.

    ``resolver`` is who answers the phones' questions.
    """

    redirect: tuple[Place, ...] = ()
    exempt: tuple[Place, ...] = ()
    pinned: tuple[tuple[str, str, int], ...] = ()
    resolver: Place | None = None
    folder: str = field(default="")

    @classmethod
    def read(cls, row: dict[str, Any]) -> Plan:
        """The plan in a request's fields; ValueError naming what is no address, port or list of them."""
        resolver = row.get("resolver_upstream")
        return cls(
            redirect=tuple(_place("redirect", one) for one in row.get("redirect", ())),
            exempt=tuple(_place("exempt", one) for one in row.get("exempt", ())),
            pinned=tuple(_pin(one) for one in row.get("pinned", ())),
            resolver=None if resolver is None else _place("resolver_upstream", resolver),
            folder=_folder(row.get("folder", "")),
        )


def ruleset() -> str:
    """The table as it is before any plan, one atomic nft script: web and name look-ups intercepted, the rest refused.

    An address is only forwarded between the two sides; where the route of a phone's neighbour leads decides the rest.
    """
    ports = ", ".join(str(port) for port in WEB_PORTS)
    inside = f"ip saddr {DEVICES_NET} ip daddr {{ {DEVICES_NET}, {INTERNET_NET} }}"
    outside = f"ip saddr {{ {DEVICES_NET}, {INTERNET_NET} }} ip daddr {DEVICES_NET}"
    return f"""\
add table {TABLE}
delete table {TABLE}
table {TABLE} {{
  set intercepted {{ type ipv4_addr . inet_service; }}
  set exempted {{ type ipv4_addr . inet_service; }}
  set pinning {{ type ipv4_addr . ipv4_addr . inet_service; }}
  counter refused {{ }}
  chain prerouting {{
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "lab0" accept
    ip daddr {RESOLVER} udp dport 53 redirect to :{DNS_PORT}
    ip daddr {RESOLVER} tcp dport 53 redirect to :{DNS_PORT}
    ip daddr . tcp dport @exempted accept
    ip saddr . ip daddr . tcp dport @pinning accept
    ip daddr . tcp dport @intercepted redirect to :{_CHOICE}
    tcp dport {{ {ports} }} redirect to :{_CHOICE}
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop;
    iifname "lab0" oifname "inet0" {inside} accept
    iifname "inet0" oifname "lab0" {outside} accept
    counter name refused
  }}
}}
"""


def changes(plan: Plan) -> str:
    """The sets as the plan has them, one atomic nft script: no packet sees half of it."""
    rows = {
        "intercepted": [f"{address} . {port}" for address, port in plan.redirect],
        "exempted": [f"{address} . {port}" for address, port in plan.exempt],
        "pinning": [f"{phone} . {address} . {port}" for phone, address, port in plan.pinned],
    }
    lines = [f"flush set {TABLE} {name}" for name in rows]
    lines += [f"add element {TABLE} {name} {{ {_listed(found)} }}" for name, found in rows.items() if found]
    return "\n".join(lines) + "\n"


def _listed(rows: Iterable[str]) -> str:
    return ", ".join(sorted(set(rows)))


def _place(name: str, row: Any) -> Place:
    try:
        address, port = row
        return str(IPv4Address(address)), _port(port)
    except (TypeError, ValueError) as fault:
        raise ValueError(f"{name}: {row!r} is no [IPv4 address, port]") from fault


def _pin(row: Any) -> tuple[str, str, int]:
    try:
        phone, address, port = row
        return str(IPv4Address(phone)), str(IPv4Address(address)), _port(port)
    except (TypeError, ValueError) as fault:
        raise ValueError(f"pinned: {row!r} is no [phone's address, address, port]") from fault


def _port(port: Any) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 1 << 16:
        raise ValueError(port)
    return port


def _folder(name: Any) -> str:
    if not isinstance(name, str) or name.startswith(".") or "/" in name:
        raise ValueError(f"folder: {name!r} is no name of a folder under /plan")
    return name
