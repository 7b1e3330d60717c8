"""The live stage from its command line: a lab, recordings of it, and what becomes of both when something dies."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lab.recording import open_recording
from lab.stages.live.engine import connect, find_labs

pytestmark = pytest.mark.live

FAST = ("--stage", "live", "--speed", "240")  # an hour in a quarter of a minute


@pytest.fixture(scope="module")
def state(tmp_path_factory, commands):
    """A state folder of our own: nobody else's lab is borrowed, and everything of ours is gone in the end."""
    folder = tmp_path_factory.mktemp("state")
    yield folder
    commands.droidrange("lab", "down", state=folder, code=None)
    commands.droidrange("lab", "clean", state=folder, code=None)
    assert ours(folder) == []


def ours(state: Path) -> list[str]:
    """What the engine still has of labs whose folder is, or was, in this state folder."""
    names = {path.name for path in (state / "droidrange" / "labs").glob("*")}
    return [lab.id for lab in find_labs(connect()) if lab.id in names]


@pytest.fixture(scope="module")
def lab(state, commands):
    """A lab of two handsets that stays."""
    return json.loads(commands.droidrange("lab", "up", "--devices", "2", "--json", state=state)[0])


@pytest.fixture
def begun(state, tmp_path, commands):
    """A recording under way in a lab of its own: (process, folder, containers by name), once packets flow."""
    processes = []

    def begin(scenario: str = "live-http", *, speed: str = "60"):
        folder = tmp_path / "recording"
        words = ["record", scenario, "--stage", "live", "--speed", speed, "-o", str(folder)]
        process = commands.begun(*words, state=tmp_path / "own")
        processes.append(process)
        return process, folder, flowing(commands, process, tmp_path / "own")

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
    commands.droidrange("lab", "clean", state=tmp_path / "own", code=None)


def flowing(commands, process: subprocess.Popen[str], state: Path) -> dict[str, object]:
    """Waits until the only lab of a state folder has captured something; its containers."""
    until = time.monotonic() + commands.BOUND_S
    while time.monotonic() < until:
        assert process.poll() is None, f"it ended before it began: {process.communicate()[1]}"
        captures = list((state / "droidrange" / "labs").glob("*/rec/*.pcap"))
        if captures and captures[0].stat().st_size > 20_000:
            name = captures[0].parents[1].name
            found = connect().client.containers.list(all=True, filters={"label": f"droidrange.lab={name}"})
            return {one.name.removeprefix(f"droidrange-{name}-"): one for one in found}
        time.sleep(0.2)
    raise AssertionError(f"nothing was captured within {commands.BOUND_S} s\n{commands.labs_now()}")


def test_a_lab_is_up_and_shown(lab, state, commands) -> None:
    rows = json.loads(commands.droidrange("lab", "status", "--json", state=state)[0])["labs"]
    (row,) = [row for row in rows if row["lab"] == lab["lab"]]
    assert set(row["containers"].values()) == {"running"}
    assert len(row["handsets"]) == 2


def test_a_pinning_app_is_seen_as_metadata_only(lab, state, tmp_path, commands) -> None:
    folder = tmp_path / "recording"
    package = "com.orchard.torchlight"
    commands.droidrange(
        "record", "live-https", *FAST, "--lab", lab["lab"], "--pin", package, "-o", str(folder), state=state
    )
    tables = {
        name: pq.read_table(folder / "telemetry" / f"{name}.parquet").to_pylist()
        for name in ("packages", "sockets", "http")
    }
    uids = {row["package"]: row["uid"] for row in tables["packages"]}
    read = read_connections(tables["sockets"], tables["http"])
    pinned = [row for row in read if row["uid"] == uids[package]]
    assert len(pinned) > 40  # a minute's poll of an hour
    assert not any(row["requests"] for row in pinned)
    assert {row["peer_port"] for row in pinned} == {443}
    others = [row for row in read if row["uid"] == uids["com.ticker.board"] and row["peer_port"] == 443]
    assert others  # the same join finds what is not pinned: every connection, and in all nothing is left over
    assert all(row["requests"] for row in others)
    assert sum(row["requests"] for row in read) == len(tables["http"])


def read_connections(sockets: list[dict], requests: list[dict]) -> list[dict]:
    """The TCP connections out of phones, each with how many of the requests were made in it.

    A request belongs to a connection of its device, between its two ends, while that was open: local ports are used
    again, by other apps of the phone and, at any time, on other phones.
    """
    made: dict[tuple, list[dict]] = {}
    for row in sorted(sockets, key=lambda row: row["time"]):
        key = tuple(row[name] for name in ("device", "local_address", "local_port", "peer_address", "peer_port"))
        if row["proto"] == "tcp" and row["event"] == "connect":
            made.setdefault(key, []).append({**row, "until": None, "requests": 0})
        elif row["proto"] == "tcp" and row["event"] == "close" and key in made:
            open_now = next(one for one in made[key] if one["until"] is None)
            open_now["until"] = row["time"]
    for row in requests:
        key = tuple(row[name] for name in ("device", "client", "client_port", "server", "server_port"))
        for one in made.get(key, ()):
            one["requests"] += one["time"] <= row["time"] and (one["until"] is None or row["time"] <= one["until"])
    return [one for group in made.values() for one in group]


def test_too_many_devices_for_the_lab_are_told(lab, state, tmp_path, commands) -> None:
    words = ("record", "live-https-five", *FAST, "--lab", lab["lab"], "-o", str(tmp_path / "r"))
    assert "lab up --devices 5" in commands.droidrange(*words, state=state, code=3)[1]


def incomplete(commands, folder: Path) -> str:
    """Why a recording is not complete, after it was refused and read all the same."""
    refused = subprocess.run(
        [commands.DROIDRANGE, "inspect", str(folder)],
        capture_output=True,
        text=True,
        timeout=commands.BOUND_S,
        check=False,
    )
    assert refused.returncode == 3
    recording = open_recording(folder, allow_partial=True)
    assert recording.files["telemetry/capture.pcap"]["packets"] > 20
    assert recording.partial
    return recording.partial


@pytest.mark.parametrize(
    ("role", "reason"), [("gateway", "gateway"), ("sensor-handset-01", "sensor"), ("handset-01", "")]
)
def test_a_part_that_is_killed_ends_the_run_and_loses_nothing(begun, role, reason, commands) -> None:
    process, folder, containers = begun()
    containers[role].kill("SIGKILL")
    commands.ended(process, 3)
    assert reason in incomplete(commands, folder)


@pytest.mark.parametrize(("program", "reason"), [("mitmdump", "mitmproxy"), ("tcpdump", "capture")])
def test_proxy_and_capture_die_together(begun, program, reason, commands) -> None:
    process, folder, containers = begun()
    code, said = containers["gateway"].exec_run(["pkill", "-KILL", program])
    assert code == 0, said
    commands.ended(process, 3)
    assert reason in incomplete(commands, folder)


def test_an_interrupt_keeps_what_was_captured_and_leaves_nothing(begun, tmp_path, commands) -> None:
    process, folder, _ = begun()
    process.send_signal(signal.SIGINT)
    commands.ended(process, 130)
    assert "interrupted" in incomplete(commands, folder)
    assert ours(tmp_path / "own") == []


def test_a_killed_orchestrator_is_cleaned_after_and_its_capture_saved(begun, tmp_path, commands) -> None:
    process, folder, _ = begun()
    process.kill()
    process.wait()
    assert not folder.exists()
    told = json.loads(commands.droidrange("lab", "clean", "--json", state=tmp_path / "own")[0])
    assert len(told["removed"]) >= 1
    saved = [Path(path) for path in told["rescued"] if path.endswith(".pcap")]
    assert saved[0].stat().st_size > 20_000
    assert ours(tmp_path / "own") == []
    assert json.loads(commands.droidrange("lab", "clean", "--json", state=tmp_path / "own")[0])["removed"] == []


def test_a_kept_lab_plays_again_after_its_recorder_was_killed(lab, state, tmp_path, commands) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    words = ["record", "live-http", "--stage", "live", "--lab", lab["lab"]]
    process = commands.begun(*words, "--speed", "60", "-o", str(first), state=state)
    try:
        flowing(commands, process, state)
    finally:
        process.kill()
        process.communicate()
    _, said = commands.droidrange(*words, "--speed", "360", "-o", str(second), state=state)
    assert "an earlier run of this lab never ended" in said
    assert open_recording(second).partial is None


def test_a_paused_handset_is_late_and_nothing_worse(begun, commands) -> None:
    process, folder, containers = begun()
    containers["handset-01"].pause()
    time.sleep(2)
    containers["handset-01"].unpause()
    _, said = commands.ended(process, None)
    if process.returncode == 0:
        late = pq.read_table(folder / "lab" / "clock.parquet")["late_us"].to_numpy(zero_copy_only=False)
        assert late.max() > 100_000
    else:
        assert "complete" in said
        assert incomplete(commands, folder)
