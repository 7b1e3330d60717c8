"""The live stage from its command line: a lab, recordings of it, and what becomes of both when something dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lab.recording import open_recording
from lab.stages.live.engine import connect, find_labs

pytestmark = pytest.mark.live

DROIDRANGE = str(Path(sys.executable).with_name("droidrange"))
FAST = ("--stage", "live", "--speed", "240")  # an hour in a quarter of a minute
BOUND_S = 240


def droidrange(*words: str, state: Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [DROIDRANGE, *words],
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )
    assert code is None or done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A state folder of our own: nobody else's lab is borrowed, and everything of ours is gone in the end."""
    folder = tmp_path_factory.mktemp("state")
    yield folder
    droidrange("lab", "down", state=folder, code=None)
    droidrange("lab", "clean", state=folder, code=None)
    assert ours(folder) == []


def ours(state: Path) -> list[str]:
    """What the engine still has of labs whose folder is, or was, in this state folder."""
    names = {path.name for path in (state / "droidrange" / "labs").glob("*")}
    return [lab.id for lab in find_labs(connect()) if lab.id in names]


@pytest.fixture(scope="module")
def lab(state):
    """A lab of two handsets that stays."""
    return json.loads(droidrange("lab", "up", "--devices", "2", "--json", state=state).stdout)


@pytest.fixture
def begun(state, tmp_path):
    """A recording under way in a lab of its own: (process, folder, containers by name), once packets flow."""
    processes = []

    def begin(scenario: str = "live-http", *, speed: str = "60"):
        folder = tmp_path / "recording"
        words = ["record", scenario, "--stage", "live", "--speed", speed, "-o", str(folder)]
        process = subprocess.Popen(
            [DROIDRANGE, *words],
            env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "own")},
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, folder, flowing(tmp_path / "own")

    yield begin
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
    droidrange("lab", "clean", state=tmp_path / "own", code=None)


def flowing(state: Path) -> dict[str, object]:
    """Waits until the only lab of a state folder has captured something; its containers."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        captures = list((state / "droidrange" / "labs").glob("*/rec/*.pcap"))
        if captures and captures[0].stat().st_size > 20_000:
            name = captures[0].parents[1].name
            found = connect().client.containers.list(all=True, filters={"label": f"droidrange.lab={name}"})
            return {one.name.removeprefix(f"droidrange-{name}-"): one for one in found}
        time.sleep(0.2)
    raise AssertionError("nothing was captured within 90 s")


def test_a_lab_is_up_and_shown(lab, state) -> None:
    rows = json.loads(droidrange("lab", "status", "--json", state=state).stdout)["labs"]
    (row,) = [row for row in rows if row["lab"] == lab["lab"]]
    assert set(row["containers"].values()) == {"running"}
    assert len(row["handsets"]) == 2


def test_a_pinning_app_is_seen_as_metadata_only(lab, state, tmp_path) -> None:
    folder = tmp_path / "recording"
    package = "com.orchard.torchlight"
    droidrange("record", "live-https", *FAST, "--lab", lab["lab"], "--pin", package, "-o", str(folder), state=state)
    packages = pq.read_table(folder / "telemetry" / "packages.parquet").to_pylist()
    uid = next(row["uid"] for row in packages if row["package"] == package)
    sockets = pq.read_table(folder / "telemetry" / "sockets.parquet").to_pylist()
    ports = {row["local_port"] for row in sockets if row["uid"] == uid and row["event"] == "connect"}
    requests = {row["client_port"] for row in pq.read_table(folder / "telemetry" / "http.parquet").to_pylist()}
    assert ports
    assert requests
    assert not ports & requests


def test_too_many_devices_for_the_lab_are_told(lab, state, tmp_path) -> None:
    words = ("record", "live-https-five", *FAST, "--lab", lab["lab"], "-o", str(tmp_path / "r"))
    assert "lab up --devices 5" in droidrange(*words, state=state, code=3).stderr


def incomplete(folder: Path) -> str:
    """Why a recording is not complete, after it was refused and read all the same."""
    refused = subprocess.run(
        [DROIDRANGE, "inspect", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 3
    recording = open_recording(folder, allow_partial=True)
    assert recording.files["telemetry/capture.pcap"]["packets"] > 20
    assert recording.partial
    return recording.partial


@pytest.mark.parametrize(
    ("role", "reason"), [("gateway", "gateway"), ("sensor-handset-01", "sensor"), ("handset-01", "")]
)
def test_a_part_that_is_killed_ends_the_run_and_loses_nothing(begun, role, reason) -> None:
    process, folder, containers = begun()
    containers[role].kill("SIGKILL")
    _, said = process.communicate(timeout=BOUND_S)
    assert process.returncode == 3, said
    assert reason in incomplete(folder)


@pytest.mark.parametrize(("program", "reason"), [("mitmdump", "mitmproxy"), ("tcpdump", "capture")])
def test_proxy_and_capture_die_together(begun, program, reason) -> None:
    process, folder, containers = begun()
    code, said = containers["gateway"].exec_run(["pkill", "-KILL", program])
    assert code == 0, said
    process.communicate(timeout=BOUND_S)
    assert process.returncode == 3
    assert reason in incomplete(folder)


def test_an_interrupt_keeps_what_was_captured_and_leaves_nothing(begun, tmp_path) -> None:
    process, folder, _ = begun()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in incomplete(folder)
    assert ours(tmp_path / "own") == []


def test_a_killed_orchestrator_is_cleaned_after_and_its_capture_saved(begun, tmp_path) -> None:
    process, folder, _ = begun()
    process.kill()
    process.wait()
    assert not folder.exists()
    told = json.loads(droidrange("lab", "clean", "--json", state=tmp_path / "own").stdout)
    assert len(told["removed"]) >= 1
    saved = [Path(path) for path in told["rescued"] if path.endswith(".pcap")]
    assert saved[0].stat().st_size > 20_000
    assert ours(tmp_path / "own") == []
    assert json.loads(droidrange("lab", "clean", "--json", state=tmp_path / "own").stdout)["removed"] == []


def test_a_kept_lab_plays_again_after_its_recorder_was_killed(lab, state, tmp_path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    words = [DROIDRANGE, "record", "live-http", "--stage", "live", "--lab", lab["lab"]]
    env = {**os.environ, "XDG_STATE_HOME": str(state)}
    process = subprocess.Popen([*words, "--speed", "60", "-o", str(first)], env=env, stderr=subprocess.DEVNULL)
    try:
        flowing(state)
    finally:
        process.kill()
        process.wait()
    done = droidrange(*words[1:], "--speed", "360", "-o", str(second), state=state)
    assert "an earlier run of this lab never ended" in done.stderr
    assert open_recording(second).partial is None


def test_a_paused_handset_is_late_and_nothing_worse(begun) -> None:
    process, folder, containers = begun()
    containers["handset-01"].pause()
    time.sleep(2)
    containers["handset-01"].unpause()
    _, said = process.communicate(timeout=BOUND_S)
    if process.returncode == 0:
        late = pq.read_table(folder / "lab" / "clock.parquet")["late_us"].to_numpy(zero_copy_only=False)
        assert late.max() > 100_000
    else:
        assert "complete" in said
        assert incomplete(folder)
