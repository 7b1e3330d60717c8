"""A handset with a real adbd, for the tests of this folder, and this machine's end of its conversations."""

import asyncio
import time
from contextlib import suppress
from ipaddress import IPv4Network

import pytest

from lab.devices.adb import AdbServer
from lab.devices.errors import DeviceError
from lab.devices.netcat import connect_command
from lab.devices.phone import Phone
from lab.devices.stream import open_stream
from lab.stages.live.engine import connect, ensure_images, image_tag, open_session, sweep
from lab.stages.live.handset.handset import ADB_PORT, ROLE, run_arguments, write_hosts

UID, PACKAGE = 10123, "com.example.chat"
WAIT_S = 60.0  # of every wait: it ends a hang, and judges no speed


class Device:
    """One handset, and this machine's address on its network, where the tests listen."""

    def __init__(self, phone, address, host):
        self.phone, self.address, self.host = phone, address, host
        self.caps = phone.capabilities()

    async def open(self, command):
        return await open_stream(self.phone.server, self.phone.serial, command)

    async def dial(self, port, **more):
        return await self.open(connect_command(self.caps, UID, PACKAGE, self.host, port, **more))

    def reconnect(self, adb):
        """What ``connected`` waits for, once the phone was lost."""
        return connected(adb, self.phone.serial)

    async def served(self, talk, client):
        """``await client(port)`` while ``talk(reader, writer)`` serves this machine's end of every connection."""
        talking = set()

        async def safely(reader, writer):
            talking.add(asyncio.current_task())
            with suppress(ConnectionError):
                await talk(reader, writer)
            writer.close()

        server = await asyncio.start_server(safely, self.host, 0)
        async with server:
            found = await asyncio.wait_for(client(server.sockets[0].getsockname()[1]), 4 * WAIT_S)
            await asyncio.wait_for(asyncio.gather(*talking), WAIT_S)  # every end has seen the other's
            return found

    def programs(self):
        """Programs that hold sockets there; the phone has no ps."""
        said = self.phone.shell("for at in /proc/[0-9]*; do tr '\\0' ' ' <$at/cmdline; echo; done 2>/dev/null; true")
        assert "adbd" in said
        return sum(line.startswith("toybox nc") for line in said.splitlines())


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    engine = connect()
    ensure_images(engine, print, roles=[ROLE])
    session = open_session()
    try:
        network = engine.network(session)
        subnet = IPv4Network(network.attrs["IPAM"]["Config"][0]["Subnet"])
        address, hosts = str(subnet[10]), session.folder / "hosts"
        write_hosts(hosts, {})
        settings = run_arguments(address=address, hosts=hosts, serial="phone")
        engine.run(session, ROLE, image_tag(ROLE), "handset", network=network.name, **settings)
        with AdbServer.start(tmp_path_factory.mktemp("adb")) as adb:
            phone = Phone(adb.address, connected(adb, f"{address}:{ADB_PORT}"))
            phone.wait_ready(WAIT_S)
            yield Device(phone, address, str(subnet[1]))
    finally:
        sweep(engine, [session.id])
        engine.close()


def connected(adb, address):
    """adbd needs a moment after its container: an early connection is refused, and asked again."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        with suppress(DeviceError):
            return adb.connect(address)
        time.sleep(0.1)
    return adb.connect(address)
