"""Compiled scenarios of the live suite, once per session: they are read, never changed; and a recording of a run."""

from __future__ import annotations

import dataclasses
import io
import shutil
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow.parquet as pq
import pytest

from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.records import read_records
from lab.behaviours import Speech
from lab.scenario import compile_scenario, find_scenario, load_scenario
from lab.stages.frames import file_header
from lab.stages.live.frames import read_frames
from lab.stages.live.pace import Tempo, courses, state_courses
from lab.stages.live.recorder import Evidence, write_recording
from lab.stages.live.script import Played, scripts_of
from lab.stages.live.tuples import endpoints, index_flows
from lab.stages.wire import play
from lab.timeline import States

EPOCH = 1_800_000_000_123_456
SPEED = 60
CAPTURE = "telemetry/capture.pcap"
MINUTE = 60_000_000
HELD = {"held": True, "proved": True, "attempts": 25}
POWER = ("interactive", "idle", "doze-light", "doze-deep", "maintenance")


@cache
def scripted(name: str):
    """(timeline, scripts, payload) of a scenario and seed 1."""
    timeline = compile_scenario(load_scenario(find_scenario(name)), 1)
    payload = io.BytesIO()
    return timeline, tuple(scripts_of(timeline, payload)), payload.getvalue()


@pytest.fixture
def script_of_scenario():
    return scripted


@pytest.fixture
def paced():
    def made(name: str, speed: float = 60.0):
        timeline, scripts, payload = scripted(name)
        return timeline, scripts, payload, courses(scripts, timeline.start, speed)

    return made


@dataclass(frozen=True)
class Snapshot:
    time_us: int
    screen_on: bool
    locked: bool
    foreground: str | None
    last_interaction_us: int
    power_state: str


def _frames(path) -> list[tuple[int, bytes]]:
    file = MappedFile(path)
    records = read_records(file, path, ONE_LANE)
    assert records.damage is None
    return list(zip(records.time.tolist(), file.spans(records.offset, records.offset + records.caplen), strict=True))


def _write_pcap(path, rows) -> None:
    heads = [np.array([*divmod(time, 1_000_000), len(data), len(data)], dtype="<u4").tobytes() for time, data in rows]
    path.write_bytes(file_header() + b"".join(head + data for head, (_, data) in zip(heads, rows, strict=True)))


class Staged:
    """A wire recording, and the evidence a live run of the same timeline would have left."""

    frames, write_pcap = staticmethod(_frames), staticmethod(_write_pcap)

    def __init__(self, timeline, folder) -> None:
        self.timeline, self.wire = timeline, play(timeline, folder / "wire")
        self.scripts = scripts_of(timeline, io.BytesIO())
        self.courses = courses(self.scripts, timeline.start, SPEED)
        flows = pq.read_table(self.wire / "truth/flows.parquet").to_pylist()
        self.flows = index_flows(
            self.scripts,
            [self.outcome(n, row, row["start"], row["end"]) for n, row in enumerate(flows)],
            {},
            Tempo(timeline.start, timeline.start, 1),
        )
        self.played = [
            self.outcome(n, row, self.real(n, row["start"]), self.real(n, row["end"])) for n, row in enumerate(flows)
        ]
        self.capture = folder / "live.pcap"
        self.overheard = folder / "live.jsonl"
        self.overheard.write_text('{"v": 1}\n{"v": 1}\n{"torn')
        self._compress()

    @staticmethod
    def outcome(n, row, opened, closed):
        client, server = (row["client"], row["client_port"]), (row["server"], row["server_port"])
        return Played(n=n, client=client, server=server, opened_us=opened, closed_us=closed, sent=1, received=2)

    def real(self, n, time) -> int:
        return EPOCH + int(self.courses[n].real_time(np.array([time]))[0])

    def _compress(self) -> None:
        seen = read_frames([self.wire / CAPTURE], self.flows, np.zeros(0, np.int64)).frames
        assert (seen.n >= 0).all()
        self.packets = len(seen)
        real = [self.real(n, time) for n, time in zip(seen.n.tolist(), seen.time.tolist(), strict=True)]
        data = [frame for _, frame in _frames(self.wire / CAPTURE)]
        _write_pcap(self.capture, [(real[k], data[k]) for k in np.argsort(real, kind="stable")])

    def _conversation(self, row, ends) -> int:
        one, other = (endpoints([(row[f"{end}"], row[port])]) for end, port in ends)
        proto = np.array([{"tcp": 6, "udp": 17}[row.get("proto", "tcp")]])
        return int(self.flows.find(proto, one, other, np.array([row["time"]]))[0])

    def rows(self, table, ends):
        made = []
        for row in pq.read_table(self.wire / f"telemetry/{table}.parquet").to_pylist():
            if row.get("event") in {"listen", "close"} and row["peer_address"] is None:
                made.append({**row, "time": EPOCH + (row["time"] - self.timeline.start) // SPEED})
                continue
            n = self._conversation(row, ends)
            assert n >= 0
            times = {name: self.real(n, row[name]) for name in ("time", "end") if name in row}
            made.append({**row, **times, "device": None})
        return made

    def readings(self):
        paced, states = state_courses(self.timeline, SPEED), self.timeline.states
        found = {}
        for k, device in enumerate(self.timeline.devices):
            course = paced[device.name]
            for row in np.flatnonzero(states.device == k).tolist():
                front = int(states.foreground[row])
                times = [
                    EPOCH + int(course.real_time(column[row : row + 1])[0])
                    for column in (states.time, states.last_interaction)
                ]
                package = self.timeline.apps[front].package if front >= 0 else "com.android.launcher3"
                one = Snapshot(
                    times[0],
                    bool(states.screen_on[row]),
                    bool(states.locked[row]),
                    package,
                    times[1],
                    POWER[int(states.power[row])],
                )
                again = dataclasses.replace(one, time_us=times[0] + 1, last_interaction_us=times[1] + 900)
                found.setdefault(device.name, []).extend([one, again])
        return found

    def evidence(self, **changes) -> Evidence:
        installed = {device.name: [] for device in self.timeline.devices}
        for app in self.timeline.apps:
            if app.uid >= 10_000:
                installed[self.timeline.devices[app.device].name].append((app.package, app.uid))
        made = Evidence(
            timeline=self.timeline,
            scripts=self.scripts,
            courses=self.courses,
            played=self.played,
            epoch_us=EPOCH,
            speed=SPEED,
            captures=[self.capture],
            sockets=self.rows("sockets", [("local_address", "local_port"), ("peer_address", "peer_port")]),
            requests=self.rows("http", [("client", "client_port"), ("server", "server_port")]),
            intercepted=[script.n for script in self.scripts if script.protocol == "http"],
            readings=self.readings(),
            installed=installed,
            containment=HELD,
            gateway_events=self.overheard,
            counted={"packets": self.packets, "dropped": 0, "lines": 2},
            versions={"mitmproxy": "12.2.0"},
            state_courses=state_courses(self.timeline, SPEED),
        )
        return dataclasses.replace(made, **changes)


def day(timeline_of, talk):
    """Polls, look-ups, a relay, a neighbour and pushes over an hour, with ports used again and states told."""
    poll = [(k * 5 * MINUTE, 300, 4_000, 20_000) for k in range(11)]
    talks = [
        talk([(0, 60, 0, 0)], app=0, host=0, speech=Speech("dns", port=53)),
        talk(poll, start=60_000, speech=Speech("http", tls=True), incident=0),
        talk([(0, 300, 90_000, 5_000), (9 * MINUTE, 0, 300, 0)], start=70_000, host=3, speech=Speech("http", port=80)),
        talk(
            [(0, 500, 40_000, 1_000), (MINUTE, 30, 30, 9_000)],
            start=2_000_000,
            host=1,
            inbound=True,
            speech=Speech("opaque", port=1080),
        ),
        talk([(0, 200, 700, 1_000)], start=4 * MINUTE, app=2, host=1, speech=Speech("datagram", port=99)),
        *(
            talk([(0, 50, 60, 1_000)], start=(7 + k) * MINUTE, host=1, speech=Speech("opaque", port=5000))
            for k in range(3)
        ),
    ]
    timeline = timeline_of(talks)
    said, start = timeline.conversations, timeline.start
    ports = said.client_port.copy()
    ports[-3:] = 45_678
    states = States(
        time=start + np.array([0, 5 * MINUTE, 5 * MINUTE + 900_000, 0]),
        device=np.array([0, 0, 0, 1], dtype=np.int32),
        screen_on=np.array([True, False, False, False]),
        locked=np.array([False, True, True, True]),
        foreground=np.array([1, -1, -1, -1], dtype=np.int32),
        last_interaction=start + np.array([0, 5 * MINUTE, 5 * MINUTE, 0]),
        power=np.array([0, 1, 2, 2], dtype=np.int32),
    )
    return dataclasses.replace(timeline, conversations=dataclasses.replace(said, client_port=ports), states=states)


@pytest.fixture
def staged(timeline_of, talk, tmp_path):
    return Staged(day(timeline_of, talk), tmp_path)


@pytest.fixture
def record(tmp_path):
    def made(evidence):
        folder = tmp_path / "live"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder, write_recording(folder, evidence)

    return made
