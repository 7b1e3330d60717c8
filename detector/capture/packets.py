"""The packets that flows are made of: addresses, ports, TCP flags and payload, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.capture.lanes import Lanes
from detector.capture.link import network_offset
from detector.capture.mapped import MappedFile
from detector.capture.network import AddressBook, Datagrams, datagrams
from detector.capture.records import Records
from detector.contract import Progress

TCP, UDP = 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
CHUNK = 32_768  # packets decoded at once: their headers stay in the processor's cache
_COLUMNS = {
    "time": np.int64,
    "src": np.uint32,
    "dst": np.uint32,
    "sport": np.uint16,
    "dport": np.uint16,
    "proto": np.uint8,
    "v6": np.bool_,
    "flags": np.uint8,
    "seq": np.uint32,
    "size": np.uint32,
    "have": np.uint32,
    "at": np.int64,
}


@dataclass(frozen=True)
class Packets:
    """IP packets in order of time, ties in file order.

    ``src`` and ``dst`` are IPv4 addresses as numbers or, where ``v6``, places in ``book``. ``size`` is the transport
    payload on the wire, of which ``have`` bytes stand in the file from ``at`` on. ``seq`` is that of the first
    payload byte. Ports are 0 unless TCP or UDP.
    """

    time: NDArray[np.int64]
    src: NDArray[np.uint32]
    dst: NDArray[np.uint32]
    sport: NDArray[np.uint16]
    dport: NDArray[np.uint16]
    proto: NDArray[np.uint8]
    v6: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    seq: NDArray[np.uint32]
    size: NDArray[np.uint32]
    have: NDArray[np.uint32]
    at: NDArray[np.int64]
    book: AddressBook


@dataclass
class Tally:
    """What became of a file's packets: each is IP or not; an IP packet may be a fragment, or cut or contradictory."""

    first: int | None = None
    last: int | None = None
    ip_packets: int = 0
    non_ip: int = 0
    fragments: int = 0
    short_frames: int = 0
    out_of_order: int = 0


def decode(file: MappedFile, records: Records, progress: Progress, lanes: Lanes) -> tuple[Packets, Tally]:
    """The IP packets of the records, and what became of the rest."""
    columns: dict[str, NDArray[Any]] = {name: np.empty(len(records), kind) for name, kind in _COLUMNS.items()}
    parts = list(records.chunks(CHUNK))
    done = lanes.over(
        lambda part: _decode_part(file, records, part, columns),
        parts,
        lambda part: progress.advance(int(records.offset[part.stop - 1]), file.size),
    )
    book, kept = AddressBook(), 0
    for part, (_, own, count) in zip(parts, done, strict=True):
        _join(columns, part, slice(kept, kept + count), book.places(own))
        kept += count
    cut = {name: column[:kept] for name, column in columns.items()}
    tally = _sum(records, [one for one, _, _ in done])
    if tally.out_of_order:
        order = np.argsort(cut["time"], kind="stable")
        cut = {name: column[order] for name, column in cut.items()}
    return Packets(book=book, **cut), tally


def _decode_part(
    file: MappedFile, records: Records, part: slice, columns: dict[str, NDArray[Any]]
) -> tuple[Tally, AddressBook, int]:
    """Fill the columns from ``part.start`` on; what became of the packets, their own book, how many were kept."""
    book = AddressBook()
    found = _datagrams(file, records, part, book)
    rows, values, odd = _transport(found)
    for name, value in (values | {"time": records.time[part][rows]}).items():
        columns[name][part.start : part.start + len(rows)] = value
    return _tally(found, len(rows), odd), book, len(rows)


def _join(columns: dict[str, NDArray[Any]], part: slice, target: slice, places: NDArray[np.uint32]) -> None:
    """Move the packets kept of a part up to where they belong, their addresses numbered in the book of all."""
    source = slice(part.start, part.start + target.stop - target.start)
    if len(places):
        for name in ("src", "dst"):
            numbers, v6 = columns[name][source], columns["v6"][source]
            numbers[v6] = places[numbers[v6]]
    if source != target:
        for column in columns.values():
            column[target] = column[source]


def _sum(records: Records, tallies: list[Tally]) -> Tally:
    """What became of all packets."""
    out = Tally(out_of_order=int(np.count_nonzero(records.time[1:] < records.time[:-1])))
    if len(records):
        out.first, out.last = int(records.time.min()), int(records.time.max())
    for one in tallies:
        out.ip_packets += one.ip_packets
        out.non_ip += one.non_ip
        out.fragments += one.fragments
        out.short_frames += one.short_frames
    return out


def _datagrams(file: MappedFile, records: Records, part: slice, book: AddressBook) -> Datagrams:
    offset = records.offset[part]
    caplen = records.caplen[part].astype(np.int64)
    wire = np.maximum(caplen, records.length[part])
    at = network_offset(file, offset, caplen, records.link[part])
    return datagrams(file, np.where(at < 0, -1, offset + at), caplen - at, wire - at, book)


def _tally(found: Datagrams, kept: int, odd: int) -> Tally:
    other, fragments = int(found.other.sum()), int(found.fragment.sum())
    later = int((found.fragment & ~found.good).sum())
    ip_packets = len(found.good) - other
    short = ip_packets - later - kept + odd
    return Tally(ip_packets=ip_packets, non_ip=other, fragments=fragments, short_frames=short)


def _transport(found: Datagrams) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]], int]:
    """The rows whose transport header is whole, their columns, and how many say a length that cannot be.

    Those are TCP headers below 20 bytes or beyond their datagram and UDP lengths below 8; they have no payload.
    """
    tcp, udp = found.proto == TCP, found.proto == UDP
    least = np.where(tcp, 20, np.where(udp, 8, 0))
    rows = np.flatnonzero(found.good & (found.have >= least) & (found.size >= least))
    if len(rows) == len(tcp):
        rows_or_all: slice | NDArray[np.int64] = slice(None)
    else:
        rows_or_all = rows
        tcp, udp = tcp[rows], udp[rows]
    head = found.head[rows_or_all]
    words = np.ascontiguousarray(head).view(">u2")
    ported, size = tcp | udp, found.size[rows_or_all]
    header = np.where(tcp, (head[:, 12] >> 4).astype(np.int64) * 4, np.where(udp, 8, 0))
    said = words[:, 2].astype(np.int64)  # UDP: length; 0: the rest of the datagram (RFC 2675)
    payload = np.where(udp & (said != 0), np.minimum(said, size), size) - header
    flags = np.where(tcp, head[:, 13], 0)
    odd = (tcp & (header < 20)) | (payload < 0)
    payload = np.where(odd | (tcp & ((flags & RST) != 0)), 0, payload)  # text in a reset is no stream data
    seq = words.view(">u4")[:, 1].astype(np.uint32) + ((flags & SYN) != 0)
    columns = {
        "src": found.src[rows_or_all],
        "dst": found.dst[rows_or_all],
        "sport": np.where(ported, words[:, 0], 0),
        "dport": np.where(ported, words[:, 1], 0),
        "proto": found.proto[rows_or_all],
        "v6": found.v6[rows_or_all],
        "flags": flags,
        "seq": np.where(tcp, seq, 0),
        "size": payload,
        "have": np.clip(found.have[rows_or_all] - header, 0, payload),
        "at": found.at[rows_or_all] + header,
    }
    return rows, columns, int(np.count_nonzero(odd))
