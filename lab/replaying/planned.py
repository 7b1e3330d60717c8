"""What a replay will send, and when: read, chosen, rewritten and scheduled before the first frame leaves.

Nothing is sent here. The plan can be shown, put on a wire, or written down as a capture in virtual time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from detector.contract import Advance
from lab.errors import ScenarioError
from lab.replaying.addressing import Mapped, macs_of, mapped
from lab.replaying.checksums import Int64
from lab.replaying.choosing import devices_of, hardware, inside_of, rows_of, sides
from lab.replaying.prepared import Prepared, prepare, write_pcap_header, write_pcap_records
from lab.replaying.rewriting import Rewriting
from lab.replaying.schedule import departures, period, recovered
from lab.replaying.sender import busiest_second
from lab.replaying.source import Source, read_source
from lab.store import write_atomic

USUAL_CAP = 100_000.0  # frames a second


@dataclass(frozen=True)
class Wishes:
    """What a replay is to be like: the options of the command line."""

    speed: float = 1.0
    loops: int = 1
    maps: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    cap: float = USUAL_CAP
    allow_partial: bool = False


@dataclass(frozen=True)
class Plan:
    """What would be sent: frames, when each is due (nanoseconds since the start), on which side each starts."""

    path: Path
    prepared: Prepared
    mapped: Mapped
    names: tuple[str, ...]  # of the devices, where the input knows them
    due: Int64
    side: NDArray[np.uint8]
    loops: int
    period: int  # nanoseconds from one round to the next
    held: int  # frames that the rate cap makes later than recorded
    cap: float  # frames a second that are never exceeded, however late some are
    began: int  # microseconds since the epoch at which the first frame was recorded

    @property
    def longest(self) -> int:
        """The bytes of the longest frame."""
        return int(self.prepared.size.max())

    @property
    def busiest_second(self) -> int:
        """The most frames that are due within any second of all rounds; of rounds shorter than that a bound."""
        once = busiest_second(self.due)
        crowded = -(-1_000_000_000 // self.period) + 1
        return once if self.loops == 1 or self.period >= 2_000_000_000 else once * min(self.loops, crowded)

    @property
    def called(self) -> set[str]:
        """Everything that who speaks in the replay may be called: addresses as sent, names of devices."""
        return {*self.names, *(sent for _, sent in self._addresses())}

    @property
    def lasts_s(self) -> float:
        """How long all rounds will take."""
        return ((self.loops - 1) * self.period + int(self.due[-1])) / 1e9

    def to_json(self) -> dict[str, Any]:
        """What would go where, as plain JSON values."""
        talk = self.prepared.source
        outside = int(np.count_nonzero(self.side))
        return {
            "input": str(self.path),
            "frames": len(self.due) * self.loops,
            "rounds": self.loops,
            "bytes": int(self.prepared.size.sum()) * self.loops,
            "longest_frame": self.longest,
            "lasts_s": round(self.lasts_s, 3),
            "busiest_second": self.busiest_second,
            "held_by_rate_cap": self.held,
            "from_devices": (len(self.due) - outside) * self.loops,
            "from_others": outside * self.loops,
            "flows": len(np.unique(talk.flow[talk.flow >= 0])),
            "no_ip": int(np.count_nonzero(talk.net < 0)),
            "addresses": [{"recorded": old, "sent": new} for old, new in self._addresses()],
        }

    def _addresses(self) -> list[tuple[str, str]]:
        """Who speaks or is spoken to, busiest first: as recorded and as sent."""
        talk = self.prepared.source
        places = np.concatenate([talk.source, talk.target])
        count = np.bincount(places[places >= 0], minlength=len(self.mapped.before))
        busiest = [place for place in np.argsort(-count, kind="stable").tolist() if count[place]]
        return [(self.mapped.before[place], self.mapped.after[place]) for place in busiest]


def plan(path: Path, wishes: Wishes, advance: Advance) -> Plan:
    """Reads a recording or capture, chooses, rewrites and schedules; nothing is sent.

    Raises EvidenceError for damaged evidence, ScenarioError for wishes that cannot be and for addresses that may not
    be sent, FileNotFoundError where there is nothing.
    """
    if not (wishes.speed > 0 and wishes.cap > 0):  # NaN is neither
        raise ScenarioError(["--speed and --rate-cap: expected more than 0"])
    source, devices, span = _opened(path, wishes)
    _refuse_opaque(path, source)
    used = np.unique(np.concatenate([source.source, source.target]))
    spoken = [source.addresses[place] for place in used.tolist() if place >= 0]
    found = mapped(spoken, wishes.maps, devices)
    became = dict(zip(spoken, found.after, strict=True))
    chosen = replace(found, before=source.addresses, after=tuple(became.get(one, one) for one in source.addresses))
    macs = macs_of(wishes.macs, hardware(source, devices)) if wishes.macs else {}
    prepared = prepare(source, Rewriting(chosen, macs), advance)
    wished = departures(source.time, wishes.speed, cap=np.inf)
    due = departures(source.time, wishes.speed, cap=wishes.cap)
    return Plan(
        path=path,
        prepared=prepared,
        mapped=chosen,
        names=tuple(devices),
        due=due,
        side=sides(source, inside_of(source.addresses, devices)),
        loops=wishes.loops,
        period=max(period(source.time, span, wishes.speed), int(due[-1]) + 1_000_000, recovered(due, wishes.cap)),
        held=int(np.count_nonzero(due > wished)),
        cap=wishes.cap,
        began=int(source.time[0]),
    )


def _refuse_opaque(path: Path, source: Source) -> None:
    """ScenarioError for frames whose addresses cannot be read: nobody knows whether they may be sent."""
    if hidden := int(np.count_nonzero(source.opaque)):
        found = f"{hidden:,} frames (the first is number {int(source.opaque.argmax()) + 1:,} by time)"
        advice = "leave them out: tcpdump -r IN -w OUT 'ip or ip6 or arp or vlan'"
        raise ScenarioError([f"{path}: found {found} in which no address can be read, expected IP or ARP; {advice}"])


def _opened(path: Path, wishes: Wishes) -> tuple[Source, dict[str, list[str]], int]:
    """The frames to be sent, the devices by name, and the recording's span in microseconds (0: unknown)."""
    if not (path / "recording.json").exists() and not (path / "telemetry").is_dir():
        if not path.is_file():
            raise FileNotFoundError(2, "no such recording or capture", str(path))
        if wishes.only:
            raise ScenarioError([f"--only: {path} is a capture, which knows no incidents; expected a recording"])
        return read_source(path, allow_partial=wishes.allow_partial), {}, 0
    from lab.recording import CAPTURE, open_recording

    recording = open_recording(path, allow_partial=wishes.allow_partial)
    if not (path / CAPTURE).is_file():
        raise ScenarioError([f"{path}: stage {recording.stage} recorded no packets; record it with --stage wire"])
    source, truth = read_source(path / CAPTURE, allow_partial=wishes.allow_partial), recording.truth()
    if wishes.only:
        return source.take(rows_of(source, path, truth, wishes.only)), devices_of(truth), 0
    return source, devices_of(truth), round(recording.span_s * 1e6)


def write_virtual(planned: Plan, path: Path) -> None:
    """The replay in virtual time: a capture of what would be on the wire, each frame at its moment of the schedule.

    The first frame keeps the time at which it was recorded; OSError leaves what was at ``path`` as it was.
    """

    def write(file: BinaryIO) -> None:
        write_pcap_header(file)
        for number in range(planned.loops):
            if number:
                planned.prepared.turn()
            moment = planned.began + (planned.due + number * planned.period) // 1_000
            write_pcap_records(file, planned.prepared, moment)

    write_atomic(path, write)
