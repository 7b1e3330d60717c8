"""Link layers: where the IP header of a frame begins.

Ethernet (1) with stacked VLAN tags, BSD loopback (0, 108), bare IP (101, 228, 229), Linux cooked (113, 276). A
frame whose Ethernet header is missing (PCAPdroid drops it when its trailer would exceed the snap length) is
recognised by an IP header whose length is exactly the frame's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.capture.mapped import MappedFile

ETHERNET, NULL, LOOP, RAW, SLL, SLL2, IPV4, IPV6 = 1, 0, 108, 101, 113, 276, 228, 229
#: LINKTYPE_ number -> bytes of link header before any VLAN tag.
LINKS = {NULL: 4, ETHERNET: 14, RAW: 0, LOOP: 4, SLL: 16, IPV4: 0, IPV6: 0, SLL2: 20}
#: Where the EtherType stands.
_TYPE_AT = {ETHERNET: 12, SLL: 14, SLL2: 0}
VLAN = (0x8100, 0x88A8, 0x9100)  # IEEE 802.1Q, 802.1ad, and QinQ before it
MAX_TAGS = 8

Offsets = NDArray[np.int64]


def network_offset(file: MappedFile, offset: Offsets, caplen: Offsets, link: NDArray[np.uint16]) -> Offsets:
    """Where each frame's IP header should begin, relative to ``offset``; -1 where the frame carries none."""
    if len(link) and (link == link[0]).all():
        return _one_link(file, offset, caplen, int(link[0]))
    out = np.full(len(offset), -1, np.int64)
    for kind in np.unique(link).tolist():
        rows = np.flatnonzero(link == kind)
        out[rows] = _one_link(file, offset[rows], caplen[rows], kind)
    return out


def _one_link(file: MappedFile, offset: Offsets, caplen: Offsets, link: int) -> Offsets:
    header = LINKS[link]
    out = np.full(len(offset), header, np.int64)
    if link in _TYPE_AT:
        ether = file.gather(offset + _TYPE_AT[link], 2).view(">u2").ravel()
        plain = (ether == 0x0800) | (ether == 0x86DD)
        if not plain.all():
            rows = np.flatnonzero(~plain)
            out[rows] = _tagged(file, offset[rows], ether[rows], header)
        if link == ETHERNET:
            out[_bare(file, offset, caplen)] = 0
    out[caplen <= out] = -1
    return out


def _tagged(file: MappedFile, offset: Offsets, ether: NDArray[np.uint16], header: int) -> Offsets:
    """The IP offset behind up to 8 VLAN tags; -1 for anything else."""
    at = np.full(len(offset), header, np.int64)
    kind = ether.astype(np.int64)
    for _ in range(MAX_TAGS):
        rows = np.flatnonzero(np.isin(kind, VLAN))
        if not len(rows):
            break
        kind[rows] = file.gather(offset[rows] + at[rows] + 2, 2).view(">u2").ravel()
        at[rows] += 4
    return np.where((kind == 0x0800) | (kind == 0x86DD), at, -1)


def _bare(file: MappedFile, offset: Offsets, caplen: Offsets) -> Offsets:
    """The rows that begin with an IP header of exactly the frame's length."""
    head = file.gather(offset, 8)
    nibble = head[:, 0] >> 4
    rows = np.flatnonzero((nibble == 4) | (nibble == 6))
    words = np.ascontiguousarray(head[rows]).view(">u2").astype(np.int64)
    length = np.where(nibble[rows] == 4, words[:, 1], words[:, 2] + 40)
    whole: Offsets = rows[(length == caplen[rows]) & (caplen[rows] >= 20)]
    return whole
