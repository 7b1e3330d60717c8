"""The wire stage: a timeline played in virtual time as real packets, without root, network or clock.

Per slice of conversations: messages (lab.stages.dialogues), packets (segments), and in the end frames in the order of
time (frames). Payloads wait in an unlinked file, so memory holds one slice and 40 bytes per packet.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from detector.contract import Advance
from lab.recording import CAPTURE, recording_name, seal, write_atomic
from lab.stages.awaited import settled
from lab.stages.conn_log import write_labels
from lab.stages.dialogues import Slice, Wrap, formats_of, slices
from lab.stages.enveloped import Envelopes
from lab.stages.frames import file_header, payload_sums, records
from lab.stages.labels import Carried, Places
from lab.stages.link import TUNNEL_HEADERS, Int64, Links, links_of
from lab.stages.losses import counted, lossy, manners_of
from lab.stages.requests import Request
from lab.stages.segments import Packets, packets_of, refuse_larger
from lab.stages.sensors import write_sensors
from lab.stages.severed import answered, severed
from lab.stages.trails import Heard, Trails
from lab.stages.uncollected import uncollected
from lab.store import folder_in_the_making
from lab.timeline import Timeline
from lab.truth import truth_of, write_truth

BLOCK = 1 << 13  # packets laid out at a time; small enough that its pages are used again
_NARROW = {
    "conversation": np.int32,
    "time": np.int64,
    "local": np.bool_,
    "flags": np.uint8,
    "offset": np.int64,
    "length": np.uint16,
    "seq": np.uint32,
    "ack": np.uint32,
    "ident": np.uint16,
}
Columns = dict[str, npt.NDArray[np.generic]]


@dataclass
class _Laid:
    """What has been played so far: packet columns, counts per conversation, requests; payloads are in ``spill``."""

    timeline: Timeline
    links: Links
    manner: Int64  # how each conversation bears a loss
    spill: BinaryIO
    columns: list[Columns] = field(default_factory=list)
    carried: list[Carried] = field(default_factory=list)
    trails: list[Trails] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    envelopes: Envelopes = field(default_factory=Envelopes)


def play(
    timeline: Timeline,
    folder: Path,
    *,
    real_tls: bool = False,
    replace: bool = False,
    progress: Advance | None = None,
) -> Path:
    """Plays the timeline and writes its recording at ``folder``, all or nothing; ``progress`` gets (done, total).

    Raises FileExistsError if something stands there (unless it is a recording and ``replace``), ScenarioError on a
    folder name no recording may have, StageError on a peer outside the lab or a protocol that breaks its law, and
    OSError if the disk fails. ``real_tls`` handshakes live, leaves the key log in truth/ and gives up byte-identity.
    """
    recording_name(folder)
    refuse_occupied(folder, replace=replace)
    formats = formats_of(timeline)
    transports = [found.TRANSPORT for found in formats]
    timeline, links = settled(timeline, links_of(timeline, transports), transports)
    advance = progress or (lambda _done, _total: None)
    with folder_in_the_making(folder) as making, uncollected():
        for part in ("telemetry", "truth"):
            (making / part).mkdir()
        tls = _live(making / "truth/tls-keys.log") if real_tls else None
        with tempfile.TemporaryFile(dir=making) as spill:
            laid = _Laid(timeline, links, manners_of(timeline, links.tcp), spill)
            laid.envelopes.mtu = timeline.network.mtu - TUNNEL_HEADERS
            total = len(timeline.conversations.start)
            for spoken in slices(timeline, links, formats, tls):
                _lay(laid, spoken)
                advance(spoken.first + len(spoken.ends.start), 2 * total)
            _seal_envelopes(laid, timeline.seed)
            capture = _write_capture(making / CAPTURE, laid, advance, total)
        write_sensors(timeline, links, laid.carried, laid.requests, making / "telemetry")
        write_truth(truth_of(timeline), making / "truth")
        places, carried = Places.of(timeline, links), Carried.joined(laid.carried)
        write_labels(timeline, places, carried, Trails.joined(laid.trails), making / "truth")
        seal(making, about(timeline, "wire"), {CAPTURE: capture})
    return folder


def refuse_occupied(folder: Path, *, replace: bool) -> None:
    """FileExistsError unless the place is free, or holds a recording that may be replaced.

    PermissionError if nothing can be written beside it: said before anything is played.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        raise PermissionError(13, "no right to write here; give another folder", str(folder.parent))
    if not folder.exists() and not folder.is_symlink():
        return
    if not (folder / "recording.json").is_file():
        raise FileExistsError(17, "stands there and is no recording; give another folder", str(folder))
    if not replace:
        raise FileExistsError(17, "a recording is there already; give another folder, or --force", str(folder))


def about(timeline: Timeline, stage: str) -> dict[str, object]:
    """What a recording's manifest says of the timeline that was played."""
    return {
        "scenario": timeline.scenario,
        "scenario_sha256": timeline.scenario_sha256,
        "twin_of": timeline.twin_of,
        "seed": timeline.seed,
        "stage": stage,
        "start": timeline.start,
        "span_s": timeline.span / 1_000_000,
        "speed": 1,
        **({"past": dict(timeline.past)} if timeline.past else {}),
        **({"devices": timeline.enlarged} if timeline.enlarged else {}),
    }


def _live(keys: Path) -> Wrap:
    from lab.protocols.real_tls import LiveTls

    return LiveTls(keys).wrap


def _lay(laid: _Laid, spoken: Slice) -> None:
    """Adds a slice: its packets as narrow columns, its payload to the spill."""
    rows = slice(spoken.first, spoken.first + len(spoken.ends.start))
    packets, payload, tcp = packets_of(spoken.ends, spoken.messages), spoken.payload, laid.links.tcp[rows]
    refuse_larger(packets, tcp, laid.links.six[rows], laid.timeline.network.mtu)
    if laid.timeline.network.loss:
        whole = packets, payload
        packets, payload = lossy(laid.timeline.network, laid.manner[rows], spoken.ends, spoken.messages, whole)
    packets = severed(packets, laid.links.until[rows], laid.links.lingers[rows])
    new, six = counted(packets, tcp) if laid.timeline.network.loss else packets, laid.links.six[rows]
    laid.carried.append(Carried.of(spoken.ends, new))
    laid.trails.append(Trails.of(Heard.of(packets, new, spoken.ends.inbound, tcp, six), len(tcp)))
    packets = laid.envelopes.add(packets, laid.links.tunnel[rows], tcp, six)
    sums = payload_sums(payload, packets.offset, packets.length)
    place = laid.spill.tell()
    laid.spill.write(payload.data)
    shifted = {**vars(packets), "conversation": packets.conversation + spoken.first, "offset": packets.offset + place}
    laid.columns.append({**{name: shifted[name].astype(kind) for name, kind in _NARROW.items()}, "sums": sums})
    laid.requests += answered(spoken.requests, laid.links)


def _seal_envelopes(laid: _Laid, seed: int) -> None:
    """Adds the datagrams of tunnels, and what they carry to the counts of the tunnels."""
    links = laid.links
    laid.carried, laid.trails = [Carried.joined(laid.carried)], [Trails.joined(laid.trails)]
    for packets, payload in laid.envelopes.sealed(list(laid.columns), laid.spill, seed):
        sums = payload_sums(payload, packets.offset, packets.length)
        place = laid.spill.seek(0, os.SEEK_END)
        laid.spill.write(payload.data)
        shifted = {**vars(packets), "offset": packets.offset + place}
        laid.columns.append({**{name: shifted[name].astype(kind) for name, kind in _NARROW.items()}, "sums": sums})
        laid.carried[0].add(packets, links.inbound)
        laid.trails[0].add(Heard.of(packets, packets, links.inbound, links.tcp, links.six))


def _write_capture(path: Path, laid: _Laid, advance: Advance, total: int) -> dict[str, int | str]:
    """Writes the frames in the order of time; returns the manifest's entry of the file, hashed on its way."""
    columns: Columns = {}
    for name in (*_NARROW, "sums"):
        parts = [slice_.pop(name) for slice_ in laid.columns]
        columns[name] = np.concatenate(parts) if parts else np.zeros(0, dtype=_NARROW.get(name, np.uint16))
    order = np.argsort(columns["time"], kind="stable")
    laid.spill.flush()
    size = laid.spill.tell()
    payload = memoryview(mmap.mmap(laid.spill.fileno(), size, access=mmap.ACCESS_READ) if size else b"")
    digest, written = hashlib.sha256(), 0

    def add(file: BinaryIO, part: bytes) -> None:
        nonlocal written
        digest.update(part)
        written += file.write(part)

    def write(file: BinaryIO) -> None:
        add(file, file_header())
        for first in range(0, len(order), BLOCK):
            rows = order[first : first + BLOCK]
            add(file, _block(laid.links, {name: column[rows] for name, column in columns.items()}, payload))
            advance(total + total * (first + len(rows)) // len(order), 2 * total)

    write_atomic(path, write)
    return {"packets": len(order), "bytes": written, "sha256": digest.hexdigest()}


def _block(links: Links, columns: Columns, payload: memoryview) -> bytes:
    """The pcap records of some packets."""
    sums = columns.pop("sums")
    wide = {name: column if name == "local" else column.astype(np.int64) for name, column in columns.items()}
    packets = Packets(**wide)  # type: ignore[arg-type]  # the columns are those of _NARROW, widened
    rows, size = records(links, packets, sums.astype(np.uint16))
    width = rows.shape[1]
    heads = memoryview(rows.tobytes())
    begins = range(0, len(rows) * width, width)
    pieces: list[memoryview] = []
    for begin, length, offset, said in zip(
        begins, size.tolist(), packets.offset.tolist(), packets.length.tolist(), strict=True
    ):
        pieces.append(heads[begin : begin + length])
        if said:
            pieces.append(payload[offset : offset + said])
    return b"".join(pieces)
