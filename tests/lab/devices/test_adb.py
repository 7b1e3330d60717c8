"""The adb server of a lab: its own port and home, gone when its owner is gone, whoever kills it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.devices import adb
from lab.devices.adb import AdbServer
from lab.devices.errors import DeviceError
from lab.errors import PrerequisiteError


def program():
    try:
        return adb.adb_program()
    except PrerequisiteError:
        return None


OWNER = """
import sys, pathlib, threading
from lab.devices.adb import AdbServer
started = []
thread = threading.Thread(target=lambda: started.append(AdbServer.start(pathlib.Path(sys.argv[1]))))
thread.start(); thread.join()  # the starting thread ends; the server must not
print(started[0].address[1], started[0].version(), flush=True)
sys.stdin.read()
"""
needs_adb = pytest.mark.skipif(program() is None, reason="no adb program here (pip install 'droidrange[live]')")


def test_connect_counts_only_what_adb_calls_connected(fake_adb, serial):
    server = AdbServer.attach(fake_adb.address)
    assert server.connect(serial) == serial
    fake_adb.connected = "already connected to"
    assert server.connect(serial) == serial
    fake_adb.connected = "failed to connect to"
    with pytest.raises(DeviceError, match="failed to connect to"):
        server.connect(serial)


def test_devices_and_versions(fake_adb, serial):
    server = AdbServer.attach(fake_adb.address)
    assert server.devices() == {serial: "device", "emulator-5554": "offline"}
    assert server.version() == 41
    server.stop()  # somebody else's: it stays
    assert server.answers()


def test_disconnecting_what_is_not_there_is_fine(fake_adb):
    server = AdbServer.attach(fake_adb.address)
    fake_adb.hooks["host:disconnect:"] = lambda link: fake_adb.fail(link, "no such device 'x'")
    server.disconnect("x")
    fake_adb.hooks["host:disconnect:"] = lambda link: fake_adb.fail(link, "protocol fault")
    with pytest.raises(DeviceError, match="protocol fault"):
        server.disconnect("x")


def test_attaching_to_nobody_is_a_fault(fake_adb):
    fake_adb.hooks["host:version"] = lambda connection: connection.sendall(b"OKAY00zz")
    with pytest.raises(DeviceError):
        AdbServer.attach(fake_adb.address)


def test_without_any_adb_the_mending_command_is_named(monkeypatch):
    monkeypatch.setattr(adb.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(adb.shutil, "which", lambda _name: None)
    with pytest.raises(PrerequisiteError, match="pip install"):
        adb.adb_program()


def test_a_server_that_does_not_start_is_a_fault_with_its_log(monkeypatch, tmp_path):
    broken = tmp_path / "adb"
    broken.write_text("#!/bin/sh\necho cannot bind >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(adb, "adb_program", lambda: broken)
    monkeypatch.setattr(adb, "_START_S", 0.1)
    with pytest.raises(DeviceError, match="cannot bind"):
        AdbServer.start(tmp_path / "home")


def test_the_environment_hides_the_user_but_for_his_key_to_phones_on_usb(monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    alone = adb._environment(tmp_path / "lab", usb=False)
    assert alone["HOME"] == str(tmp_path / "lab")
    assert (alone["ADB_USB"], alone["ADB_MDNS"], alone["ADB_EMU"]) == ("0", "0", "0")
    assert "ADB_VENDOR_KEYS" not in alone
    (tmp_path / ".android").mkdir()
    (tmp_path / ".android" / "adbkey").write_text("key")
    with_key = adb._environment(tmp_path / "lab", usb=True)
    assert with_key["ADB_VENDOR_KEYS"] == str(tmp_path / ".android" / "adbkey")
    assert with_key["ADB_USB"] == "1"
    assert "ADB_VENDOR_KEYS" not in adb._environment(tmp_path / "lab", usb=False)  # our handsets never ask for it


@needs_adb
def test_a_server_of_our_own_comes_up_apart_and_goes(tmp_path):
    with AdbServer.start(tmp_path / "home") as server:
        assert server.address[0] == "127.0.0.1"
        assert server.address[1] != adb.USERS_SERVER[1]
        assert server.version() >= 40
        assert server.devices() == {}
        assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert not server.answers()
    server.stop()


@needs_adb
def test_a_server_dies_with_its_killed_owner(tmp_path):
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            OWNER,
            str(tmp_path / "home"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    with owner:
        port, version = map(int, owner.stdout.readline().split())
        server = AdbServer(("127.0.0.1", port))
        assert server.version() == version
        pids = [int(entry.name) for entry in Path("/proc").iterdir() if f"-P\0{port}\0" in words(entry)]
        watched = [os.pidfd_open(pid) for pid in pids]
        assert len(watched) == 2  # the shell that holds the pipe, and adb
        owner.send_signal(signal.SIGKILL)
        for end in watched:
            assert select.select([end], [], [], 5.0)[0], "still there after its owner was killed"
            os.close(end)
    assert not server.answers()


def words(entry):
    try:
        return (entry / "cmdline").read_text(errors="replace")
    except OSError:
        return ""
