"""Netlink messages as bytes: headers and attributes, packed and parsed (netlink(7), linux/netlink.h). No socket."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN = 2, 3, 4
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # length with these four bytes, type
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER


@dataclass(frozen=True)
class Message:
    """One netlink message without its header."""

    kind: int
    sequence: int
    body: bytes


def pack(kind: int, flags: int, body: bytes, sequence: int = 0) -> bytes:
    """A message with its header, padded to four bytes."""
    return _padded(_HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body)


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute with its header, padded to four bytes."""
    return _padded(_ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value)


def messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram; a length that does not fit ends it: the kernel cuts at message borders."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _flags, sequence, _port = _HEADER.unpack_from(data, offset)
        if not _HEADER.size <= length <= len(data) - offset:
            return
        yield Message(kind, sequence, data[offset + _HEADER.size : offset + length])
        offset += length + 3 & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """Attribute type -> value, the last of a type; a length that does not fit ends the list."""
    found: dict[int, bytes] = {}
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if not _ATTRIBUTE.size <= length <= len(data) - offset:
            break
        found[kind & _TYPE_MASK] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += length + 3 & ~3
    return found


def error_code(message: Message) -> int:
    """The errno of an NLMSG_ERROR, 0 for an acknowledgement."""
    return -int(struct.unpack_from("=i", message.body)[0]) if len(message.body) >= 4 else 0


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
