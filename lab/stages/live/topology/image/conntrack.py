"""Conntrack entries of UDP: asked for by their addresses, for the bytes both ways, and deleted.

Formats: linux/netfilter/nfnetlink_conntrack.h. Byte counters need net.netfilter.nf_conntrack_acct=1.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from lab.stages.live.topology.image.logged import End
from lab.stages.live.topology.image.netlink import NLM_F_ACK, NLM_F_REQUEST, attribute, attributes, pack

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK
DESTROYED = _DELETE  # the notification has the same number
DESTROY_GROUP = 3  # NFNLGRP_CONNTRACK_DESTROY
_TUPLE_ORIGINAL, _COUNTERS_ORIGINAL, _COUNTERS_REPLY = 1, 9, 10  # CTA_*
_UDP = 17
_HEADERS = 28  # IPv4 without options and UDP
_FAMILY = struct.pack("=BBH", socket.AF_INET, 0, 0)


@dataclass(frozen=True)
class Entry:
    """A UDP flow: who spoke first, and the payload bytes each way; None where the kernel does not count."""

    source: End
    target: End
    sent: int | None
    answered: int | None


def get_request(source: End, target: End) -> bytes:
    """The request for the entry whose first packet went from source to target."""
    return pack(_GET, NLM_F_REQUEST | NLM_F_ACK, _FAMILY + _tuple(source, target))


def delete_request(source: End, target: End) -> bytes:
    """The request that forgets it, so that the next packet between the two is a new connection."""
    return pack(_DELETE, NLM_F_REQUEST | NLM_F_ACK, _FAMILY + _tuple(source, target))


def parse_entry(body: bytes) -> Entry | None:
    """A UDP entry; None for anything else."""
    found = attributes(body[len(_FAMILY) :])
    ends = attributes(found.get(_TUPLE_ORIGINAL, b""))
    addresses, ports = attributes(ends.get(1, b"")), attributes(ends.get(2, b""))
    if ports.get(1) != bytes([_UDP]) or not all(len(addresses.get(key, b"")) == 4 for key in (1, 2)):
        return None
    source = (socket.inet_ntoa(addresses[1]), int.from_bytes(ports.get(2, b"")))
    target = (socket.inet_ntoa(addresses[2]), int.from_bytes(ports.get(3, b"")))
    return Entry(source, target, _payload(found.get(_COUNTERS_ORIGINAL)), _payload(found.get(_COUNTERS_REPLY)))


def _tuple(source: End, target: End) -> bytes:
    addresses = attribute(1, socket.inet_aton(source[0])) + attribute(2, socket.inet_aton(target[0]))
    ports = attribute(1, bytes([_UDP])) + attribute(2, struct.pack(">H", source[1]))
    ports += attribute(3, struct.pack(">H", target[1]))
    nested = 0x8000  # NLA_F_NESTED
    inner = attribute(1 | nested, addresses) + attribute(2 | nested, ports)
    return attribute(_TUPLE_ORIGINAL | nested, inner)


def _payload(counters: bytes | None) -> int | None:
    found = attributes(counters or b"")
    if len(found.get(1, b"")) != 8 or len(found.get(2, b"")) != 8:
        return None
    return max(0, int.from_bytes(found[2]) - _HEADERS * int.from_bytes(found[1]))
