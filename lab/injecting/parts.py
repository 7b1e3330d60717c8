"""A capture read part by part: some megabytes at a time, whatever its size, by the detector's own reader.

Rule: what a part holds is what reading the whole file would give; a place of damage is a place of the file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from detector.capture.chains import walk
from detector.capture.damage import CaptureError, Damage
from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.pcap import FILE_HEADER, MAGICS
from detector.capture.pcapng import INTERFACE, ORDERS, SECTION, SECTION_MAGIC, BlockLinks
from detector.capture.records import Records, read_records
from lab.errors import EvidenceError

PART = 16 << 20  # bytes read at once
RECORD = 16  # bytes of a classic record's header
CUT = "end of file"  # how the reader begins what it says of a record that is not whole
PLAIN = bytes.fromhex("d4c3b2a1")  # little endian, microseconds: records that can be written as they are


@dataclass(frozen=True)
class Place:
    """Where a part begins: so many packets stand before byte ``at``; ``prefix`` is what a reader must know first."""

    at: int = 0
    packets: int = 0
    prefix: bytes = b""
    last_time: int = 0


@dataclass(frozen=True)
class Part:
    """Consecutive packets: ``records`` are places in ``file``, which holds the part's bytes."""

    place: Place
    file: MappedFile
    records: Records
    plain: bool  # its bytes are records of a classic little-endian file in microseconds
    end: int  # the byte of the capture before which it ends

    def __len__(self) -> int:
        return len(self.records)


def parts(path: Path, *, allow_partial: bool = False, size: int = PART) -> Iterator[Part]:
    """The packets of a capture in file order, none twice; the last part's ``records.damage`` is what stopped it.

    CaptureError with packet and byte where it is damaged, once all before that has been given, unless
    ``allow_partial``; EvidenceError for what is no regular file.
    """
    place: Place | None = Place()
    while place is not None:
        part, place = part_at(path, place, size=size)
        yield part
        if part.records.damage and not allow_partial:
            raise CaptureError(
                path, part.records.damage, f"with --allow-partial the {part.end:,} bytes before are used"
            )


def part_at(path: Path, place: Place, *, size: int = PART) -> tuple[Part, Place | None]:
    """The part that begins there, and where the next one does; None at the end of the file or at damage."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise EvidenceError(f"{path}: found no regular file, expected a capture that can be read twice")
    while True:
        with path.open("rb") as source:
            whole = os.fstat(source.fileno()).st_size
            source.seek(place.at)
            body = source.read(size)
        part, following = _read(path, place, body, ended=place.at + len(body) >= whole)
        if following is None or following.at > place.at:
            return part, following
        size *= 2  # one block is longer than that


def _read(path: Path, place: Place, body: bytes, *, ended: bool) -> tuple[Part, Place | None]:
    file = MappedFile.of(place.prefix + body)
    back = place.at - len(place.prefix)  # from a place in ``file`` to one in the capture
    records = _timed(read_records(file, path, ONE_LANE), place.last_time)
    classic = file.span(0, 4) in MAGICS
    stop, prefix = _classic_stop(file, records) if classic else _blocks_stop(file)
    damage = records.damage
    if damage and not ended and damage.found.startswith(CUT):
        damage = None
    elif damage:
        damage = replace(damage, packet=damage.packet + place.packets, offset=damage.offset + back)
        stop = _last_end(records, len(place.prefix))
    part = Part(place, file, replace(records, damage=damage), file.span(0, 4) == PLAIN, back + stop)
    if damage or (ended and stop >= file.size):
        return part, None
    last = int(records.time[-1]) if len(records) else place.last_time
    return part, Place(back + stop, place.packets + len(records), prefix, last)


def _timed(records: Records, last: int) -> Records:
    """The records; packets without a time of their own at the beginning of a part have that of the one before."""
    if records.form == "pcap" or not last or not len(records) or records.time[0]:
        return records
    leading = np.cumprod(records.time == 0).astype(bool)
    return replace(records, time=np.where(leading, last, records.time))


def _last_end(records: Records, least: int) -> int:
    return int(records.offset[-1]) + int(records.caplen[-1]) if len(records) else least


def _classic_stop(file: MappedFile, records: Records) -> tuple[int, bytes]:
    """Where the last whole record of a classic file ends, and its file header."""
    return _last_end(records, min(FILE_HEADER, file.size)), file.span(0, FILE_HEADER)


def _blocks_stop(file: MappedFile) -> tuple[int, bytes]:
    """Where the last whole block of a pcapng file ends, and the head of the section it is in, interfaces included."""
    at, prefix = 0, b""
    while at < file.size:
        order = ORDERS.get(file.span(at + 8, at + 12), "")
        if file.span(at, at + 4) != SECTION_MAGIC or not order:
            break
        links = BlockLinks(file, order, at, file.size)
        blocks, stop = walk(links, ONE_LANE)
        if stop == at:
            break
        kinds = file.gather(blocks, 4).view(order + "u4").ravel()
        first = int(np.flatnonzero(kinds == SECTION)[-1])
        told = blocks[first:][np.isin(kinds[first:], (SECTION, INTERFACE))]
        prefix = b"".join(file.spans(told, told + links.lengths(told)))
        at = stop
    return at, prefix


def refuse_empty(path: Path, packets: int) -> None:
    """EvidenceError if there is no packet at all."""
    if not packets:
        raise CaptureError(path, Damage(1, path.stat().st_size, "no packet", "at least one"), "is this the right file?")
