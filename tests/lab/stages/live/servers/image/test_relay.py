"""Bytes pass both ways as they are, from the first one on, and the end passes too."""

from __future__ import annotations

import asyncio

from lab.stages.live.servers.image.relay import Relay


def test_an_echo_beyond(wire, eventually):
    async def run():
        async def echo(reader, writer):
            writer.write(b"hello ")
            while data := await reader.read(99):
                writer.write(data)
            writer.close()

        beyond = await asyncio.start_server(echo, "127.0.0.1", 0)
        line = wire()
        relay = Relay(beyond.sockets[0].getsockname())
        relay.connection_made(line)
        relay.data_received(b"early ")
        await eventually(lambda: line.said == b"hello early ")
        relay.pause_writing()
        relay.resume_writing()
        relay.data_received(b"late")
        assert relay.eof_received()
        await eventually(lambda: line.closed)
        relay.connection_lost(None)
        beyond.close()
        await beyond.wait_closed()
        return line.said

    assert asyncio.run(run()) == b"hello early late"


def test_nobody_beyond_hangs_up(wire, eventually, free_port):
    async def run():
        line = wire()
        relay = Relay(("127.0.0.1", free_port()))
        relay.connection_made(line)
        await eventually(lambda: line.closed)
        relay.connection_lost(None)
        return line.said

    assert asyncio.run(run()) == b""
