"""Byte streams through an adb server that behaves, half closes, refuses, lies or dies."""

from __future__ import annotations

import asyncio
import socket

import pytest

from lab.devices import shell_v2
from lab.devices.errors import DeviceError
from lab.devices.stream import open_stream, outcome


def played(fake_adb, serial, device, client):
    """Run ``client(reader, writer)`` against ``device(connection)``, which takes over after OKAY."""

    def hook(connection):
        connection.sendall(b"OKAY")
        device(connection)

    fake_adb.hooks["shell,v2,raw:"] = hook

    async def main():
        reader, writer = await open_stream(fake_adb.address, serial, "nc", timeout_s=2)
        try:
            return await asyncio.wait_for(client(reader, writer), 5)
        finally:
            writer.close()
            await writer.wait_closed()

    return asyncio.run(main())


def heard(connection):
    """Every frame until the client's stdin ends or it closes."""
    reader = shell_v2.FrameReader()
    while data := connection.recv(65536):
        for kind, payload in reader.feed(data):
            yield kind, payload
            if kind == shell_v2.STDIN_ENDS:
                return


def test_a_half_closed_stream_still_hears_the_answer(fake_adb, serial):
    def device(connection):
        said = b"".join(payload for kind, payload in heard(connection) if kind == shell_v2.STDIN)
        connection.sendall(
            shell_v2.frame(shell_v2.STDERR, b"pid 42\nwarned\n") + shell_v2.frame(shell_v2.STDOUT, said[::-1])
        )
        connection.sendall(shell_v2.frame(shell_v2.EXIT, b"\x07"))

    async def client(reader, writer):
        blob = bytes(range(256)) * 1000
        writer.write(blob)
        await writer.drain()
        assert writer.can_write_eof()
        writer.write_eof()
        writer.write_eof()
        assert await reader.read() == blob[::-1]
        assert await outcome(writer).started() == 42
        with pytest.raises(RuntimeError, match="after write_eof"):
            writer.write(b"late")
        return outcome(writer)

    ended = played(fake_adb, serial, device, client)
    assert (ended.exit_code, ended.pid, str(ended)) == (7, 42, "exit code 7: warned")


def test_the_peers_end_reaches_the_reader_while_we_could_still_speak(fake_adb, serial):
    def device(connection):
        connection.sendall(shell_v2.frame(shell_v2.STDOUT, b"bye") + shell_v2.frame(shell_v2.EXIT, b"\x00"))

    async def client(reader, writer):
        return await reader.read(), outcome(writer).exit_code, await outcome(writer).started()

    assert played(fake_adb, serial, device, client) == (b"bye", 0, None)


def test_a_device_that_vanishes_is_not_an_end_of_file(fake_adb, serial):
    def device(connection):
        connection.sendall(shell_v2.frame(shell_v2.STDOUT, b"half an ans"))

    async def client(reader, writer):
        with pytest.raises(ConnectionResetError, match="before the program ended"):
            await reader.readexactly(100)
        await asyncio.wait_for(outcome(writer).ended.wait(), 2)
        return outcome(writer).exit_code

    assert played(fake_adb, serial, device, client) is None


def test_what_are_no_frames_is_refused(fake_adb, serial):
    async def client(reader, writer):
        with pytest.raises(ConnectionResetError, match="no shell frame"):
            await reader.read(100)

    played(fake_adb, serial, lambda connection: connection.sendall(b"\xff" * 20), client)


def test_a_slow_reader_holds_the_device_back(fake_adb, serial):
    sent = []

    def device(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        piece = shell_v2.frame(shell_v2.STDOUT, b"x" * 60000)
        for _ in range(200):
            connection.sendall(piece)
            sent.append(len(piece))
        connection.sendall(shell_v2.frame(shell_v2.EXIT, b"\x00"))

    async def client(reader, writer):
        await reader.readexactly(1)
        while True:  # until the device's thread stops making progress
            before = len(sent)
            await asyncio.sleep(0.05)
            if len(sent) == before:
                break
        assert len(sent) < 200
        return len(await reader.read())

    assert played(fake_adb, serial, device, client) == 200 * 60000 - 1


@pytest.mark.parametrize(
    ("hook", "found"),
    [
        (lambda connection: connection.sendall(b"FAIL0006closed"), "closed"),
        (lambda connection: connection.sendall(b"WHAT"), "neither OKAY nor FAIL"),
        (lambda connection: connection.sendall(b"FAILzzzz"), "hexadecimal"),
        (lambda connection: connection.sendall(b"OK"), "connection lost"),
        (lambda connection: connection.recv(1), "no answer within"),
    ],
)
def test_a_refusal_is_a_fault(fake_adb, serial, hook, found):
    fake_adb.hooks["shell,v2,raw:"] = hook
    with pytest.raises(DeviceError, match=found):
        asyncio.run(open_stream(fake_adb.address, serial, "nc", timeout_s=0.2))


def test_an_unknown_device_and_a_missing_server_are_faults(fake_adb):
    with pytest.raises(DeviceError, match="device 'nope' not found"):
        asyncio.run(open_stream(fake_adb.address, "nope", "nc"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
    with pytest.raises(DeviceError, match="connection lost"):
        asyncio.run(open_stream(address, "x", "nc"))


def test_only_our_writers_have_an_outcome(fake_adb):
    async def main():
        _, writer = await asyncio.open_connection(*fake_adb.address)
        try:
            with pytest.raises(TypeError, match="open_stream"):
                outcome(writer)
        finally:
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())
