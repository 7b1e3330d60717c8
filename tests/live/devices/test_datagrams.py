"""Datagrams through a real adbd: their bounds, their ports, and an end even where nobody answers."""

import asyncio
import signal
import socket
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from lab.devices.netcat import kill_command
from lab.devices.stream import outcome
from lab.stages.live.reach import Reach

pytestmark = pytest.mark.live
UID, PACKAGE = 10123, "com.example.chat"
WAIT_S = 60.0  # of every wait: it ends a hang, and judges no speed


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
