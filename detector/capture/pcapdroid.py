"""What PCAPdroid adds to its captures: the app of every packet, in trailers (pcap) or comments (pcapng).

Formats: PCAPdroid's pcap_dump.h, pcap_dump.c and advanced_features.md section 4.5 at c735049. A trailer is the last
32 bytes of an Ethernet record: magic, uid and label big-endian, then a checksum that PCAPdroid itself does not check,
nor do we. In pcapng a packet's comment ``u-<uid>`` names an app that a custom block of PEN 62652 described before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detector.capture.chains import walk_in_order
from detector.capture.flows import Flows
from detector.capture.link import ETHERNET
from detector.capture.mapped import MappedFile
from detector.capture.pcapng import HEAD, ORDERS, BlockLinks
from detector.capture.records import Records

TRAILER, MAGIC = 32, 0x01072021
CUSTOM, PEN, VERSION, UID_MAP = 0x0BAD, 62652, 1, 1
COMMENT, FLAGS = 1, 2  # options of an Enhanced Packet Block
UNKNOWN = -1
_SAMPLE = 256  # packets, from all over a file, that tell whether it has any of it (up to twice as many)
_OPTIONS = 4  # options of a packet that are looked at
_COMMENT_BYTES = 16

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class App:
    """What a custom block says of a uid."""

    package: str | None
    label: str | None


@dataclass(frozen=True)
class Tags:
    """The uid of each record of a capture, by its place in the file; UNKNOWN where it has none."""

    offset: Ints
    uid: Ints
    apps: Mapping[int, App] = field(default_factory=dict)

    def uids(self, flows: Flows) -> Ints:
        """(flows,) by slot the first uid that a packet of the flow tells, in order of time; UNKNOWN for none."""
        record = np.searchsorted(self.offset, flows.packets.at, "right") - 1
        uid = self.uid[record]
        known = np.flatnonzero(uid != UNKNOWN)[::-1]
        found = np.full(len(flows), UNKNOWN, np.int64)
        found[flows.slot[known]] = uid[known]
        return found


def read_tags(file: MappedFile, records: Records) -> Tags | None:
    """What PCAPdroid said of the packets; None for a capture that is not PCAPdroid's, or that says nothing."""
    if not len(records) or (np.diff(records.offset) < 0).any():
        return None
    few = slice(None, None, max(len(records) // _SAMPLE, 1))
    reader = _comments if records.form == "pcapng" else _trailers
    if not (reader(file, records, few) != UNKNOWN).any():
        return None
    apps = _apps(file) if records.form == "pcapng" else {}
    uid = reader(file, records, slice(None))
    if records.form == "pcapng":  # a comment counts only where its uid was described
        uid[~np.isin(uid, sorted(apps))] = UNKNOWN
    return Tags(records.offset.astype(np.int64), uid, apps) if (uid != UNKNOWN).any() else None


def _trailers(file: MappedFile, records: Records, part: slice) -> Ints:
    """The uid in each record's trailer."""
    offset, caplen = records.offset[part], records.caplen[part].astype(np.int64)
    out = np.full(len(offset), UNKNOWN, np.int64)
    rows = np.flatnonzero((records.link[part] == ETHERNET) & (caplen >= TRAILER + 14 + 20))
    for begin in range(0, len(rows), 1 << 16):
        some = rows[begin : begin + (1 << 16)]
        words = file.gather(offset[some] + caplen[some] - TRAILER, 8).view(">u4")
        uid = words[:, 1].astype(np.uint32).view(np.int32).astype(np.int64)
        out[some] = np.where((words[:, 0] == MAGIC) & (uid >= 0), uid, UNKNOWN)
    return out


def _comments(file: MappedFile, records: Records, part: slice) -> Ints:
    """The uid in each packet's comment."""
    offset, caplen = records.offset[part].astype(np.int64), records.caplen[part].astype(np.int64)
    out = np.full(len(offset), UNKNOWN, np.int64)
    order = ORDERS.get(file.span(8, 12), "<")
    length = file.gather(np.maximum(offset - HEAD + 4, 0), 4).view(order + "u4").ravel().astype(np.int64)
    at, end = offset + (caplen + 3) // 4 * 4, offset - HEAD + length - 4
    rows = np.arange(len(offset))
    for _ in range(_OPTIONS):
        rows = rows[at[rows] + 4 <= end[rows]]
        if not len(rows):
            break
        head = file.gather(at[rows], 4).view(order + "u2").astype(np.int64)
        said = rows[(head[:, 0] == COMMENT) & (head[:, 1] <= _COMMENT_BYTES)]
        out[said] = _uids(file.gather(at[said] + 4, _COMMENT_BYTES), head[np.isin(rows, said), 1])
        going = (head[:, 0] != 0) & (head[:, 0] != COMMENT)
        at[rows] += 4 + (head[:, 1] + 3) // 4 * 4
        rows = rows[going]
    return out


def _uids(values: NDArray[np.uint8], length: Ints) -> Ints:
    """The uid of each comment of that length."""
    values = np.where(np.arange(_COMMENT_BYTES) < length[:, None], values, 0).astype(np.uint8)
    kinds, place = np.unique(np.ascontiguousarray(values).view(f"S{_COMMENT_BYTES}").ravel(), return_inverse=True)
    found: Ints = np.array([_uid(text) for text in kinds.tolist()] + [UNKNOWN], np.int64)[place]
    return found


def _uid(text: bytes) -> int:
    digits = text.removeprefix(b"u-")
    return int(digits) if text.startswith(b"u-") and digits.isdigit() and len(digits) < 10 else UNKNOWN


def _apps(file: MappedFile) -> dict[int, App]:
    """What the custom blocks of the first section describe."""
    order = ORDERS.get(file.span(8, 12), "<")
    blocks, _ = walk_in_order(BlockLinks(file, order, 0, file.size), 0, file.size)
    parts = [blocks[at : at + (1 << 16)] for at in range(0, len(blocks), 1 << 16)]
    kinds = np.concatenate([file.gather(part, 4).view(order + "u4").ravel() for part in parts])
    found: dict[int, App] = {}
    for at in blocks[kinds == CUSTOM].tolist():
        head = file.span(at, at + 22)
        small: Literal["little", "big"] = "little" if order == "<" else "big"
        if int.from_bytes(head[8:12], small) != PEN or head[14:15] != bytes([UID_MAP]):
            continue
        if int.from_bytes(head[12:14], small) > VERSION:
            continue
        uid = int.from_bytes(head[16:20], small, signed=True)
        names = file.span(at + 22, at + 22 + head[20] + head[21])
        found[uid] = App(_text(names[: head[20]]), _text(names[head[20] :]))
    return found


def _text(data: bytes) -> str | None:
    return data.decode("utf-8", "replace").rstrip("\0") or None
