"""The frames of a capture as columns, in the order of time: where they lie, between whom, on which flow.

Nothing is changed here, and nothing is left out: a frame that is no IP is carried as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.capture.damage import CaptureError
from detector.capture.lanes import Lanes
from detector.capture.link import ETHERNET, MAX_TAGS, VLAN, network_offset
from detector.capture.mapped import MappedFile
from detector.capture.network import AddressBook, Datagrams, datagrams
from detector.capture.records import Records, read_records
from detector.contract import EvidenceError

TCP, UDP, ICMPV6 = 6, 17, 58
ARP = 0x0806
#: EtherTypes of frames that stay on one link and are from no address: Wake-on-LAN, slow protocols (LACP), Realtek's and
#: the loop test, EAPOL, LLDP, HomePlug, IEEE 1905, PTP, TDLS (IEEE 802 numbers, from memory).
SILENT = (0x0842, 0x8809, 0x8899, 0x9000, 0x888E, 0x88CC, 0x88E1, 0x893A, 0x88F7, 0x890D)
_LENGTHS, _SNAP = 1536, 0xAAAA  # less is a length (IEEE 802.3); behind it SNAP may name an EtherType after all
_LEAST = {TCP: 20, UDP: 8, ICMPV6: 4}
_SIX = np.int64(1) << 40  # above every IPv4 address: places of IPv6 addresses in their book
_BLOCK = 32_768

Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Source:
    """Frames in the order of time, one row each; ``addresses`` are all that speak or are spoken to.

    ``at`` and ``size`` are bytes in the file; ``length`` what was on the wire, more than ``size`` where a frame was
    cut. ``net`` is where the IP header (or the ARP message) begins in the frame, -1: neither. ``transport`` is where
    TCP, UDP or ICMPv6 begins, -1: none, or cut, or a later fragment. ``source`` and ``target`` are places in
    ``addresses``, -1: none. ``flow`` numbers the pairs of sockets, -1: no ports; ``asks``: the frame comes from the
    socket that spoke first on its flow.
    """

    file: MappedFile
    addresses: tuple[str, ...]
    time: Int64
    at: Int64
    size: Int64
    length: Int64
    ethernet: Mask  # the frame has an Ethernet header of its own
    arp: Mask
    opaque: Mask  # neither IP nor ARP, and may carry addresses that nobody here can read (PPPoE, MPLS, cut headers)
    net: Int64
    transport: Int64
    end: Int64  # of the segment or datagram in the frame: what follows is padding
    protocol: Int64
    six: Mask
    fragment: Mask
    source: Int64
    target: Int64
    source_port: Int64
    target_port: Int64
    flow: Int64
    asks: Mask

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[Any]) -> Source:
        """These rows alone; addresses keep their places."""
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(
            self, **{name: column[rows] for name, column in columns.items() if isinstance(column, np.ndarray)}
        )


def read_source(path: Path, *, allow_partial: bool = False) -> Source:
    """The frames of a pcap or pcapng file.

    Raises CaptureError where it is none, or cut or damaged, and EvidenceError where it is empty or holds frames of
    which the capture kept a part only: they cannot be sent as they were. With ``allow_partial`` what is before the
    damage is used, and cut frames are to be filled up with zeros.
    """
    file = MappedFile(path)
    records = read_records(file, path, Lanes(1))
    if records.damage and not allow_partial:
        raise CaptureError(path, records.damage)
    cut = int(np.count_nonzero(records.caplen < records.length))
    if cut and not allow_partial:
        advice = "capture again with snap length 0, or fill them up with zeros: --allow-partial"
        raise EvidenceError(
            f"{path}: found {cut:,} of {len(records):,} frames cut at capture, expected whole ones; {advice}"
        )
    if not len(records):
        raise EvidenceError(f"{path}: found no packet, expected at least one to replay")
    return _columns(file, records)


def _columns(file: MappedFile, records: Records) -> Source:
    book = AddressBook()
    parts = [_part(file, records, part, book) for part in records.chunks(_BLOCK)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    keys, places = np.unique(np.stack([columns.pop("src"), columns.pop("dst")]), return_inverse=True)
    known = keys[keys >= 0]
    nowhere = len(keys) - len(known)
    source, target = places.reshape(2, -1) - nowhere
    order = np.argsort(columns["time"], kind="stable")
    columns |= {"source": np.maximum(source, -1), "target": np.maximum(target, -1)}
    columns = {name: column[order] for name, column in columns.items()}
    return Source(file=file, addresses=_words(known, book), **columns, **_flows(columns))


def _part(file: MappedFile, records: Records, part: slice, book: AddressBook) -> dict[str, NDArray[Any]]:
    """The columns of some records; addresses as numbers, IPv6 ones as places in the book above _SIX, -1: none."""
    at, size = records.offset[part], records.caplen[part].astype(np.int64)
    length = np.maximum(size, records.length[part])
    net = network_offset(file, at, size, records.link[part])
    found = datagrams(file, np.where(net < 0, -1, at + net), size - net, length - net, book)
    has_ip = ~found.other & (size - net >= np.where(found.v6, 40, 20))
    ethernet = (records.link[part] == ETHERNET) & (net != 0)
    kind, body = _typed(file, at)
    arp, spoken, asked = _arp(file, at + body, size - body, ethernet & (net < 0) & (kind == ARP))
    snap = file.gather(at + body, 2).view(">u2").ravel() == _SNAP
    silent = ethernet & (net < 0) & (size >= body) & (np.isin(kind, SILENT) | ((kind < _LENGTHS) & ~snap))
    src, dst = (np.where(found.v6, _SIX + column, column.astype(np.int64)) for column in (found.src, found.dst))
    return {
        "time": records.time[part],
        "at": at,
        "size": size,
        "length": length,
        "ethernet": ethernet,
        "arp": arp,
        "opaque": ~(has_ip | arp | silent),
        "net": np.where(has_ip, net, np.where(arp, body, -1)),
        "six": found.v6 & has_ip,
        "fragment": found.fragment & has_ip,
        "src": np.where(has_ip, src, np.where(arp, spoken, -1)),
        "dst": np.where(has_ip, dst, np.where(arp, asked, -1)),
        **_transport(found, at),
    }


def _typed(file: MappedFile, at: Int64) -> tuple[Int64, Int64]:
    """The EtherType of Ethernet frames behind their VLAN tags, and how many bytes stand before what it is of."""
    body = np.full(len(at), 14, np.int64)
    kind = file.gather(at + 12, 2).view(">u2").ravel().astype(np.int64)
    for _ in range(MAX_TAGS):
        rows = np.flatnonzero(np.isin(kind, VLAN))
        kind[rows] = file.gather(at[rows] + body[rows] + 2, 2).view(">u2").ravel()
        body[rows] += 4
    return kind, body


def _arp(file: MappedFile, at: Int64, size: Int64, rows: Mask) -> tuple[Mask, Int64, Int64]:
    """Which messages are ARP for IPv4 over Ethernet (RFC 826), who speaks and whom they ask for."""
    head = file.gather(at, 28)
    words = head.view(">u2")
    arp = rows & (size >= 28) & (words[:, 0] == 1) & (words[:, 1] == 0x0800)
    spoken = np.ascontiguousarray(head[:, 14:18]).view(">u4").ravel().astype(np.int64)
    asked = np.ascontiguousarray(head[:, 24:28]).view(">u4").ravel().astype(np.int64)
    return arp, spoken, asked


def _transport(found: Datagrams, at: Int64) -> dict[str, NDArray[Any]]:
    """Where TCP, UDP or ICMPv6 begins and ends in the frame, and its ports."""
    protocol = np.where(found.good, found.proto.astype(np.int64), 0)
    least = np.full(len(protocol), 1 << 30)
    for number, header in _LEAST.items():
        least[protocol == number] = header
    whole = found.good & (found.have >= least)
    whole &= (protocol != ICMPV6) | found.v6
    ported = whole & (protocol != ICMPV6)
    words = np.ascontiguousarray(found.head[:, :6]).view(">u2").astype(np.int64)
    told = (protocol == UDP) & (words[:, 2] >= _LEAST[UDP])  # 0 is a jumbogram's (RFC 2675)
    size = np.where(told, np.minimum(words[:, 2], found.size), found.size)  # RFC 768: the sum covers no more
    return {
        "transport": np.where(whole, found.at - at, -1),
        "end": np.where(whole, found.at - at + size, -1),
        "protocol": protocol,
        "source_port": np.where(ported, words[:, 0], -1),
        "target_port": np.where(ported, words[:, 1], -1),
    }


def _words(keys: Int64, book: AddressBook) -> tuple[str, ...]:
    six = [str(ip_address(packed)) for packed in book.numbers]
    return tuple(six[key - int(_SIX)] if key >= _SIX else str(ip_address(key)) for key in keys.tolist())


def _flows(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Numbers of the pairs of sockets, and whether a frame is from the one that spoke first."""
    here = columns["source"] << 16 | columns["source_port"]
    there = columns["target"] << 16 | columns["target_port"]
    rows = np.flatnonzero(columns["source_port"] >= 0)
    flow, asks = np.full(len(here), -1, np.int64), np.zeros(len(here), np.bool_)
    low, high = np.minimum(here, there)[rows], np.maximum(here, there)[rows]
    _, place = np.unique(low, return_inverse=True)
    other, behind = np.unique(high * 2 + (columns["protocol"][rows] == TCP), return_inverse=True)
    pairs = place.astype(np.int64) * len(other) + behind
    _, first, number = np.unique(pairs, return_index=True, return_inverse=True)
    flow[rows] = number
    asks[rows] = here[rows] == here[rows][first][number]
    return {"flow": flow, "asks": asks}
