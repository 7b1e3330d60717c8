"""The network layer: IPv4 and IPv6 headers of many packets at once.

Fragments are counted, not guessed: the first fragment has ports and keeps its own payload, later ones have neither
and are left out of flows. Headers that are cut or contradict themselves, and more IPv6 extension headers in a row
than MAX_EXTENSIONS, are counted as short and left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detector.capture.mapped import MappedFile

Offsets = NDArray[np.int64]
Mask = NDArray[np.bool_]

V4_HEADER, V6_HEADER, HEAD = 20, 40, 40
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, OPTIONS, MOBILITY, HIP, SHIM6 = 0, 43, 44, 51, 60, 135, 139, 140
_EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, OPTIONS, MOBILITY, HIP, SHIM6)  # RFC 8200, 7045
#: Extension headers followed in one packet; RFC 8200 section 4.1 knows of seven at most, RFC 8504 5.3 allows a limit.
MAX_EXTENSIONS = 16


@dataclass
class AddressBook:
    """IPv6 addresses by number, in the order they were met; an IPv4 address is its own number."""

    numbers: dict[bytes, int] = field(default_factory=dict)

    def number(self, rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
        """The numbers of addresses given as rows of 16 bytes."""
        known = self.numbers
        packed = np.ascontiguousarray(rows).view("S16").ravel()
        distinct, inverse = np.unique(packed, return_inverse=True)
        codes = [known.setdefault(address.ljust(16, b"\0"), len(known)) for address in distinct.tolist()]
        return np.array(codes, np.uint32)[inverse]

    def places(self, other: AddressBook) -> NDArray[np.uint32]:
        """The number here of each address of the other book, by its number there."""
        known = self.numbers
        return np.array([known.setdefault(address, len(known)) for address in other.numbers], np.uint32)


@dataclass(frozen=True)
class Datagrams:
    """The transport part of each packet. ``size`` is its length on the wire, ``have`` what of it was captured.

    Rows where ``good`` is False hold nothing of use: no IP (``other``), a short header, or a later fragment.
    """

    good: Mask
    other: Mask
    fragment: Mask  # first or later
    v6: Mask
    proto: NDArray[np.uint8]
    src: NDArray[np.uint32]
    dst: NDArray[np.uint32]
    at: Offsets
    size: Offsets
    have: Offsets
    head: NDArray[np.uint8]  # the first 20 bytes at ``at``


def datagrams(file: MappedFile, at: Offsets, have: Offsets, wire: Offsets, book: AddressBook) -> Datagrams:
    """The datagrams of packets whose IP header begins at ``at`` (-1: none), with so many bytes had and on the wire."""
    none = at < 0
    head = file.gather(np.where(none, 0, at) if none.any() else at, HEAD)
    version = head[:, 0] >> 4
    v6 = version == 6
    words = head.view(">u2")
    header = ((head[:, 0] & 15) * 4).astype(np.int64)
    total = words[:, 1].astype(np.int64)
    bound = np.where(total == 0, wire, np.minimum(total, wire))  # 0: segmentation offload
    part = words[:, 3]
    good = (version == 4) & (header >= V4_HEADER) & (have >= header) & (bound >= header)
    later = (part & 0x1FFF) != 0
    found = Datagrams(
        good=good & ~later,
        other=((version != 4) & ~v6) | none,
        fragment=good & ((part & 0x3FFF) != 0),
        v6=v6 & ~none,
        proto=head[:, 9].copy(),
        src=head.view(">u4")[:, 3].astype(np.uint32),
        dst=head.view(">u4")[:, 4].astype(np.uint32),
        at=at + header,
        size=bound - header,
        have=np.minimum(have, bound) - header,
        head=head[:, 20:],
    )
    found.good[none] = False
    odd = np.flatnonzero(found.good & (header != V4_HEADER))
    found.head[odd] = file.gather(found.at[odd], 20)
    rows = np.flatnonzero(found.v6)
    if len(rows):
        _version_6(file, found, rows, _Header(head[rows], at[rows], have[rows], wire[rows]), book)
    return found


@dataclass(frozen=True)
class _Header:
    """IPv6 headers: 40 bytes each, where they begin, bytes had and on the wire."""

    head: NDArray[np.uint8]
    at: Offsets
    have: Offsets
    wire: Offsets


def _version_6(file: MappedFile, found: Datagrams, rows: Offsets, given: _Header, book: AddressBook) -> None:
    """Fill the rows of IPv6 packets into ``found``."""
    head = given.head
    length = np.ascontiguousarray(head[:, 4:6]).view(">u2").ravel().astype(np.int64)
    bound = np.where(length == 0, given.wire, np.minimum(length + V6_HEADER, given.wire))
    have = np.minimum(given.have, bound)
    good = have >= V6_HEADER
    proto, after, fragment, later = _extensions(file, head[:, 6].astype(np.int64), given.at, have, good)
    found.fragment[rows] = fragment
    found.good[rows] = good & ~later
    found.proto[rows], found.at[rows] = proto, given.at + after
    found.size[rows], found.have[rows] = bound - after, have - after
    found.head[rows] = file.gather(given.at + after, 20)
    found.src[rows] = book.number(head[:, 8:24])
    found.dst[rows] = book.number(head[:, 24:40])


def _extensions(
    file: MappedFile, proto: Offsets, at: Offsets, have: Offsets, good: Mask
) -> tuple[Offsets, Offsets, Mask, Mask]:
    """Behind the extension headers: protocol, its offset; whether a fragment, a later one.

    Clears ``good`` where they are cut or more than MAX_EXTENSIONS.
    """
    after = np.full(len(proto), V6_HEADER, np.int64)
    fragment, later = np.zeros(len(proto), bool), np.zeros(len(proto), bool)
    rows = np.flatnonzero(good & np.isin(proto, _EXTENSIONS))
    for _ in range(MAX_EXTENSIONS):
        if not len(rows):
            break
        words = file.gather(at[rows] + after[rows], 8)
        kind = proto[rows]
        units = words[:, 1].astype(np.int64)
        size = np.where(kind == AUTHENTICATION, (units + 2) * 4, (units + 1) * 8)
        size[kind == FRAGMENT] = 8
        place = words[:, 2].astype(np.int64) << 8 | words[:, 3]
        fragment[rows] |= (kind == FRAGMENT) & ((place & 0xFFF9) != 0)  # an atomic fragment is none (RFC 6946)
        later[rows] |= (kind == FRAGMENT) & ((place & 0xFFF8) != 0)
        proto[rows] = words[:, 0]
        after[rows] += size
        good[rows] = after[rows] <= have[rows]
        rows = rows[good[rows] & ~later[rows] & np.isin(proto[rows], _EXTENSIONS)]
    good[rows] = False
    return proto, after, fragment, later
