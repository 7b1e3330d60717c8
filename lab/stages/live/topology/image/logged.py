"""Packets that the rules logged (NFLOG), parsed: which connection, whose, and where its bytes begin and end.

Formats: linux/netfilter/nfnetlink_log.h, IPv4 RFC 791, TCP RFC 9293, UDP RFC 768.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from lab.stages.live.topology.image.netlink import NLM_F_ACK, NLM_F_REQUEST, attribute, attributes, pack

SUBSYSTEM = 4 << 8  # NFNL_SUBSYS_ULOG
PACKET = SUBSYSTEM | 0
_CONFIG = SUBSYSTEM | 1
_CMD, _MODE, _BUFFER, _THRESHOLD, _FLAGS = 1, 2, 3, 5, 6  # NFULA_CFG_*
_BIND, _COPY_PACKET, _SEQUENCED = 1, 2, 1
_PAYLOAD, _PREFIX, _UID, _SEQ = 9, 10, 11, 12  # NFULA_*
_BUFFER_BYTES = 512  # a logged packet is cut at 128
_FAMILY = struct.Struct("=BBH")  # nfgenmsg: family, version, resource (big endian)
FIN, SYN = 0x01, 0x02
_PROTOCOLS = {6: "tcp", 17: "udp"}

End = tuple[str, int]


@dataclass(frozen=True)
class Logged:
    """A logged packet: ``inward`` came from the overlay. ``payload`` is its L4 payload in bytes."""

    inward: bool
    uid: int | None
    sequence: int | None
    proto: str
    source: End
    target: End
    flags: int = 0
    tcp_sequence: int = 0
    payload: int = 0


def bind(group: int) -> list[bytes]:
    """The requests that make the kernel send a group's packets here, each at once and numbered."""
    head = _FAMILY.pack(socket.AF_UNSPEC, 0, socket.htons(group))
    settings = [
        attribute(_CMD, bytes([_BIND])),
        attribute(_MODE, struct.pack(">IBx", 0xFFFF, _COPY_PACKET)),
        attribute(_BUFFER, struct.pack(">I", _BUFFER_BYTES)),
        attribute(_THRESHOLD, struct.pack(">I", 1)),
        attribute(_FLAGS, struct.pack(">H", _SEQUENCED)),
    ]
    return [
        pack(_CONFIG, NLM_F_REQUEST | NLM_F_ACK, head + one, number) for number, one in enumerate(settings, start=1)
    ]


def parse(body: bytes) -> Logged | None:
    """What a packet message says; None for what is no TCP or UDP over IPv4, or is cut before its ports."""
    found = attributes(body[_FAMILY.size :])
    packet = found.get(_PAYLOAD, b"")
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    header, proto = (packet[0] & 15) * 4, _PROTOCOLS.get(packet[9])
    fragment = struct.unpack_from(">H", packet, 6)[0] & 0x1FFF
    if proto is None or header < 20 or fragment or len(packet) < header + (20 if proto == "tcp" else 8):
        return None
    ports = struct.unpack_from(">HH", packet, header)
    whole = struct.unpack_from(">H", packet, 2)[0] - header
    transport = (packet[header + 12] >> 4) * 4 if proto == "tcp" else 8
    return Logged(
        inward=found.get(_PREFIX, b"").startswith(b"in"),
        uid=_number(found.get(_UID)),
        sequence=_number(found.get(_SEQ)),
        proto=proto,
        source=(socket.inet_ntoa(packet[12:16]), ports[0]),
        target=(socket.inet_ntoa(packet[16:20]), ports[1]),
        flags=packet[header + 13] if proto == "tcp" else 0,
        tcp_sequence=struct.unpack_from(">I", packet, header + 4)[0] if proto == "tcp" else 0,
        payload=max(0, whole - transport),
    )


def _number(value: bytes | None) -> int | None:
    return int.from_bytes(value) if value is not None and len(value) == 4 else None
