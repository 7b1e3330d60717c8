"""A live recording from beginning to end, its lab, phones and run replaced: what is written, told and left behind."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest

from lab.devices.reading import Reading
from lab.errors import EvidenceError, ScenarioError, StageError
from lab.recording import open_recording
from lab.stages.frames import file_header
from lab.stages.live import stage as module
from lab.stages.live.livelab import LiveLab
from lab.stages.live.pace import Tempo
from lab.stages.live.player import Player
from lab.stages.live.provision import Ready
from lab.stages.live.reports import ServersTold
from lab.stages.live.run import Run

EPOCH = 1_800_000_000_000_000
OTHERS = "-----BEGIN CERTIFICATE-----\nmitm\n-----END CERTIFICATE-----\n"
SOCKET = {"event": "connect", "uid": 10_101, "proto": "tcp", "local": ["10.88.0.9", 4], "peer": ["198.18.0.1", 80]}
SOCKET |= {"bytes_up": None, "bytes_down": None}


class World:
    """``seen`` is what each run saw, by the name of its field; ``begin`` may fail or look around."""

    def __init__(self, folder) -> None:
        self.log, self.said, self.runs, self.seen, self.overheard = [], [], [], {}, b""
        self.begin = lambda _run: None
        for name in ("rec", "plan", "pki"):
            (folder / name).mkdir(parents=True)
        (folder / "pki" / "gateway-ca.pem").write_text(f"KEY\n{OTHERS}")
        session = SimpleNamespace(folder=folder)
        self.lab = LiveLab(SimpleNamespace(version="28"), session, IPv4Network("10.77.3.0/24"), {}, ())

    @contextmanager
    def borrowed(self, devices, name, _say):
        self.log.append(("borrowed", devices, name))
        yield self.lab
        self.log.append(("given back",))

    @contextmanager
    def adb(self, folder):
        assert folder == self.lab.session.folder / "adb"
        yield "adb"

    def provision(self, lab, timeline, _scripts, server):
        assert (lab, server) == (self.lab, "adb")
        self.log.append(("provisioned",))
        return Ready({}, {}, {}, {device.name: [] for device in timeline.devices})


def run_in(world: World) -> type[Run]:
    class Seen(Run):
        async def play(self) -> None:
            world.runs.append(self)
            world.log.append(("played",))
            world.begin(self)
            self.tempo = Tempo(EPOCH, self.timeline.start, self.speed)
            self.opened_us, self.closed_us = EPOCH - 1_000, EPOCH + 1_000_000
            self.player = Player([], {}, self.payload, self.trusted, None, None)
            (self.lab.folder("rec") / f"{self.name}.pcap").write_bytes(file_header())
            (self.lab.folder("rec") / f"{self.name}.jsonl").write_bytes(world.overheard)
            for name, value in world.seen.items():
                setattr(self, name, value)

    return Seen


@pytest.fixture
def world(tmp_path, monkeypatch):
    made = World(tmp_path / "lab")
    monkeypatch.setattr(module, "borrowed", made.borrowed)
    monkeypatch.setattr(module, "AdbServer", SimpleNamespace(start=made.adb))
    monkeypatch.setattr(module, "provision", made.provision)
    monkeypatch.setattr(module, "Run", run_in(made))
    monkeypatch.setattr(module, "say", made.said.append)
    return made


@pytest.fixture
def evidence(monkeypatch):
    """Nothing is written; what would have been. ``reason``: why it is not complete."""
    made = SimpleNamespace(of=[], reason="")

    def write_recording(making, found) -> str:
        made.of.append(found)
        (making / "recording.json").write_text("{}")
        return made.reason

    monkeypatch.setattr(module, "write_recording", write_recording)
    return made


@pytest.fixture
def record(script_of_scenario, tmp_path):
    def made(scenario="live-http", *, timeline=None, folder=None, **wishes):
        values = {
            "speed": 60.0,
            "lab": None,
            "pin": (),
            "passthrough": (),
            "replace": False,
            "progress": None,
            **wishes,
        }
        return module.record_live(timeline or script_of_scenario(scenario)[0], folder or tmp_path / "out", **values)

    return made


def left(world: World) -> list[str]:
    return sorted(path.name for name in ("rec", "plan") for path in world.lab.folder(name).iterdir())


def test_a_whole_run_becomes_a_recording_and_leaves_nothing_in_the_lab(world, evidence, record, tmp_path) -> None:
    assert record(lab="0a1b") == tmp_path / "out"
    assert world.log == [("borrowed", 1, "0a1b"), ("provisioned",), ("played",), ("given back",)]
    assert (tmp_path / "out" / "recording.json").is_file()
    assert left(world) == []
    (found,) = evidence.of
    assert (found.epoch_us, found.speed, found.versions) == (EPOCH, 60.0, {"docker": "28"})
    assert [path.name for path in found.captures] == [f"{world.runs[0].name}.pcap"]


def test_what_is_not_whole_is_kept_and_told_with_its_reason(world, evidence, record, tmp_path) -> None:
    evidence.reason = "mitmproxy ended"
    with pytest.raises(
        EvidenceError, match="the run is not complete: mitmproxy ended; read it with --allow-partial"
    ) as told:
        record()
    assert str(tmp_path / "out") in str(told.value)
    assert "--force" in str(told.value)
    assert (tmp_path / "out" / "recording.json").is_file()
    assert left(world) == []


def test_an_interrupt_comes_after_the_partial_recording_is_written(world, record, tmp_path) -> None:
    world.seen = {"interrupted": True, "faults": ["interrupted"]}
    with pytest.raises(KeyboardInterrupt):
        record()
    with pytest.raises(EvidenceError, match="interrupted"):
        open_recording(tmp_path / "out")
    assert open_recording(tmp_path / "out", allow_partial=True).partial
    assert f"{tmp_path / 'out'} holds what was recorded" in world.said[-1]
    assert "--allow-partial, or record it again with --force" in world.said[-1]
    assert "interrupted" in json.loads((tmp_path / "out" / "lab" / "run.json").read_text())["faults"]
    assert world.log[-1] == ("given back",)
    assert left(world) == []


def test_what_sensors_saw_before_and_after_the_capture_is_left_out(world, evidence, record) -> None:
    times = [EPOCH - 1_001, EPOCH - 1_000, EPOCH + 1_000_000, EPOCH + 1_000_001]
    world.seen = {"events": {0: [{**SOCKET, "time_us": time} for time in times]}}
    record()
    assert [row["time"] for row in evidence.of[0].sockets] == times[1:3]


def test_a_run_that_cannot_begin_writes_nothing(world, record, tmp_path) -> None:
    def fails(_run) -> None:
        raise StageError("no strangers")

    world.begin = fails
    with pytest.raises(StageError, match="no strangers"):
        record()
    assert not (tmp_path / "out").exists()
    assert left(world) == []


def test_a_recording_that_cannot_be_written_leaves_its_capture_for_the_rescue(
    world, record, tmp_path, monkeypatch
) -> None:
    def full(_making, _evidence) -> str:
        raise OSError(28, "no space left")

    monkeypatch.setattr(module, "write_recording", full)
    with pytest.raises(OSError, match="no space left"):
        record()
    assert not (tmp_path / "out").exists()
    assert left(world) == [f"{world.runs[0].name}.jsonl", f"{world.runs[0].name}.pcap"]


@pytest.mark.parametrize(
    ("overheard", "fault"),
    [
        (b"torn\n", "line 1: not JSON"),
        (b'{"v": 0}\n', "line 1: version 0"),
        (b'{"v": 1, "event": "ht', None),
        (b"", None),
    ],
)
def test_what_the_gateway_wrote_may_be_damaged_and_is_a_fault(world, evidence, record, overheard, fault) -> None:
    world.overheard, world.seen = overheard, {"faults": ["another"]}
    record()
    faults = evidence.of[0].faults
    assert faults[0] == "another"
    assert [fault in one for one in faults[1:]] == ([True] if fault else [])


@pytest.mark.parametrize("speed", [0.5, 0.0, -1.0, float("nan")])
def test_time_is_not_stretched_and_no_lab_is_touched_for_it(world, record, speed) -> None:
    with pytest.raises(ScenarioError, match="--speed: found"):
        record(speed=speed)
    assert world.log == []


def test_a_place_that_is_taken_is_refused_before_a_lab_is_touched(world, evidence, record, tmp_path) -> None:
    record()
    with pytest.raises(FileExistsError, match="--force"):
        record()
    record(replace=True)
    with pytest.raises(ScenarioError, match="recording name"):
        record(folder=tmp_path / ".hidden")
    assert len(world.runs) == 2


def test_unknown_packages_are_refused_before_a_lab_is_touched(world, record) -> None:
    with pytest.raises(ScenarioError, match=r"--pin com.nobody: no such package"):
        record(pin=["com.nobody"])
    assert world.log == []


def test_a_folder_without_write_rights_is_refused_before_a_lab_is_touched(world, record, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="no right to write here"):
        record(folder=tmp_path / "new" / "recording")
    assert world.log == []


def test_a_long_run_says_how_long_it_takes(world, evidence, record) -> None:
    record(speed=1.0)
    record(speed=100_000.0, replace=True)
    assert [line for line in world.said if "playing takes" in line] == [
        line for line in world.said[:1] if "minutes; --speed 60 lets idle time pass faster" in line
    ]
    assert "playing takes" in world.said[0]


def test_listeners_that_no_phone_can_play_are_refused_before_a_phone_is_touched(world, record, monkeypatch) -> None:
    def refused(*_words):
        raise StageError("strangers speak quic")

    monkeypatch.setattr(module, "relays_of", refused)
    with pytest.raises(StageError, match="strangers speak quic"):
        record()
    assert ("provisioned",) not in world.log
    assert left(world) == []


def test_the_plan_is_there_while_it_is_played_and_others_can_read_it(world, evidence, record) -> None:
    found = {}

    def look(run) -> None:
        folder = run.lab.folder("plan") / run.name
        found.update({path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))})
        found["payload"] = (folder / "payload.bin").read_bytes() == bytes(run.payload)

    world.begin = look
    before = os.umask(0o077)
    try:
        record()
    finally:
        os.umask(before)
    assert found.pop("payload") is True
    assert found["scripts.jsonl"] == found["payload.bin"] == 0o644
    assert found["pki"] == found[world.runs[0].name] == 0o755


def test_apps_trust_the_gateway_unless_they_pin(world, evidence, record, script_of_scenario) -> None:
    timeline, _, _ = script_of_scenario("live-https")
    package = timeline.apps[timeline.incidents[0].app].package
    record("live-https", pin=[package])
    (run,) = world.runs
    trusted = {n: run.trusted(n) for n in range(len(run.scripts))}
    assert run.sight.pinning
    assert all((OTHERS in pem) is (n not in run.sight.pinning) for n, pem in trusted.items())
    assert all("KEY\n" not in pem.replace("PRIVATE KEY", "") for pem in trusted.values())
    origin = trusted[min(run.sight.pinning)]
    assert all(pem.endswith(origin) for pem in trusted.values())


def test_readings_are_on_this_machine_s_clock_and_those_without_one_are_left_out(
    world, evidence, record, script_of_scenario
) -> None:
    def reading(**values):
        known = {"screen_on": True, "locked": False, "foreground": None, "power_state": "interactive"}
        return Reading(**{"time_us": 500, "last_interaction_us": 300, "clock_offset_us": 100, **known, **values})

    readings = [reading(), reading(time_us=None), reading(clock_offset_us=None), reading(last_interaction_us=None)]
    world.seen = {"days": {0: SimpleNamespace(readings=readings, skipped=0)}}
    record()
    name = script_of_scenario("live-http")[0].devices[0].name
    kept = evidence.of[0].readings[name]
    assert [(one.time_us, one.last_interaction_us) for one in kept] == [(400, 200), (400, None)]


def test_who_is_late_at_this_speed_is_told(world, evidence, record) -> None:
    record(speed=1.0)
    assert not [line for line in world.said if "have more to say" in line]
    record(speed=100_000.0, replace=True)
    assert "have more to say than --speed 100000 leaves time for" in world.said[-1]


@pytest.mark.parametrize(("skipped", "said"), [(1, []), (2, ["2 of 21"])])
def test_phones_that_cannot_keep_pace_are_counted_and_no_fault(world, evidence, record, skipped, said) -> None:
    reading = Reading(1, True, False, None, 1, "interactive", clock_offset_us=0)
    world.seen = {"days": {0: SimpleNamespace(readings=[reading] * 19, skipped=skipped)}}
    record()
    assert [line.partition(" device states were over")[0] for line in world.said if "device states" in line] == said
    (found,) = evidence.of
    assert found.remarks["states"] == {"told": 19, "skipped": skipped, "unread": 0}
    assert found.faults == []


def test_the_gateway_s_counts_the_servers_words_and_strays_are_evidence(world, evidence, record) -> None:
    world.seen = {"counted": {"packets": 7}, "servers": ServersTold(strays={"tls": 1})}
    record()
    (found,) = evidence.of
    assert found.counted == {"packets": 7}
    assert found.remarks["servers"] == {"strays": {"tls": 1}, "daemons": {}, "notes": {}}
    assert found.remarks["unplanned"] == {"n": 0, "first": []}


def test_no_words_at_all_are_mapped_as_none(tmp_path) -> None:
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.touch()
    full.write_bytes(b"words")
    for path in (empty, full):
        with module._mapped(path) as view:
            assert bytes(view) == path.read_bytes()
