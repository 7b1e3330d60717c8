"""The recording of a live run: everything that was seen, in scenario time, and under lab/ how it came to be.

The recorder trusts no one: a conversation that is not found where it must be, a fault of gateway, proxy or capture, a
count that is not that of the file, or a containment that was not proved, makes a recording that says it is not
complete, and why.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np

from detector.contract import rfc3339
from lab.recording import CAPTURE, seal, write_json, write_parquet
from lab.stages.conn_log import write_labels
from lab.stages.labels import Carried, Places
from lab.stages.link import Int64
from lab.stages.live.clocks import anchors_table, clock_table
from lab.stages.live.joined import Joined, join
from lab.stages.live.mapping import Mapped, map_captures
from lab.stages.live.pace import EARLY_US, GAP_US, RAMP_US, REST_US, Course, Tempo, span_real
from lab.stages.live.script import Played, Script
from lab.stages.live.tables import (
    Installed,
    Reading,
    Row,
    packages_table,
    requests_of,
    requests_table,
    sockets_of,
    sockets_table,
    states_table,
)
from lab.stages.live.tuples import FlowIndex, index_flows
from lab.timeline import Timeline
from lab.truth import truth_of, write_truth

INVERSE = (
    "wall clock = epoch_us + real - (-(time - scenario) * run // rise), of the conversation's last row in"
    " lab/anchors.parquet whose scenario is not later than time, or of its first"
)


@dataclass(frozen=True)
class Evidence:
    """What a run leaves behind, all of it on the wall clock, in us since the epoch.

    ``sockets`` and ``requests`` have the columns of the contract's ``sockets`` and ``http``; closing sockets may have
    ``bytes_up`` and ``bytes_down``. ``intercepted`` are the conversations that must be found among the requests.
    ``containment`` is good if it was tried and its ``held`` and ``proved`` are True. ``state_courses`` are those of
    ``pace.state_courses``, for devices whose states were set by them. ``counted`` is what the gateway says of its
    capture: ``packets``, ``dropped``, ``lines`` of its events. ``remarks`` are further members of lab/run.json.
    """

    timeline: Timeline
    scripts: Sequence[Script]  # of all conversations, in the timeline's order
    courses: Mapping[int, Course]
    played: Sequence[Played]
    epoch_us: int  # the run's start
    speed: float
    captures: Sequence[Path]
    sockets: Sequence[Row]
    requests: Sequence[Row]
    intercepted: Collection[int]
    readings: Mapping[str, Sequence[Reading]]
    installed: Installed
    containment: Mapping[str, Any]
    gateway_events: Path | None = None
    faults: Sequence[str] = ()  # of gateway, proxy, capture, servers or devices
    versions: Mapping[str, str] = field(default_factory=dict)  # of tools in containers
    state_courses: Mapping[str, Course] = field(default_factory=dict)
    counted: Mapping[str, Any] = field(default_factory=dict)
    remarks: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tempo(self) -> Tempo:
        """The run's plain clock."""
        return Tempo(self.epoch_us, self.timeline.start, self.speed)


def write_recording(making: Path, evidence: Evidence) -> str:
    """Writes and seals the recording in a new folder; why it is not complete, or "" if it is.

    Raises OSError if the disk fails. What is missing or damaged among the evidence is a reason, never an exception.
    """
    for part in ("telemetry", "truth", "lab"):
        (making / part).mkdir()
    flows = index_flows(evidence.scripts, evidence.played, evidence.courses, evidence.tempo)
    captures, faults = _captures(evidence)
    mapped = map_captures(captures, making / CAPTURE, flows, _devices(evidence.timeline))
    joined, odd = _write_tables(making / "telemetry", evidence, flows, mapped)
    _write_truth(making / "truth", evidence, mapped)
    reasons = [*evidence.faults, *faults, *_lost(mapped), *_uncounted(evidence, mapped), *odd, *joined.faults()]
    reasons += _escaped(evidence.containment)
    reasons += joined.left_open() if not reasons else []  # a run cut short leaves sockets open: counted, no fault
    _write_lab(making / "lab", evidence, mapped, joined, reasons)
    reason = "; ".join(reasons)
    seal(making, _about(evidence), {CAPTURE: mapped.entry}, reason=reason)
    return reason


def _captures(evidence: Evidence) -> tuple[list[Path], list[str]]:
    """The captures that are there, and what is wrong with their number."""
    there = [path for path in evidence.captures if path.is_file()]
    faults = [f"capture {path.name} is missing" for path in evidence.captures if path not in there]
    return there, faults if evidence.captures else ["nothing was captured"]


def _devices(timeline: Timeline) -> Int64:
    return np.array([int(IPv4Address(device.address)) for device in timeline.devices], dtype=np.int64)


def _lost(mapped: Mapped) -> list[str]:
    lost = [f"{mapped.lost_bytes} bytes of capture lost"] if mapped.lost_bytes else []
    return [*lost, *mapped.faults]


def _uncounted(evidence: Evidence, mapped: Mapped) -> list[str]:
    """Where the gateway's counts are unknown, or are not those of the files it wrote."""
    there = {"packets": mapped.entry["packets"], "lines": _lines(evidence.gateway_events)}
    found = []
    for what, count in there.items():
        said = evidence.counted.get(what)
        if said is None:
            found.append(f"the gateway did not say how many {what} it captured")
        elif said != count:
            found.append(f"the gateway says it captured {said} {what}, found {count}")
    if evidence.counted.get("dropped") is None:
        found.append("the gateway did not say how many packets the capture dropped")
    return found


def _lines(path: Path | None) -> int:
    """How many whole lines a file has; 0 if there is none."""
    if path is None or not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(line.endswith(b"\n") for line in file)


def _escaped(certificate: Mapping[str, Any]) -> list[str]:
    """Why a containment certificate (``topology.containment.certify``) is none; empty if it is one."""
    if not certificate.get("attempts"):
        return ["containment was not tried"]
    if certificate.get("held") is not True:
        return ["containment did not hold: see lab/containment.json"]
    if certificate.get("proved") is not True:
        return ["containment could not be proved: its controls did not fire, see lab/containment.json"]
    return []


def _write_tables(folder: Path, evidence: Evidence, flows: FlowIndex, mapped: Mapped) -> tuple[Joined, list[str]]:
    """The telemetry beside the capture; what was found where, and where devices differ from the inventory."""
    timeline = evidence.timeline
    socket, request = sockets_of(evidence.sockets, flows), requests_of(evidence.requests, flows)
    packages, odd = packages_table(evidence.installed, timeline)
    states = states_table(evidence.readings, evidence.installed, evidence.tempo, evidence.state_courses)
    write_parquet(folder / "sockets.parquet", sockets_table(evidence.sockets, socket, flows, timeline))
    write_parquet(folder / "device_state.parquet", states)
    write_parquet(folder / "packages.parquet", packages)
    write_parquet(folder / "http.parquet", requests_table(evidence.requests, request, flows, timeline))
    sockets, requests = (evidence.sockets, socket), (request, evidence.intercepted)
    joined = join(evidence.scripts, evidence.played, mapped.opened, sockets, requests)
    unread = sorted(device.name for device in timeline.devices if not evidence.readings.get(device.name))
    return joined, [*odd, *(f"{device}: its state was never read" for device in unread)]


def _write_truth(folder: Path, evidence: Evidence, mapped: Mapped) -> None:
    """What was played, with the ends and times it really had."""
    write_truth(truth_of(evidence.timeline), folder)
    planned = np.array([script.start for script in evidence.scripts], dtype=np.int64)
    seen = mapped.carried.packets_up + mapped.carried.packets_down > 0
    start = np.where(seen, mapped.first, planned)
    carried = Carried(**{**vars(mapped.carried), "end": np.where(seen, mapped.carried.end, planned)})
    write_labels(evidence.timeline, _places(evidence, start), carried, mapped.trails, folder)


def _places(evidence: Evidence, start: Int64) -> Places:
    had = {one.n: one.client for one in evidence.played}
    clients = [had.get(script.n) or (script.client, -1) for script in evidence.scripts]
    servers = [script.server for script in evidence.scripts]
    return Places(
        client=np.array([address for address, _ in clients], dtype=object),
        client_port=np.array([port for _, port in clients], dtype=np.int64),
        server=np.array([address for address, _ in servers], dtype=object),
        server_port=np.array([port for _, port in servers], dtype=np.int64),
        tcp=np.array([script.transport == "tcp" for script in evidence.scripts], dtype=np.bool_),
        start=start,
    )


def _write_lab(folder: Path, evidence: Evidence, mapped: Mapped, joined: Joined, reasons: list[str]) -> None:
    """How the run went, on both clocks."""
    write_json(folder / "containment.json", dict(evidence.containment))
    if evidence.gateway_events and evidence.gateway_events.is_file():
        shutil.copyfile(evidence.gateway_events, folder / "gateway.jsonl")
    write_parquet(folder / "clock.parquet", clock_table(evidence.scripts, evidence.courses, evidence.played, mapped))
    write_parquet(folder / "anchors.parquet", anchors_table(evidence.courses))
    frames = ("strays", "twice", "backwards", "lost_bytes")
    run = {
        "epoch": rfc3339(evidence.epoch_us),
        "epoch_us": evidence.epoch_us,
        "speed": evidence.speed,
        "real_span_s": span_real(evidence.courses) / 1_000_000,
        "faults": reasons,
        "joined": joined.to_json(),
        "capture": {"packets": mapped.entry["packets"], **{name: getattr(mapped, name) for name in frames}},
        "pace_us": {"gap": GAP_US, "rest": REST_US, "ramp": RAMP_US, "early": EARLY_US},
        "back_to_real_time": INVERSE,
        "versions": dict(evidence.versions),
        **evidence.remarks,
    }
    write_json(folder / "run.json", run)


def _about(evidence: Evidence) -> dict[str, object]:
    timeline = evidence.timeline
    return {
        "scenario": timeline.scenario,
        "scenario_sha256": timeline.scenario_sha256,
        "twin_of": timeline.twin_of,
        "seed": timeline.seed,
        "stage": "live",
        "start": timeline.start,
        "span_s": timeline.span / 1_000_000,
        "speed": evidence.speed,
        **({"devices": timeline.enlarged} if timeline.enlarged else {}),
        "repeatable": False,  # a real network never gives the same bytes twice
    }
