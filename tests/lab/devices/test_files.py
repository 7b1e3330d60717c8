"""Files over the sync service, and the device's own words when it refuses."""

from __future__ import annotations

import struct

import pytest

from lab.devices.errors import DeviceError
from lab.devices.files import pull, push


def exactly(connection, size):
    data = b""
    while len(data) < size and (part := connection.recv(size - len(data))):
        data += part
    return data


def sync_device(stored, refusal=b""):
    """A device that keeps what it is sent and gives it back."""

    def hook(connection):
        connection.sendall(b"OKAY")
        kind, size = struct.unpack("<4sI", exactly(connection, 8))
        path = exactly(connection, size).decode()
        if kind == b"RECV":
            data = stored.get(path)
            pieces = [data[place : place + 1000] for place in range(0, len(data), 1000)] if data is not None else []
            for piece in pieces:
                connection.sendall(struct.pack("<4sI", b"DATA", len(piece)) + piece)
            end = (b"DONE", b"") if data is not None else (b"FAIL", b"open failed: No such file")
            connection.sendall(struct.pack("<4sI", end[0], len(end[1])) + end[1])
            return
        data = b""
        while (head := struct.unpack("<4sI", exactly(connection, 8)))[0] == b"DATA":
            assert head[1] <= 65536
            data += exactly(connection, head[1])
        stored[path] = data
        connection.sendall(struct.pack("<4sI", b"FAIL" if refusal else b"OKAY", len(refusal)) + refusal)

    return hook


def test_files_go_and_come_back(fake_adb, serial):
    stored = {}
    fake_adb.hooks["sync:"] = sync_device(stored)
    data = bytes(range(256)) * 1000
    push(fake_adb.address, serial, data, "/data/local/tmp/x", mode=0o600)
    assert stored == {"/data/local/tmp/x,33152": data}  # 0o100600
    stored["/data/local/tmp/x"] = data
    assert pull(fake_adb.address, serial, "/data/local/tmp/x") == data


def test_a_refusal_keeps_the_devices_words(fake_adb, serial):
    fake_adb.hooks["sync:"] = sync_device({}, b"Read-only file system")
    with pytest.raises(DeviceError, match=r"push /system/x.*Read-only file system"):
        push(fake_adb.address, serial, b"x", "/system/x")
    with pytest.raises(DeviceError, match=r"pull /nope.*No such file"):
        pull(fake_adb.address, serial, "/nope")


def test_other_answers_are_refused(fake_adb, serial):
    fake_adb.hooks["sync:"] = lambda connection: connection.sendall(b"OKAY" + b"\xff" * 8)
    with pytest.raises(DeviceError, match="no sync answer"):
        pull(fake_adb.address, serial, "/x")
