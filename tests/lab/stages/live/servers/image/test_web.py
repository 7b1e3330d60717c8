"""HTTP by hypercorn, where it is installed; the live tests speak with it in the image."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("hypercorn", reason="hypercorn is in the servers' image; tests/live/test_servers.py speaks with it")


def test_requests_of_one_connection_are_answered_in_turn(plans, part_of, eventually):
    from lab.stages.live.servers.image.front import Front
    from lab.stages.live.servers.image.web import connection

    part = part_of(plans.Talk(0, "http", ("127.0.0.1", 80), ((0, 300, 900, 1_000), (9, 300, 0, 1_000))))

    async def run():
        def front():
            made = Front(lambda one: one.hand_to(connection(part), part.entry), lambda _: None)
            part.arrivals.last = asyncio.get_running_loop().time()
            return made

        server = await asyncio.get_running_loop().create_server(front, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        heard = []
        for turn in part.script.turns:
            if turn.from_client:
                writer.write(part.plan.bytes_of(turn))
            else:
                heard.append(await asyncio.wait_for(reader.readexactly(turn.size), 5))
        writer.write(b"GET /more HTTP/1.1\r\nHost: a\r\n\r\n")
        heard.append(await asyncio.wait_for(reader.readline(), 5))
        writer.close()
        await eventually(lambda: len(asyncio.all_tasks()) == 1)  # hypercorn has let go of the connection
        server.close()
        return heard

    first, second, third = asyncio.run(run())
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 204")
    assert third.startswith(b"HTTP/1.1 404")
    assert part.entry.error == "http: request 3 of 2"
