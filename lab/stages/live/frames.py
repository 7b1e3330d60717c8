"""What the frames of a live capture are: whose, which way, how much payload, in columns of a few bytes per frame.

Only Ethernet and IPv4 are read, as the lab speaks nothing else; whatever else is there is named and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.capture import CaptureError
from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.pcap import FILE_HEADER
from detector.capture.records import Records, read_records
from lab.stages.link import Bytes, Int64
from lab.stages.live.tuples import TCP, UDP, FlowIndex

CHUNK = 1 << 16  # frames decoded at once
KINDS = ("tcp", "udp", "icmp", "ip", "fragment", "arp", "ipv6", "other")
_ETHERNET, _LINKTYPE_ETHERNET = 14, 1
_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_SYN, _ACK = 2, 16
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Frames:
    """The frames of all captures, in the order of files and in them; wall clock times in us since the epoch."""

    capture: npt.NDArray[np.uint8]  # which file
    offset: npt.NDArray[np.int64]  # of the frame in it
    caplen: npt.NDArray[np.uint32]
    length: npt.NDArray[np.uint32]  # on the wire
    time: npt.NDArray[np.int64]
    n: npt.NDArray[np.int32]  # conversation, -1: none
    up: Mask  # sent by the conversation's client
    flags: npt.NDArray[np.uint8]  # of TCP, else 0
    size: npt.NDArray[np.uint16]  # TCP or UDP payload
    kind: npt.NDArray[np.uint8]  # of KINDS

    def __len__(self) -> int:
        return len(self.time)

    @property
    def opens(self) -> Mask:
        """Which are a SYN that is no answer."""
        found: Mask = (self.flags & (_SYN | _ACK)) == _SYN
        return found

    @classmethod
    def joined(cls, parts: list[Frames]) -> Frames:
        """Several, one after the other."""
        if not parts:
            none = dict.fromkeys((one.name for one in fields(cls)), np.zeros(0, dtype=np.int64))
            return cls(**{**none, "up": np.zeros(0, dtype=np.bool_)})  # type: ignore[arg-type]  # empty columns
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass
class Seen:
    """The captures of a run, opened: their frames, and what could not be read of them."""

    files: list[MappedFile]
    frames: Frames
    lost_bytes: int  # at the ends of files, as of a record cut by a kill
    faults: list[str]
    twice: int  # frames between two devices that the gateway sent back to where they came from


@dataclass
class _Pending:
    """What is known only after all frames: fragments by their packet, and frames between two devices."""

    fragments: list[tuple[int, tuple[int, int, int, int], bool]] = field(default_factory=list)
    between: set[bytes] = field(default_factory=set)
    twice: int = 0


def read_frames(captures: list[Path], flows: FlowIndex, devices: Int64) -> Seen:
    """The frames of classic pcap files up to where each is damaged, joined with ``flows``.

    ``devices`` are the addresses, as numbers, behind the interface captured on. A file that is no capture at all, or
    of another link than Ethernet, is a fault; its bytes count as lost.
    """
    files: list[MappedFile] = []
    parts: list[Frames] = []
    lost, faults, pending, done = 0, [], _Pending(), 0
    for number, path in enumerate(captures):
        file = MappedFile(path)
        files.append(file)
        records, left, fault = _records(path, file)
        lost += left
        faults += [f"{path.name}: {fault}"] if fault else []
        for part in records.chunks(CHUNK) if records else ():
            assert records is not None
            parts.append(_decoded(_Chunk(file, records, part, number), flows, devices, pending, done))
            done += len(parts[-1])
    frames = Frames.joined(parts)
    _follow_fragments(frames, pending)
    return Seen(files, frames, lost, faults, pending.twice)


def _records(path: Path, file: MappedFile) -> tuple[Records | None, int, str]:
    """The records of a file, the bytes behind the last whole one, and what is wrong with them."""
    try:
        records = read_records(file, path, ONE_LANE)
    except CaptureError as error:
        return None, file.size, f"found {error.found}, expected {error.expected}"
    if len(records) and records.link[0] != _LINKTYPE_ETHERNET:
        return None, file.size, f"found link type {records.link[0]}, expected {_LINKTYPE_ETHERNET}"
    if records.damage is None:
        return records, 0, ""
    headed = file.size >= FILE_HEADER
    end = int(records.offset[-1]) + int(records.caplen[-1]) if len(records) else FILE_HEADER if headed else 0
    return records, file.size - end, str(records.damage)


@dataclass(frozen=True)
class _Chunk:
    file: MappedFile
    records: Records
    part: slice
    number: int


@dataclass(frozen=True)
class _Ip:
    """IPv4 headers of a chunk; where ``good`` is False there is none."""

    good: Mask
    source: Int64
    target: Int64
    proto: Int64
    ident: Int64
    ttl: Int64
    later: Mask  # a fragment without the transport header
    fragment: Mask
    header: Int64  # bytes
    body: Int64  # bytes on the wire behind the header
    l4: Bytes  # (k, 20) behind the header
    have: Int64  # bytes captured behind the header


def _decoded(chunk: _Chunk, flows: FlowIndex, devices: Int64, pending: _Pending, before: int) -> Frames:
    records, part = chunk.records, chunk.part
    caplen = records.caplen[part].astype(np.int64)
    head = chunk.file.gather(records.offset[part], _ETHERNET + 40)
    ip = _ip(chunk, head, caplen)
    tcp, udp = ip.proto == TCP, ip.proto == UDP
    ported = ip.good & ~ip.later & ((tcp & (ip.have >= 20)) | (udp & (ip.have >= 8)))
    words = np.ascontiguousarray(ip.l4).view(">u2").astype(np.int64)
    source = np.where(ported, ip.source << 16 | words[:, 0], -1)
    target = np.where(ported, ip.target << 16 | words[:, 1], -1)
    time = records.time[part]
    n = flows.find(ip.proto, source, target, time)
    said = ip.body - np.where(tcp, (ip.l4[:, 12] >> 4).astype(np.int64) * 4, 8)
    size = np.where(ported, np.clip(said, 0, 65_535), 0)
    size = np.where(ip.good & ip.later, np.clip(ip.body, 0, 65_535), size)
    kind = _kinds(head, ip, ported)
    _note(ip, devices, pending, before)
    return Frames(
        capture=np.full(len(n), chunk.number, dtype=np.uint8),
        offset=records.offset[part],
        caplen=records.caplen[part],
        length=records.length[part],
        time=time,
        n=n.astype(np.int32),
        up=(n >= 0) & (flows.client[n] == source) if flows.count else np.zeros(len(n), dtype=np.bool_),
        flags=np.where(ported & tcp, ip.l4[:, 13], 0).astype(np.uint8),
        size=size.astype(np.uint16),
        kind=kind,
    )


def _ip(chunk: _Chunk, head: Bytes, caplen: Int64) -> _Ip:
    words = head.view(">u2").astype(np.int64)
    header = (head[:, _ETHERNET] & 15).astype(np.int64) * 4
    good = (words[:, 6] == _IPV4) & (head[:, _ETHERNET] >> 4 == 4) & (header >= 20) & (caplen >= _ETHERNET + header)
    l4 = head[:, _ETHERNET + 20 : _ETHERNET + 40]
    odd = np.flatnonzero(good & (header != 20))
    if len(odd):
        l4 = l4.copy()
        l4[odd] = chunk.file.gather(chunk.records.offset[chunk.part][odd] + _ETHERNET + header[odd], 20)
    total, wire = words[:, 8], chunk.records.length[chunk.part].astype(np.int64) - _ETHERNET
    return _Ip(
        good=good,
        source=words[:, 13] << 16 | words[:, 14],
        target=words[:, 15] << 16 | words[:, 16],
        proto=np.where(good, head[:, 23], 0).astype(np.int64),
        ident=words[:, 9],
        ttl=head[:, 22].astype(np.int64),
        later=good & (words[:, 10] & 0x1FFF != 0),
        fragment=good & (words[:, 10] & 0x3FFF != 0),
        header=header,
        body=np.where(total == 0, wire, np.minimum(total, wire)) - header,  # 0: segmentation offload
        l4=l4,
        have=caplen - _ETHERNET - header,
    )


def _kinds(head: Bytes, ip: _Ip, ported: Mask) -> npt.NDArray[np.uint8]:
    ethertype = head[:, 12].astype(np.int64) << 8 | head[:, 13]
    names = [
        (ethertype == _ARP, "arp"),
        (ethertype == _IPV6, "ipv6"),
        (ip.later, "fragment"),
        (ported & (ip.proto == TCP), "tcp"),
        (ported & (ip.proto == UDP), "udp"),
        (ip.good & (ip.proto == 1), "icmp"),
        (ip.good, "ip"),
    ]
    numbers = [np.uint8(KINDS.index(name)) for _, name in names]
    return np.select([mask for mask, _ in names], numbers, np.uint8(KINDS.index("other")))


def _note(ip: _Ip, devices: Int64, pending: _Pending, before: int) -> None:
    """Keeps fragments for later, and counts what is seen again with a TTL one less."""
    for row in np.flatnonzero(ip.fragment).tolist():
        key = (int(ip.source[row]), int(ip.target[row]), int(ip.proto[row]), int(ip.ident[row]))
        pending.fragments.append((before + row, key, bool(ip.later[row])))
    rows = np.flatnonzero(ip.good & np.isin(ip.source, devices) & np.isin(ip.target, devices))
    for row in rows.tolist():
        same = np.array([ip.source[row], ip.target[row], ip.ident[row], ip.body[row]]).tobytes() + ip.l4[row].tobytes()
        ttl = int(ip.ttl[row])
        if same + bytes([ttl + 1 & 255]) in pending.between:
            pending.twice += 1
        else:
            pending.between.add(same + bytes([ttl]))


def _follow_fragments(frames: Frames, pending: _Pending) -> None:
    """Later fragments are of the conversation of the last first one with their addresses and identification."""
    firsts: dict[tuple[int, int, int, int], int] = {}
    columns: dict[str, npt.NDArray[Any]] = {"n": frames.n, "up": frames.up}
    for row, key, later in pending.fragments:
        if not later:
            firsts[key] = row
        elif key in firsts:
            for column in columns.values():
                column[row] = column[firsts[key]]
