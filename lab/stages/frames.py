"""Ethernet frames in bulk: scapy's templates patched over arrays, with valid IPv4, TCP and UDP checksums.

A checksum is the ones' complement of the ones' complement sum of 16-bit words, in any byte order (RFC 1071); payloads
begin at multiples of four, so that their words are those of the segment.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from lab.stages.link import ALIGN, Bytes, Int64, Links
from lab.stages.segments import OPTIONS, SYN, Packets

RECORD = 16  # pcap record header before each frame
SNAPLEN = 262_144
MAGIC_MICROSECONDS, LINKTYPE_ETHERNET = 0xA1B2C3D4, 1
_IP, _L4 = RECORD + 14, RECORD + 34
_WIDTH = RECORD + 66
WINDOW_LOCAL, WINDOW_REMOTE, WINDOW_SYN = 2050, 32768, 65535  # scaled by 2^8 and 2^7
SCALE_LOCAL, SCALE_REMOTE = 8, 7


_UNICAST = 223  # first octet of the last unicast network
_TTL_TO = np.array([64, 255, *[1] * 31], dtype=np.uint8)  # 224/8: RFC 6762 section 11; other groups: the sockets' own
_SEGMENT, _SYN, _DATAGRAM = 0, 1, 2  # rows of the templates


def file_header() -> bytes:
    """The classic pcap file header, little endian, microseconds, Ethernet."""
    return np.array([MAGIC_MICROSECONDS, 0x00040002, 0, 0, SNAPLEN, LINKTYPE_ETHERNET], dtype="<u4").tobytes()


@cache
def _templates() -> tuple[Bytes, Int64]:
    """(3, _WIDTH) templates of a TCP segment, a SYN and a datagram behind an empty record header, and their sizes."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether

    options = [("MSS", 1460), ("NOP", None), ("NOP", None), ("SAckOK", b""), ("NOP", None), ("WScale", SCALE_LOCAL)]
    below = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.88.0.2", dst="198.18.0.1", flags="DF")
    made = [below / TCP(flags="A"), below / TCP(flags="S", options=options), below / UDP()]
    table = np.zeros((len(made), _WIDTH), dtype=np.uint8)
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
    templates, sizes = _templates()
    of = packets.conversation
    tcp = links.tcp[of]
    kind = np.where(tcp, np.where(packets.flags & SYN > 0, _SYN, _SEGMENT), _DATAGRAM)
    rows, size = templates[kind], sizes[kind]
    _record(rows, packets.time, size - RECORD + packets.length)
    _ethernet_and_ip(rows, links, packets, size)
    _ports(rows, links, packets)
    _tcp(rows, links, packets)
    datagram = np.flatnonzero(~tcp)
    _put(rows, _L4 + 4, 8 + packets.length[datagram], 2, datagram)
    _checksums(rows, packets, size, sums, tcp)
    return rows, size


def _record(rows: Bytes, time: Int64, size: Int64) -> None:
    head = np.stack([time // 1_000_000, time % 1_000_000, size, size], axis=1).astype("<u4")
    rows[:, :RECORD] = head.view(np.uint8)


def _ethernet_and_ip(rows: Bytes, links: Links, packets: Packets, size: Int64) -> None:
    of, local = packets.conversation, packets.local[:, None]
    here, there = links.local[of], links.remote[of]
    source, target = np.where(local, here, there), np.where(local, there, here)
    rows[:, RECORD : RECORD + 6] = target[:, :6]
    rows[:, RECORD + 6 : RECORD + 12] = source[:, :6]
    rows[:, _IP + 12 : _IP + 16] = source[:, 6:]
    rows[:, _IP + 16 : _IP + 20] = target[:, 6:]
    rows[:, _IP + 8] = np.where(packets.local, _TTL_TO[np.maximum(there[:, 6], _UNICAST) - _UNICAST], links.ttl[of])
    _put(rows, _IP + 2, size - _IP + packets.length, 2)
    _put(rows, _IP + 4, packets.ident, 2)


def _ports(rows: Bytes, links: Links, packets: Packets) -> None:
    here, there = links.local_port[packets.conversation], links.remote_port[packets.conversation]
    _put(rows, _L4, np.where(packets.local, here, there), 2)
    _put(rows, _L4 + 2, np.where(packets.local, there, here), 2)


def _tcp(rows: Bytes, links: Links, packets: Packets) -> None:
    segment = np.flatnonzero(links.tcp[packets.conversation])
    local = packets.local[segment]
    _put(rows, _L4 + 4, packets.seq[segment], 4, segment)
    _put(rows, _L4 + 8, packets.ack[segment], 4, segment)
    flags, options = packets.flags[segment] & ~OPTIONS, packets.flags[segment] & OPTIONS > 0
    rows[segment, _L4 + 13] = flags
    longer = segment[options]
    rows[longer, _L4 + 12] = 0x50 + (packets.length[longer] // 4 << 4)
    opening = packets.flags[segment] & SYN > 0
    window = np.where(opening, WINDOW_SYN, np.where(local, WINDOW_LOCAL, WINDOW_REMOTE))
    _put(rows, _L4 + 14, window, 2, segment)
    greeting = segment[opening]
    offered = np.where(local[opening], links.offered, links.mss[packets.conversation[greeting]])
    _put(rows, _L4 + 22, offered, 2, greeting)
    rows[greeting, _L4 + 31] = np.where(local[opening], SCALE_LOCAL, SCALE_REMOTE)


def _checksums(
    rows: Bytes, packets: Packets, size: Int64, sums: npt.NDArray[np.uint16], tcp: npt.NDArray[np.bool_]
) -> None:
    """IPv4 header checksum, then the L4 one over pseudo header (RFC 9293 3.1), header and payload."""
    place = np.where(tcp, _L4 + 16, _L4 + 6)
    index = np.arange(len(rows))
    rows[:, _IP + 10 : _IP + 12] = 0
    rows[index, place], rows[index, place + 1] = 0, 0
    words = rows.view("<u2")
    header = words[:, _IP // 2 : _L4 // 2].sum(axis=1, dtype=np.int64)
    addresses = words[:, (_IP + 12) // 2 : _L4 // 2].sum(axis=1, dtype=np.int64)
    above = words[:, _L4 // 2 :].sum(axis=1, dtype=np.int64)
    protocol = _swap(rows[:, _IP + 9].astype(np.int64))
    length = _swap(size - _L4 + packets.length)
    segment = _fold(addresses + above + protocol + length + sums)
    words[:, (_IP + 10) // 2] = ~_fold(header)
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
