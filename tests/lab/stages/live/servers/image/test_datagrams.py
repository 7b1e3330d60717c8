"""One socket hears every address and answers from the one that was meant."""

from __future__ import annotations

import asyncio
import socket

from lab.stages.live.servers.image.datagrams import DatagramLine, Datagrams


def test_the_address_meant_is_told_and_answered_from(free_port):
    async def run():
        loop, came = asyncio.get_running_loop(), []

        def arrived(through, data, peer, local):
            came.append((data, local))
            through.send(b"re:" + data, local, peer)

        served = Datagrams("0.0.0.0", free_port(socket.SOCK_DGRAM), arrived)
        heard = []
        for address in ("127.0.5.1", "127.0.5.2"):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.connect((address, served.port))  # hears only this address
                await loop.sock_sendall(client, address.encode())
                heard.append(await asyncio.wait_for(loop.sock_recv(client, 99), 5))
        served.close()
        served.close()
        return served.port, came, heard

    port, came, heard = asyncio.run(run())
    assert came == [(b"127.0.5.1", ("127.0.5.1", port)), (b"127.0.5.2", ("127.0.5.2", port))]
    assert heard == [b"re:127.0.5.1", b"re:127.0.5.2"]


def test_a_line_tells_its_end_once_and_is_silent_after():
    class Sink:
        sent = 0

        def send(self, *_):
            self.sent += 1

    class Ended(asyncio.Protocol):
        times = 0

        def connection_lost(self, _):
            self.times += 1

    async def run():
        sink, protocol = Sink(), Ended()
        line = DatagramLine(sink, ("198.18.0.1", 1), ("10.88.1.10", 2), protocol)
        line.write(b"a")
        line.abort()
        line.close()
        line.write(b"b")
        await asyncio.sleep(0)
        return sink.sent, protocol.times, line.is_closing()

    assert asyncio.run(run()) == (1, 1, True)
