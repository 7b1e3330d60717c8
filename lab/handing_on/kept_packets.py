"""The packets of some flows, copied from a recording's capture as they are: classic pcap of Ethernet frames.

File and record headers as in draft-ietf-opsawg-pcap; frames as in IEEE 802.3, RFC 791, RFC 8200 (from memory).
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO

from lab.errors import EvidenceError

#: Both ends (address, port) in order, and the protocol's number: the same for both directions.
Key = tuple[tuple[bytes, int], tuple[bytes, int], int]
_MAGIC = b"\xd4\xc3\xb2\xa1"  # little-endian, microseconds
_ETHERNET = 1
_HEAD, _RECORD, _FRAME = 24, 16, 14
_PORTED = (6, 17)


def flow_key(client: str, client_port: int | None, server: str, server_port: int | None, number: int) -> Key:
    """The key of a flow's packets."""
    ports = (client_port or 0, server_port or 0) if number in _PORTED else (0, 0)
    return _key((ip_address(client).packed, ports[0]), (ip_address(server).packed, ports[1]), number)


def keep(capture: Path, keys: Collection[Key], span: tuple[int, int], file: BinaryIO) -> int:
    """Copies the packets of these flows and times (microseconds, both ends included); how many they are.

    A fragment without ports is of no flow. EvidenceError for another kind of capture.
    """
    wanted, kept = frozenset(keys), 0
    with capture.open("rb") as packets:
        head = packets.read(_HEAD)
        if head[:4] != _MAGIC or struct.unpack_from("<I", head, 20)[0] != _ETHERNET:
            raise EvidenceError(f"{capture}: found {head[:4].hex()}, expected a little-endian pcap of Ethernet frames")
        file.write(head)
        while record := packets.read(_RECORD):
            seconds, micros, size, _ = struct.unpack("<IIII", record)
            frame = packets.read(size)
            if span[0] <= seconds * 1_000_000 + micros <= span[1] and key_of(frame) in wanted:
                file.write(record + frame)
                kept += 1
    return kept


def key_of(frame: bytes) -> Key | None:
    """The key of the flow that an Ethernet frame is of; None for one that is no IP packet, or cut short."""
    kind, packet = frame[12:_FRAME], frame[_FRAME:]
    if kind == b"\x08\x00" and len(packet) >= 20:
        number, ends, at = packet[9], (packet[12:16], packet[16:20]), (packet[0] & 15) * 4
        first = not packet[6] & 0x1F and not packet[7]
    elif kind == b"\x86\xdd" and len(packet) >= 40:
        number, ends, at, first = packet[6], (packet[8:24], packet[24:40]), 40, True
    else:
        return None
    ports = (0, 0)
    if number in _PORTED:
        if not first or len(packet) < at + 4:
            return None
        ports = struct.unpack_from(">HH", packet, at)
    return _key((ends[0], ports[0]), (ends[1], ports[1]), number)


def _key(one: tuple[bytes, int], other: tuple[bytes, int], number: int) -> Key:
    return (one, other, number) if one <= other else (other, one, number)
