"""Conversations through a real adbd: bytes, ends, datagrams, listeners and owners, as the player relies on them."""

import asyncio
import itertools
import signal
import socket
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lab.devices.adb import AdbServer
from lab.devices.certificates import STORE, subject_hash_old
from lab.devices.errors import DeviceError
from lab.devices.netcat import connect_command, kill_command, listen_command
from lab.devices.phone import Phone
from lab.devices.sockets import sampled_sockets
from lab.devices.stream import open_stream, outcome
from lab.stages.live.engine import connect, ensure_images, image_tag, open_session, sweep
from lab.stages.live.handset.handset import ADB_PORT, ROLE, run_arguments, write_hosts
from lab.stages.live.reach import Reach
from lab.timeline import POWER_STATES

pytestmark = pytest.mark.live
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


async def served(device, talk, client):
    """``await client(port)`` while ``talk(reader, writer)`` serves this machine's end of every connection."""

    talking = set()

    async def safely(reader, writer):
        talking.add(asyncio.current_task())
        with suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(safely, device.host, 0)
    async with server:
        found = await asyncio.wait_for(client(server.sockets[0].getsockname()[1]), 4 * WAIT_S)
        await asyncio.wait_for(asyncio.gather(*talking), WAIT_S)  # every end has seen the other's
        return found


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

    assert set(asyncio.run(served(device, echo, client))) == {(True, b"", 0)}
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

    assert asyncio.run(served(device, after_all, client)) == (True, 0)


def test_the_socket_belongs_to_the_app(device):
    async def client(port):
        reader, writer = await device.dial(port)
        writer.write(b"x")
        await reader.readexactly(1)
        rows = await asyncio.to_thread(sampled_sockets, device.phone)
        writer.close()
        return [(row.uid, row.state) for row in rows if row.peer == (device.host, port)]

    assert asyncio.run(served(device, echo, client)) == [(UID, "established")]


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

    heard, code, port = asyncio.run(served(device, hang_up, client))
    assert (heard, code) == (b"bye", 0)

    async def refused():
        reader, writer = await device.dial(port)
        heard = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        return heard, str(outcome(writer))

    heard, said = asyncio.run(refused())
    assert (heard, "Connection refused" in said, "exit code 1" in said) == (b"", True, True)


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self):
        self.heard = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.heard.put_nowait((data, addr))


def test_datagrams_keep_their_boundaries_and_leave_nothing_behind(device):
    sizes = [40, 1200, 1, 4096, 512]

    async def main():
        loop = asyncio.get_running_loop()
        transport, peer = await loop.create_datagram_endpoint(Datagrams, (device.host, 0))
        reader, writer = await device.dial(transport.get_extra_info("sockname")[1], udp=True)
        heard = []
        for size in sizes:  # each once the one before was heard: no guess how long nc needs
            writer.write(b"d" * size)
            heard.append(await asyncio.wait_for(peer.heard.get(), WAIT_S))
        transport.sendto(b"answer", heard[0][1])
        answer = await asyncio.wait_for(reader.readexactly(6), WAIT_S)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), WAIT_S)  # nc -q leaves by itself
        writer.close()
        transport.close()
        return [len(data) for data, _ in heard], answer

    assert asyncio.run(main()) == (sizes, b"answer")
    assert device.programs() == 0


def test_a_look_up_that_is_refused_ends_and_gives_the_processor_back(device):
    """toybox is woken for ever by the ICMP error that it does not read; so its time is limited. The control has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((device.host, 0))
        refusing = probe.getsockname()[1]
    app = SimpleNamespace(device=0, uid=UID, package=PACKAGE)
    reach = Reach(SimpleNamespace(apps=[app]), {0: device.phone}, {0: device.caps})
    script = SimpleNamespace(device=0, uid=UID, transport="udp", protocol="dns", server=(device.host, refusing))

    async def main():
        reader, writer = await reach.connect(script)
        other, control = await device.dial(refusing, udp=True)
        for one in (writer, control):
            one.write(b"q")
            one.write_eof()
        await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        with pytest.raises(TimeoutError):  # nc -q 1 should have left a second after the end of its stdin
            await asyncio.wait_for(other.read(), 4)
        assert device.programs() == 1
        device.phone.shell(kill_command(device.caps, UID, PACKAGE, await outcome(control).started()))
        await asyncio.wait_for(other.read(), WAIT_S)
        control.close()
        return outcome(writer).exit_code

    assert asyncio.run(main()) in {128 + signal.SIGXCPU, 128 + signal.SIGKILL}
    assert device.programs() == 0


def test_conversations_of_datagrams_have_ports_of_their_own(device):
    """Which the kernel does not see to: the control, of a program that sets SO_REUSEADDR as nc does, has to share."""
    app = SimpleNamespace(device=0, uid=UID, package=PACKAGE)
    reach = Reach(SimpleNamespace(apps=[app]), {0: device.phone}, {0: device.caps})

    async def main():
        loop = asyncio.get_running_loop()
        transport, peer = await loop.create_datagram_endpoint(Datagrams, (device.host, 0))
        place = transport.get_extra_info("sockname")
        script = SimpleNamespace(device=0, uid=UID, transport="udp", protocol="dns", server=place)
        streams = []
        for number in range(40):
            streams.append(await reach.connect(script))
            streams[-1][1].write(b"%d" % number)
        heard = [await asyncio.wait_for(peer.heard.get(), WAIT_S) for _ in streams]
        for _, writer in streams:
            writer.write_eof()
        for reader, writer in streams:
            await asyncio.wait_for(reader.read(), WAIT_S)
            writer.close()
        transport.close()
        return {data for data, _ in heard}, {sender for _, sender in heard}

    said, senders = asyncio.run(main())
    assert said == {b"%d" % number for number in range(40)}
    assert len(senders) == 40
    assert sharing(set_option=True) > 0
    assert sharing(set_option=False) == 0


def sharing(*, set_option, count=900):
    """How many of so many UDP sockets with one peer have a port that an earlier one has; 14 by chance, if they may."""
    with ExitStack() as opened:
        ports = set()
        for _ in range(count):
            one = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            if set_option:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.connect(("127.0.0.1", 9))
            ports.add(one.getsockname()[1])
    return count - len(ports)


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
        await asyncio.to_thread(connected, adb, device.phone.serial)
        return device.phone.shell("echo back").strip()

    assert asyncio.run(served(device, echo, client)) == "back"


def test_every_power_state_is_reached_from_every_other(device):
    missed = []
    for before, after in itertools.permutations(POWER_STATES, 2):
        for power in (before, after):
            awake = power == "interactive"
            device.phone.set_state(screen_on=awake, locked=not awake, foreground=None, power=power, interaction=False)
        reading = device.phone.read_state()
        if (reading.power_state, reading.screen_on, reading.locked) != (after, awake, not awake):
            missed.append((before, after, reading))
    assert missed == []


def test_the_report_is_honest_and_a_ca_lands_in_the_store(device):
    caps = device.caps
    assert (caps.uid_switch, caps.root_prefix, caps.sdk, caps.release) == ("setpriv", "", 33, "13")
    assert caps.netcat is not None
    assert {"u", "l", "q", "w", "W"} <= caps.netcat
    assert [what for what, _ in caps.missing] == ["nflog"]  # no sidecar here
    offset_us, doubt_us = device.phone.clock_offset()
    assert abs(offset_us) <= doubt_us  # one kernel, one clock; how well that is seen is the machine's affair
    assert caps.clock_offset_us is not None
    pem = certificate()
    device.phone.install_ca(pem)
    assert device.phone.pull(f"{STORE}/{subject_hash_old(pem)}.0") == pem


def certificate():
    key = ec.derive_private_key(7, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab CA")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, day, day)
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
