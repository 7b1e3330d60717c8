"""A live run made from a wire recording comes back as that recording; whatever is wrong with a run is its reason."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq
import pytest

from detector.capture.lanes import ONE_LANE
from detector.capture.mapped import MappedFile
from detector.capture.records import read_records
from detector.contract import open_telemetry
from lab.behaviours import Speech
from lab.errors import EvidenceError
from lab.recording import open_recording
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
TABLES = ("sockets", "http", "device_state", "packages")


@dataclass(frozen=True)
class Snapshot:
    time_us: int
    screen_on: bool
    locked: bool
    foreground: str | None
    last_interaction_us: int
    power_state: str


def frames(path) -> list[tuple[int, bytes]]:
    file = MappedFile(path)
    records = read_records(file, path, ONE_LANE)
    assert records.damage is None
    return list(zip(records.time.tolist(), file.spans(records.offset, records.offset + records.caplen), strict=True))


def write_pcap(path, rows) -> None:
    heads = [np.array([*divmod(time, 1_000_000), len(data), len(data)], dtype="<u4").tobytes() for time, data in rows]
    path.write_bytes(file_header() + b"".join(head + data for head, (_, data) in zip(heads, rows, strict=True)))


class Staged:
    """A wire recording, and the evidence a live run of the same timeline would have left."""

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
        data = [frame for _, frame in frames(self.wire / CAPTURE)]
        write_pcap(self.capture, [(real[k], data[k]) for k in np.argsort(real, kind="stable")])

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


POWER = ("interactive", "idle", "doze-light", "doze-deep", "maintenance")


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


def test_a_run_comes_back_as_the_recording_it_was_made_from(staged, record):
    folder, reason = record(staged.evidence())
    assert reason == ""
    was, now = frames(staged.wire / CAPTURE), frames(folder / CAPTURE)
    assert [data for _, data in now] == [data for _, data in was]
    assert max(abs(a - b) for (a, _), (b, _) in zip(now, was, strict=True)) <= 1
    for name in TABLES:
        one, two = (pq.read_table(place / f"telemetry/{name}.parquet") for place in (staged.wire, folder))
        assert two.schema.equals(one.schema)
        assert two.to_pylist() == one.to_pylist(), name
    for name in ("flows", "incidents", "contacts", "devices"):
        one, two = (pq.read_table(place / f"truth/{name}.parquet") for place in (staged.wire, folder))
        assert two.equals(one), name
    logs = [(place / "truth/conn.log.labeled").read_text() for place in (staged.wire, folder)]
    assert logs[0] == logs[1]
    compressed = frames(staged.capture)
    assert compressed[-1][0] - compressed[0][0] < (was[-1][0] - was[0][0]) / 50, "the control: it was played fast"


def test_it_is_a_recording_like_any_other(staged, record):
    folder, _ = record(staged.evidence())
    opened = open_recording(folder)
    assert (opened.stage, opened.speed, opened.partial) == ("live", SPEED, None)
    assert json.loads((folder / "recording.json").read_text())["repeatable"] is False
    one, two = open_telemetry(staged.wire), open_telemetry(folder)
    assert {name: table.to_pylist() for name, table in two.tables.items()} == {
        name: table.to_pylist() for name, table in one.tables.items()
    }
    assert opened.truth() == open_recording(staged.wire).truth()


def test_both_clocks_are_in_it(staged, record):
    folder, _ = record(staged.evidence())
    clock = pq.read_table(folder / "lab/clock.parquet").to_pylist()
    assert [row["late_us"] for row in clock] == [0] * len(staged.scripts)
    assert [row["opened_real"] for row in clock] == [one.opened_us for one in staged.played]
    run = json.loads((folder / "lab/run.json").read_text())
    assert run["joined"]["capture"] == run["joined"]["sockets"] == run["joined"]["conversations"] == len(staged.scripts)
    assert run["joined"]["requests"] == run["joined"]["expected"] == 2
    assert run["versions"] == {"mitmproxy": "12.2.0"}
    anchors = pq.read_table(folder / "lab/anchors.parquet").to_pylist()
    flows = index_flows(staged.scripts, staged.played, staged.courses, Tempo(EPOCH, staged.timeline.start, SPEED))
    seen = read_frames([staged.capture], flows, np.zeros(0, np.int64)).frames
    for n, wall in list(zip(seen.n.tolist(), seen.time.tolist(), strict=True))[::7]:
        time = int(staged.courses[n].scenario_time(np.array([wall - EPOCH]))[0])
        own = [row for row in anchors if row["n"] == n]
        knot = ([row for row in own if row["scenario"] <= time] or own[:1])[-1]
        back = run["epoch_us"] + knot["real"] - (-(time - knot["scenario"]) * knot["run"] // knot["rise"])
        assert back == wall, "as run.json says"


def lost_socket(staged):
    rows = staged.evidence().sockets
    first = next(k for k, row in enumerate(rows) if row["event"] == "connect")
    return {"sockets": rows[:first] + rows[first + 1 :]}


def unclosed(staged):
    rows = staged.evidence().sockets
    port = staged.played[1].client[1]
    kept = [row for row in rows if (row["event"], row["local_port"]) != ("close", port)]
    assert len(kept) == len(rows) - 1
    return {"sockets": kept}


def counted(**changes):
    return lambda staged: {"counted": {**staged.evidence().counted, **changes}}


def other_uid(staged):
    return {"sockets": [{**row, "uid": 10_999} if row["uid"] == 10_124 else row for row in staged.evidence().sockets]}


def cut(staged):
    staged.capture.write_bytes(staged.capture.read_bytes()[:-5])
    return {}


def without_syn(staged):
    rows = frames(staged.capture)
    first = next(k for k, (_, data) in enumerate(rows) if data[23] == 6 and data[47] == 2)
    write_pcap(staged.capture, rows[:first] + rows[first + 1 :])
    return {}


def failed(staged):
    return {"played": [dataclasses.replace(one, error="reset" if one.n == 3 else None) for one in staged.played]}


def socketless(staged):
    return {"played": [dataclasses.replace(one, client=None) if one.n == 4 else one for one in staged.played]}


FAULTS = {
    "a fault of the gateway": (lambda _: {"faults": ["the proxy died"]}, "the proxy died"),
    "no containment": (lambda _: {"containment": {**HELD, "held": False}}, "containment did not hold"),
    "containment not proved": (lambda _: {"containment": {**HELD, "proved": False}}, "containment could not be proved"),
    "containment never tried": (lambda _: {"containment": {}}, "containment was not tried"),
    "packets that are not in the file": (counted(packets=1), "captured 1 packets, found"),
    "lines that are not in the file": (counted(lines=3), "captured 3 lines, found 2"),
    "packets nobody counted": (counted(packets=None), "did not say how many packets it captured"),
    "drops nobody counted": (counted(dropped=None), "did not say how many packets the capture dropped"),
    "a socket never closed": (unclosed, "1 conversations not seen to close in sockets: 1"),
    "no capture": (lambda _: {"captures": []}, "nothing was captured"),
    "a capture that is not there": (lambda s: {"captures": [s.capture.with_name("gone.pcap")]}, "gone.pcap is missing"),
    "a cut capture": (cut, "bytes of capture lost; live.pcap: packet"),
    "a lost SYN": (without_syn, "1 conversations not found in capture: 1"),
    "a lost socket": (lost_socket, "1 conversations not found in sockets: 0"),
    "a socket of another app": (other_uid, "1 conversations not found in sockets: 4"),
    "a lost request": (lambda _: {"requests": []}, "2 conversations not found in http: 1, 2"),
    "a failed conversation": (failed, "1 conversations failed, first 3: reset"),
    "a conversation never played": (lambda s: {"played": s.played[1:]}, "first 0: never played"),
    "no socket was seen": (socketless, "not found in capture: 4"),
    "a device never read": (lambda _: {"readings": {}}, "phone-01: its state was never read"),
    "an app that is not installed": (
        lambda _: {"installed": {}},
        "com.example.weather: found uid None, expected 10124",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_with_a_run_is_the_reason_why_it_is_not_complete(staged, record, name):
    change, words = FAULTS[name]
    folder, reason = record(staged.evidence(**change(staged)))
    assert words in reason
    with pytest.raises(EvidenceError, match="found complete False"):
        open_recording(folder)
    read_on = open_recording(folder, allow_partial=True)
    assert read_on.partial is not None
    assert words in read_on.partial
    assert any(
        words.split(":")[0].split(";")[0] in fault
        for fault in json.loads((folder / "lab/run.json").read_text())["faults"]
    )


def test_a_conversation_without_a_socket_is_in_the_flows_but_in_no_log(staged, record):
    folder, _ = record(staged.evidence(**socketless(staged)))
    flows = pq.read_table(folder / "truth/flows.parquet").to_pylist()
    assert flows[4]["client_port"] is None
    assert flows[4]["start"] == flows[4]["end"] == staged.scripts[4].start
    rows = [line for line in (folder / "truth/conn.log.labeled").read_text().splitlines() if not line.startswith("#")]
    assert len(rows) == len(flows) - 1
    clock = pq.read_table(folder / "lab/clock.parquet").to_pylist()
    assert clock[4]["late_us"] is clock[4]["opened_real"] is None
    strays = json.loads((folder / "lab/run.json").read_text())["capture"]["strays"]
    assert set(strays) == {"udp"}, "its frames are kept, and counted"
    assert len(frames(folder / CAPTURE)) == len(frames(staged.capture))


def test_lateness_in_real_time_is_lateness_in_scenario_time(staged, record):
    late = 37_000
    flows = index_flows(staged.scripts, staged.played, staged.courses, Tempo(EPOCH, staged.timeline.start, SPEED))
    seen = read_frames([staged.capture], flows, np.zeros(0, np.int64)).frames
    rows = [
        (time + late * (n == 6), data) for n, (time, data) in zip(seen.n.tolist(), frames(staged.capture), strict=True)
    ]
    write_pcap(staged.capture, sorted(rows, key=lambda row: row[0]))
    folder, reason = record(staged.evidence())
    assert reason == ""
    clock = pq.read_table(folder / "lab/clock.parquet").to_pylist()
    assert [row["late_us"] for row in clock] == [late * (row["n"] == 6) for row in clock]


def test_the_gateways_events_are_kept(staged, record, tmp_path):
    (tmp_path / "events.jsonl").write_text('{"v": 1}\n')
    counted = {**staged.evidence().counted, "lines": 1}
    folder, reason = record(staged.evidence(gateway_events=tmp_path / "events.jsonl", counted=counted))
    assert reason == ""
    assert (folder / "lab/gateway.jsonl").read_text() == '{"v": 1}\n'
    assert json.loads((folder / "lab/containment.json").read_text())["held"] is True


def test_a_run_cut_short_counts_its_open_sockets_and_blames_none_of_them(staged, record):
    folder, reason = record(staged.evidence(**unclosed(staged), faults=["interrupted"]))
    assert reason == "interrupted"
    joined = json.loads((folder / "lab/run.json").read_text())["joined"]
    assert joined["unclosed"] == [1]
    assert joined["closes"] == sum(script.transport == "tcp" for script in staged.scripts) - 1


def test_remarks_are_in_run_json(staged, record):
    folder, reason = record(staged.evidence(remarks={"states": {"told": 3}}))
    assert (reason, json.loads((folder / "lab/run.json").read_text())["states"]) == ("", {"told": 3})
