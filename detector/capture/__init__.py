"""Capture files (pcap, pcapng, PCAPdroid) as tables: flows, exchanges, DNS.

No silent loss: a file that is cut or damaged is a CaptureError with packet and byte, or, where the caller allows,
a capture that says why it is partial. Nothing here knows devices or apps.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from detector.capture.damage import CaptureError
from detector.contract import Progress

if TYPE_CHECKING:
    import pyarrow as pa

    from detector.capture.flows import Flows
    from detector.capture.lanes import Lanes
    from detector.capture.packets import Tally
    from detector.capture.pcapdroid import Tags
    from detector.capture.records import Records

__all__ = ["Capture", "CaptureError", "CaptureStats", "Owners", "read_capture"]


@dataclass(frozen=True)
class CaptureStats:
    """What was in the file. ``first`` and ``last`` are the least and greatest time, None without packets.

    packets = ip_packets + non_ip. Later fragments are in no flow. ``short_frames`` are IP packets whose headers are
    cut or contradictory: in no flow where it cannot be told whose they are; where only the length in the TCP or UDP
    header is wrong, in their flow without payload. ``dns_streams_cut`` counts directions of TCP port 53 flows that
    were not read as DNS to their end: too long, or with a hole. ``partial`` says where and why reading stopped early,
    or is None.
    """

    form: str
    linktypes: tuple[int, ...]
    file_bytes: int
    packets: int
    first: int | None
    last: int | None
    ip_packets: int
    non_ip: int
    fragments: int
    short_frames: int
    out_of_order: int
    partial: str | None
    dns_streams_cut: int = 0


@dataclass(frozen=True)
class Capture:
    """The tables of a capture: ``flows`` as contract.SCHEMAS without device, inbound, uid, package."""

    flows: pa.Table
    exchanges: pa.Table
    dns: pa.Table
    stats: CaptureStats
    owners: Owners | None = None


@dataclass(frozen=True)
class Owners:
    """What PCAPdroid told of apps: the uid of each flow (columns flow, uid), and of each uid (package, label)."""

    flows: pa.Table
    apps: dict[int, tuple[str | None, str | None]]


def read_capture(
    path: Path, *, allow_partial: bool = False, progress: Progress | None = None, threads: int | None = None
) -> Capture:
    """The flows, exchanges and DNS of a capture file, the same with any number of ``threads`` (None: up to two).

    Raises CaptureError where the file is no capture, or is cut or damaged; with ``allow_partial`` everything before
    the damage is kept and ``stats.partial`` says why.
    """
    from detector.capture.lanes import Lanes

    lanes = Lanes() if threads is None else Lanes(threads)
    with _no_collection(), lanes.quick():
        return _read(path, allow_partial, progress or Progress(), lanes)


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for cycles meanwhile: a reader builds many objects and no cycle, and would be scanned over and over."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _read(path: Path, allow_partial: bool, progress: Progress, lanes: Lanes) -> Capture:  # noqa: FBT001  # private
    from detector.capture import dns, heads, tables
    from detector.capture.exchanges import exchange_table
    from detector.capture.flows import cut
    from detector.capture.mapped import MappedFile
    from detector.capture.packets import decode
    from detector.capture.pairs import pair
    from detector.capture.pcapdroid import read_tags
    from detector.capture.records import read_records

    file = MappedFile(path)
    records = read_records(file, path, lanes)
    if records.damage and not allow_partial:
        raise CaptureError(path, records.damage)
    packets, tally = decode(file, records, progress, lanes)
    stats, tags = _stats(records, tally, file.size), read_tags(file, records)
    del records
    paired = pair(packets, lanes)
    del packets
    flows = cut(paired)
    del paired
    counted = lanes.aside(lambda: (exchange_table(flows, file), tables.measured(flows)))
    first = heads.heads_of(flows, file)
    ends = tables.addresses(flows)
    found, streams_cut = dns.lookups(flows, file)
    names = heads.names_of(flows, first)
    del first
    exchanges, measured = counted.result()
    table = tables.flow_table(measured, names, ends, found)
    looked_up = dns.dns_table(found, flows, *ends)
    owners = None if tags is None else _owners(tags, flows)
    return Capture(table, exchanges, looked_up, replace(stats, dns_streams_cut=streams_cut), owners)


def _owners(tags: Tags, flows: Flows) -> Owners:
    import pyarrow as pa

    uid = tags.uids(flows)
    known = uid >= 0
    columns = {"flow": pa.array(flows.number[known]), "uid": pa.array(uid[known], pa.int32())}
    return Owners(pa.table(columns), {number: (app.package, app.label) for number, app in tags.apps.items()})


def _stats(records: Records, tally: Tally, file_bytes: int) -> CaptureStats:
    import numpy as np

    return CaptureStats(
        form=records.form,
        linktypes=tuple(np.unique(records.link).tolist()),
        file_bytes=file_bytes,
        packets=len(records),
        first=tally.first,
        last=tally.last,
        ip_packets=tally.ip_packets,
        non_ip=tally.non_ip,
        fragments=tally.fragments,
        short_frames=tally.short_frames,
        out_of_order=tally.out_of_order,
        partial=str(records.damage) if records.damage else None,
    )
