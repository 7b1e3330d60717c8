"""Ethernet frames in bulk: scapy's templates patched over arrays, with valid IPv4, IPv6, TCP and UDP checksums.

A checksum is the ones' complement of the ones' complement sum of 16-bit words, in any byte order (RFC 1071); payloads
begin at multiples of four, so that their words are those of the segment.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from lab.stages.addresses import sixteen
from lab.stages.link import ALIGN, LONGER, Bytes, Int64, Links
from lab.stages.seeds import mixed
from lab.stages.segments import OPTIONS, SYN, Packets

RECORD = 16  # pcap record header before each frame
SNAPLEN = 262_144
MAGIC_MICROSECONDS, LINKTYPE_ETHERNET = 0xA1B2C3D4, 1
_IP, _L4 = RECORD + 14, RECORD + 34
_WIDTH = RECORD + 66  # of IPv4
V6_HEADER = 40
_LABEL = 10  # salt of flow labels
WINDOW_LOCAL, WINDOW_REMOTE, WINDOW_SYN = 2050, 32768, 65535  # scaled by 2^8 and 2^7
SCALE_LOCAL, SCALE_REMOTE = 8, 7


_UNICAST = 223  # first octet of the last unicast network
_TTL_TO = np.array([64, 255, *[1] * 31], dtype=np.uint8)  # 224/8: RFC 6762 section 11; other groups: the sockets' own
_SEGMENT, _SYN, _DATAGRAM = 0, 1, 2  # rows of the templates


def file_header() -> bytes:
    """The classic pcap file header, little endian, microseconds, Ethernet."""
    return np.array([MAGIC_MICROSECONDS, 0x00040002, 0, 0, SNAPLEN, LINKTYPE_ETHERNET], dtype="<u4").tobytes()


@cache
def _templates(*, six: bool) -> tuple[Bytes, Int64]:
    """(3, width) templates of a TCP segment, a SYN and a datagram behind an empty record header, and their sizes."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether
    from scapy.packet import Packet

    options = [("MSS", 1460), ("NOP", None), ("NOP", None), ("SAckOK", b""), ("NOP", None), ("WScale", SCALE_LOCAL)]
    network: Packet = IP(src="10.88.0.2", dst="198.18.0.1", flags="DF")
    if six:
        from scapy.layers.inet6 import IPv6

        network = IPv6(src="2001:db8::1", dst="2001:db8::2")
    below = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / network
    made = [below / TCP(flags="A"), below / TCP(flags="S", options=options), below / UDP()]
    table = np.zeros((len(made), _WIDTH + LONGER * six), dtype=np.uint8)
    sizes = np.zeros(len(made), dtype=np.int64)
    for row, packet in enumerate(made):
        plain = bytes(packet)
        table[row, RECORD : RECORD + len(plain)] = np.frombuffer(plain, dtype=np.uint8)
        sizes[row] = RECORD + len(plain)
    return table, sizes


def payload_sums(payload: Bytes, offset: Int64, length: Int64) -> npt.NDArray[np.uint16]:
    """The folded ones' complement sum of each payload, in this machine's little-endian words.

    ``payload`` is padded with zeros: every payload starts at a multiple of ALIGN, and ALIGN zeros more follow the last.
    Words are summed in pairs (RFC 1071 section 2(C)), which numpy does twenty times faster.
    """
    sums = np.zeros(len(offset), dtype=np.uint16)
    spoken = np.flatnonzero(length)
    if len(spoken) == 0:
        return sums
    begin = offset[spoken] // ALIGN
    edges = np.stack([begin, begin - (-length[spoken] // ALIGN)], axis=1).ravel()
    totals = np.add.reduceat(payload.view("<u4"), edges, dtype=np.uint64)[::2]
    sums[spoken] = _fold(totals.astype(np.int64))
    return sums


def records(links: Links, packets: Packets, sums: npt.NDArray[np.uint16]) -> tuple[Bytes, Int64]:
    """(n, width) pcap record headers and frame headers of the packets, and how many bytes of each row count.

    ``packets.conversation`` are rows of ``links``; ``sums`` are the payloads' sums.
    """
    six = links.six[packets.conversation]
    if not six.any():
        return _laid(links, packets, sums, six=False)
    rows, size = np.zeros((len(six), _WIDTH + LONGER), dtype=np.uint8), np.zeros(len(six), dtype=np.int64)
    for family in (False, True):
        mine = np.flatnonzero(six == family)
        made, size[mine] = _laid(links, packets.take(mine), sums[mine], six=family)
        rows[mine, : made.shape[1]] = made
    return rows, size


def _laid(links: Links, packets: Packets, sums: npt.NDArray[np.uint16], *, six: bool) -> tuple[Bytes, Int64]:
    """The same for packets of one version of IP."""
    templates, sizes = _templates(six=six)
    of, l4 = packets.conversation, _L4 + LONGER * six
    tcp = links.tcp[of]
    kind = np.where(tcp, np.where(packets.flags & SYN > 0, _SYN, _SEGMENT), _DATAGRAM)
    rows, size = templates[kind], sizes[kind]
    _record(rows, packets.time, size - RECORD + packets.length)
    _ethernet(rows, links, packets)
    (_version_6 if six else _version_4)(rows, links, packets, size)
    _ports(rows, links, packets, l4)
    _tcp(rows, links, packets, l4)
    datagram = np.flatnonzero(~tcp)
    _put(rows, l4 + 4, 8 + packets.length[datagram], 2, datagram)
    _checksums(rows, packets, (size, sums), tcp, l4)
    return rows, size


def _record(rows: Bytes, time: Int64, size: Int64) -> None:
    head = np.stack([time // 1_000_000, time % 1_000_000, size, size], axis=1).astype("<u4")
    rows[:, :RECORD] = head.view(np.uint8)


def _ends(links: Links, packets: Packets) -> tuple[Bytes, Bytes]:
    """(n, 10) where each packet comes from, and where it goes."""
    of, local = packets.conversation, packets.local[:, None]
    here, there = links.local[of], links.remote[of]
    return np.where(local, here, there), np.where(local, there, here)


def _ethernet(rows: Bytes, links: Links, packets: Packets) -> None:
    source, target = _ends(links, packets)
    rows[:, RECORD : RECORD + 6] = target[:, :6]
    rows[:, RECORD + 6 : RECORD + 12] = source[:, :6]


def _version_4(rows: Bytes, links: Links, packets: Packets, size: Int64) -> None:
    source, target = _ends(links, packets)
    rows[:, _IP + 12 : _IP + 16] = source[:, 6:]
    rows[:, _IP + 16 : _IP + 20] = target[:, 6:]
    own = _TTL_TO[np.maximum(target[:, 6], _UNICAST) - _UNICAST]
    rows[:, _IP + 8] = np.where(packets.local, own, links.ttl[packets.conversation])
    _put(rows, _IP + 2, size - _IP + packets.length, 2)
    _put(rows, _IP + 4, packets.ident, 2)
    rows[:, _IP + 10 : _IP + 12] = 0
    header = rows.view("<u2")[:, _IP // 2 : _L4 // 2].sum(axis=1, dtype=np.int64)
    rows.view("<u2")[:, (_IP + 10) // 2] = ~_fold(header)


def _version_6(rows: Bytes, links: Links, packets: Packets, size: Int64) -> None:
    """RFC 8200; the flow label is constant per conversation and direction (RFC 6437), as Linux draws it."""
    of = packets.conversation
    source, target = _ends(links, packets)
    rows[:, _IP + 8 : _IP + 24] = sixteen(source[:, 6:], links.book)
    rows[:, _IP + 24 : _IP + 40] = sixteen(target[:, 6:], links.book)
    rows[:, _IP + 7] = np.where(packets.local, _TTL_TO[0], links.ttl[of])
    label = mixed((links.local_port[of] << 16 | links.remote_port[of]) * 2 + packets.local, _LABEL).astype(np.int64)
    _put(rows, _IP, 0x60000000 | label & 0xFFFFF, 4)
    _put(rows, _IP + 4, size - _IP - V6_HEADER + packets.length, 2)


def _ports(rows: Bytes, links: Links, packets: Packets, l4: int) -> None:
    here, there = links.local_port[packets.conversation], links.remote_port[packets.conversation]
    _put(rows, l4, np.where(packets.local, here, there), 2)
    _put(rows, l4 + 2, np.where(packets.local, there, here), 2)


def _tcp(rows: Bytes, links: Links, packets: Packets, l4: int) -> None:
    segment = np.flatnonzero(links.tcp[packets.conversation])
    local = packets.local[segment]
    _put(rows, l4 + 4, packets.seq[segment], 4, segment)
    _put(rows, l4 + 8, packets.ack[segment], 4, segment)
    flags, options = packets.flags[segment] & ~OPTIONS, packets.flags[segment] & OPTIONS > 0
    rows[segment, l4 + 13] = flags
    longer = segment[options]
    rows[longer, l4 + 12] = 0x50 + (packets.length[longer] // 4 << 4)
    opening = packets.flags[segment] & SYN > 0
    window = np.where(opening, WINDOW_SYN, np.where(local, WINDOW_LOCAL, WINDOW_REMOTE))
    _put(rows, l4 + 14, window, 2, segment)
    greeting = segment[opening]
    offered = np.where(local[opening], links.offered - LONGER * (l4 > _L4), links.mss[packets.conversation[greeting]])
    _put(rows, l4 + 22, offered, 2, greeting)
    rows[greeting, l4 + 31] = np.where(local[opening], SCALE_LOCAL, SCALE_REMOTE)


def _checksums(
    rows: Bytes,
    packets: Packets,
    payload: tuple[Int64, npt.NDArray[np.uint16]],
    tcp: npt.NDArray[np.bool_],
    l4: int,
) -> None:
    """The L4 checksum over pseudo header (RFC 9293 3.1, RFC 8200 8.1), header and payload: sizes of rows, sums."""
    size, sums = payload
    place = np.where(tcp, l4 + 16, l4 + 6)
    index = np.arange(len(rows))
    rows[index, place], rows[index, place + 1] = 0, 0
    words = rows.view("<u2")
    first = _IP + (12 if l4 == _L4 else 8)
    addresses = words[:, first // 2 : l4 // 2].sum(axis=1, dtype=np.int64)
    above = words[:, l4 // 2 :].sum(axis=1, dtype=np.int64)
    protocol = _swap(np.where(tcp, 6, 17))
    length = _swap(size - l4 + packets.length)
    segment = _fold(addresses + above + protocol + length + sums)
    check = ~segment
    words[index, place // 2] = np.where(~tcp & (check == 0), np.uint16(0xFFFF), check)  # RFC 768: 0 means none


def _put(rows: Bytes, place: int, value: Int64, width: int, which: Int64 | None = None) -> None:
    """Writes big-endian numbers of ``width`` bytes into a column."""
    octets = value.astype(f">u{width}").reshape(-1, 1).view(np.uint8)
    if which is None:
        rows[:, place : place + width] = octets
    else:
        rows[which, place : place + width] = octets


def _swap(value: Int64) -> Int64:
    return ((value & 0xFF) << 8) | (value >> 8)


def _fold(total: Int64) -> npt.NDArray[np.uint16]:
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return total.astype(np.uint16)
