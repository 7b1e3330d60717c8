"""Every protocol of the live suite on one lab: complete, found in every sensor, judged as the wire stage's is."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from detector.contract import open_telemetry
from lab.recording import open_recording

pytestmark = pytest.mark.live

PROTOCOLS = ("http", "https", "ws", "wss", "dns", "smtp", "imap", "socks5", "connect", "backconnect")
SCENARIOS = [*(f"live-{name}" for name in PROTOCOLS), "live-https-five"]
SPEED = 360
FAST = (
    "--stage",
    "live",
    "--speed",
    str(SPEED),
)  # an hour in ten seconds: as long again goes to set a run up and prove it
DEVICES = 5
GROUP = ("analytic", "device", "package", "peer")
NEAR = 0.05  # of the score that wire gives: a detector that misses must miss on both stages
LATE_US = 1_900_000  # real time, p99: one retry of a look-up is later than that, a machine with other work is not


@pytest.fixture(scope="module")
def droidrange(commands):
    """A command, and what it says; it must end well."""
    return lambda *words, state: commands.droidrange(*words, state=state)[0]


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> Path:
    """A state folder of our own: nobody else's lab is borrowed."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def lab(state, droidrange):
    """The one lab of all recordings; in the end it is gone."""
    made = json.loads(droidrange("lab", "up", "--devices", str(DEVICES), "--json", state=state))["lab"]
    yield made
    droidrange("lab", "down", made, state=state)
    left = json.loads(droidrange("lab", "status", "--json", state=state))["labs"]
    assert made not in {row["lab"] for row in left}


@pytest.fixture(scope="module", params=SCENARIOS)
def recorded(request, lab, state, tmp_path_factory, commands, droidrange):
    """(scenario, its live recording, its wire recording of the same seed)."""
    folder = tmp_path_factory.mktemp(request.param)
    # meanwhile: a live run waits mostly
    wire = commands.begun("record", request.param, "-o", folder / "wire", state=state)
    try:
        droidrange("record", request.param, *FAST, "--lab", lab, "-o", folder / "live", state=state)
    finally:
        commands.ended(wire)
    return request.param, folder / "live", folder / "wire"


def test_every_conversation_is_found_in_every_sensor(recorded) -> None:
    scenario, live, _ = recorded
    run = json.loads((live / "lab" / "run.json").read_text())
    joined = run["joined"]
    assert joined["conversations"] == joined["capture"] == joined["sockets"] > 15
    assert joined["requests"] == joined["expected"]
    assert joined["missing"] == joined["failed"] == run["faults"] == []
    recording = open_recording(live)
    assert recording.partial is None
    telemetry = open_telemetry(recording.telemetry)
    assert telemetry.packets == recording.files["telemetry/capture.pcap"]["packets"]
    lateness = pq.read_table(live / "lab" / "clock.parquet")["late_us"].to_numpy(zero_copy_only=False)
    assert sorted(abs(lateness))[int(0.99 * len(lateness))] < LATE_US * SPEED
    devices = pq.read_table(live / "telemetry" / "packages.parquet")["device"].unique()
    assert len(devices) == (DEVICES if scenario.endswith("-five") else 1)


def test_nothing_could_leave_the_lab(recorded) -> None:
    _, live, _ = recorded
    certificate = json.loads((live / "lab" / "containment.json").read_text())
    assert certificate["held"] is certificate["proved"] is True
    assert certificate["attempts"] > 20
    assert certificate["reached"] == 0


def test_the_verdict_is_that_of_the_wire_stage(recorded, state, droidrange) -> None:
    _, live, wire = recorded
    found = [json.loads(line) for line in droidrange("detect", live, wire, "--json", state=state).splitlines()]
    groups = {
        folder: {tuple(one[name] for name in GROUP): one for one in found if one["input"] == str(folder)}
        for folder in (live, wire)
    }
    accused = {folder: {key for key, one in groups[folder].items() if one["alert"]} for folder in groups}
    assert accused[live] == accused[wire]
    first, score = max(((key, one["score"]) for key, one in groups[wire].items()), key=lambda pair: pair[1])
    assert groups[live][first]["score"] == pytest.approx(score, abs=NEAR)
