"""SMTP by aiosmtpd, where it is installed; the live tests speak with it in the image."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("aiosmtpd", reason="aiosmtpd is in the servers' image; tests/live/test_servers.py speaks with it")


def test_replies_are_the_scripts_where_aiosmtpd_agrees(plans, part_of):
    from lab.stages.live.servers.image.front import Front
    from lab.stages.live.servers.image.mail import Submission

    part = part_of(plans.Talk(0, "smtp", ("127.0.0.1", 25), ((0, 2_000, 300, 1_000),), name="a.example"))

    async def run():
        part.arrivals.last = part.arrivals.opened = asyncio.get_running_loop().time()
        server = await asyncio.get_running_loop().create_server(
            lambda: Front(lambda one: one.hand_to(Submission(part), part.entry), lambda _: None), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for turn in part.script.turns:
            if turn.from_client:
                writer.write(part.plan.bytes_of(turn))
            else:
                heard = await asyncio.wait_for(reader.readexactly(turn.size), 5)
                assert heard == bytes(part.plan.bytes_of(turn))
        writer.close()
        server.close()

    asyncio.run(run())
    assert part.entry.error is None
