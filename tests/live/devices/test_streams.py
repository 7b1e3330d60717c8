"""Conversations through a real adbd: bytes, ends, listeners and owners, as the player relies on them."""

import asyncio
import time

import pytest

from lab.devices.adb import AdbServer
from lab.devices.errors import DeviceError
from lab.devices.netcat import kill_command, listen_command
from lab.devices.sockets import sampled_sockets
from lab.devices.stream import outcome

pytestmark = pytest.mark.live
UID, PACKAGE = 10123, "com.example.chat"
WAIT_S = 60.0  # of every wait: it ends a hang, and judges no speed


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def test_two_hundred_conversations_twenty_at_once_lose_nothing(device):
    async def client(port):
        turns = asyncio.Semaphore(20)

        async def one(number):
            async with turns:
                reader, writer = await device.dial(port)
                said = number.to_bytes(4, "big") * 500
                writer.write(said)
                heard = await reader.readexactly(len(said))
                writer.write_eof()
                rest = await reader.read()
                writer.close()
                await writer.wait_closed()
                return heard == said, rest, outcome(writer).exit_code

        return await asyncio.gather(*(one(number) for number in range(200)))

    assert set(asyncio.run(device.served(echo, client))) == {(True, b"", 0)}
    assert device.programs() == 0


def test_a_megabyte_each_way_and_an_answer_after_our_end(device):
    async def after_all(reader, writer):
        writer.write((await reader.read())[::-1])

    async def client(port):
        blob = bytes(range(256)) * 4096
        reader, writer = await device.dial(port)
        writer.write(blob)
        writer.write_eof()
        heard = await reader.read()
        writer.close()
        return heard == blob[::-1], outcome(writer).exit_code

    assert asyncio.run(device.served(after_all, client)) == (True, 0)


def test_the_socket_belongs_to_the_app(device):
    async def client(port):
        reader, writer = await device.dial(port)
        writer.write(b"x")
        await reader.readexactly(1)
        rows = await asyncio.to_thread(sampled_sockets, device.phone)
        writer.close()
        return [(row.uid, row.state) for row in rows if row.peer == (device.host, port)]

    assert asyncio.run(device.served(echo, client)) == [(UID, "established")]


def test_a_peer_that_hangs_up_ends_the_reader_and_a_refusal_says_so(device):
    async def hang_up(reader, writer):
        await reader.read(1)
        writer.write(b"bye")

    async def client(port):
        reader, writer = await device.dial(port)
        writer.write(b"x")
        heard = await reader.read()
        writer.close()
        return heard, outcome(writer).exit_code, port

    heard, code, port = asyncio.run(device.served(hang_up, client))
    assert (heard, code) == (b"bye", 0)

    async def refused():
        reader, writer = await device.dial(port)
        heard = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        return heard, str(outcome(writer))

    heard, said = asyncio.run(refused())
    assert (heard, "Connection refused" in said, "exit code 1" in said) == (b"", True, True)


def test_a_listener_serves_one_stranger(device):
    async def main():
        reader, writer = await device.open(listen_command(device.caps, UID, PACKAGE, 18080, wait_s=int(WAIT_S)))
        await until_listening(device, 18080)
        theirs, ours = await asyncio.open_connection(device.address, 18080)
        ours.write(b"hello")
        heard = await reader.readexactly(5)
        writer.write(b"world")
        answer = await theirs.readexactly(5)
        ours.close()
        ended = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        return heard, answer, ended

    assert asyncio.run(main()) == (b"hello", b"world", b"")


def test_a_listener_nobody_came_to_is_ended_by_its_pid_or_its_patience(device):
    async def main():
        reader, writer = await device.open(listen_command(device.caps, UID, PACKAGE, 18081, wait_s=int(WAIT_S)))
        await until_listening(device, 18081)
        assert device.programs() == 1
        device.phone.shell(kill_command(device.caps, UID, PACKAGE, await outcome(writer).started()))
        await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        patient, other = await device.open(listen_command(device.caps, UID, PACKAGE, 18082, wait_s=1))
        await asyncio.wait_for(patient.read(), WAIT_S)
        other.close()
        return str(outcome(other))

    assert "Timeout" in asyncio.run(main())
    assert device.programs() == 0


async def until_listening(device, port):
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        rows = await asyncio.to_thread(sampled_sockets, device.phone)
        if any(row.local[1] == port and row.state == "listen" and row.uid == UID for row in rows):
            return
    pytest.fail(f"nobody listens on {port}")


def test_a_lost_device_is_told_from_an_end(device):
    async def client(port):
        reader, writer = await device.dial(port)
        writer.write(b"x")
        await reader.readexactly(1)
        adb = AdbServer(device.phone.server)
        adb.disconnect(device.phone.serial)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        with pytest.raises(DeviceError, match="not found"):
            device.phone.shell("true")
        await asyncio.to_thread(device.reconnect, adb)
        return device.phone.shell("echo back").strip()

    assert asyncio.run(device.served(echo, client)) == "back"
