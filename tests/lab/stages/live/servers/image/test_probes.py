"""A health check believes only the right answer."""

from __future__ import annotations

import asyncio
import struct

import pytest

from lab.stages.live.servers.image.probes import imap_greets, mqtt_connects, socks_greets, stun_answers


@pytest.mark.parametrize(
    ("probe", "said"),
    [(mqtt_connects, b"\x20\x02\0\0"), (socks_greets, b"\x05\0"), (imap_greets, b"* OK ready\r\n")],
)
@pytest.mark.parametrize("right", [True, False])
def test_over_tcp(probe, said, right):
    async def run():
        async def answer(reader, writer):
            writer.write(said if right else b"\x99" * len(said))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        found = await probe(server.sockets[0].getsockname())
        server.close()
        await server.wait_closed()
        return found

    assert asyncio.run(run()) is right


def test_nobody_there(free_port):
    assert asyncio.run(mqtt_connects(("127.0.0.1", free_port()))) is False
    assert asyncio.run(stun_answers(("127.0.0.1", free_port()))) is False


@pytest.mark.parametrize("right", [True, False])
def test_stun(right):
    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, peer):
            own = data[4:20] if right else bytes(16)
            self.transport.sendto(struct.pack("!HH", 0x0101, 0) + own, peer)

    async def run():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
        found = await stun_answers(transport.get_extra_info("sockname"))
        transport.close()
        return found

    assert asyncio.run(run()) is right
