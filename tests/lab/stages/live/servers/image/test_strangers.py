"""A stranger dials a phone's listener on loopback, from its own address, and speaks its script."""

from __future__ import annotations

import asyncio
import time

import pytest

from lab.stages.live.servers.image.actors import Stage
from lab.stages.live.servers.image.strangers import Strangers

ROWS = ((40_000, 300, 500, 1_000), (90_000, 200, 100, 1_000))
PHONE = "127.0.6.1"


def dialled(plan, listen, port, eventually, *, over):
    """Runs the strangers against ``listen``: (strangers, ledger report, seconds until the phone was called)."""

    async def run():
        called = []

        async def answer(reader, writer):
            called.append((asyncio.get_running_loop().time() - zero, writer.get_extra_info("peername")))
            await listen(reader, writer)

        server = await asyncio.start_server(answer, PHONE, port) if listen else None
        stage = Stage(plan)
        strangers = Strangers(stage)
        zero = asyncio.get_running_loop().time()
        stage.clock.start(int(time.time() * 1e6))
        strangers.start()
        await eventually(lambda: over(stage.ledger))
        await strangers.close()
        if server:
            server.close()
            await server.wait_closed()
        return strangers.dialled, stage.ledger.report()["conversations"], called

    return asyncio.run(run())


def phone(script, plan):
    async def listen(reader, writer):
        for turn in script.turns:
            if turn.from_client:
                await reader.readexactly(turn.size)
            else:
                writer.write(plan.bytes_of(turn))
        await reader.read(1)
        writer.close()

    return listen


def test_own_turns(plans, plan_of, free_port, eventually):
    port = free_port()
    talk = plans.Talk(0, "opaque", (PHONE, port), ROWS, client="127.0.7.1", inbound=True, close_us=100_000)
    plan = plan_of(talk)
    found, report, called = dialled(
        plan, phone(plan.script(0), plan), port, eventually, over=lambda ledger: ledger.entry(0).received == 600
    )
    assert found[0] == called[0][1]
    assert found[0][0] == "127.0.7.1"
    assert report == {"0": {"received": 600, "sent": 500, "error": None}}


def test_through_a_socks_proxy(plans, plan_of, free_port, eventually):
    port = free_port()
    inward = plans.Talk(0, "socks5", (PHONE, port), ROWS, client="127.0.7.1", inbound=True, close_us=100_000)
    plan = plan_of(inward, plans.Talk(1, "opaque", ("198.18.0.1", 443), ROWS, via=0, close_us=100_000))
    beyond = phone(plan.script(1), plan)

    async def proxy(reader, writer):
        await reader.readexactly(3)
        writer.write(b"\x05\0")
        await reader.readexactly(plan.script(0).turns[2].size)
        writer.write(b"\x05\0\0\x01\0\0\0\0\0\0")
        await beyond(reader, writer)

    _, report, _ = dialled(plan, proxy, port, eventually, over=lambda ledger: ledger.entry(1).received == 600)
    assert report["1"] == {"received": 600, "sent": 500, "error": None}
    assert report["0"]["received"] == 600 + 12
    assert report["0"]["error"] is None


@pytest.mark.parametrize(
    ("listen", "words"),
    [(False, "dial: ConnectionRefusedError"), (True, "hung up")],
)
def test_what_goes_wrong_is_noted(plans, plan_of, free_port, eventually, listen, words):
    port = free_port()
    plan = plan_of(plans.Talk(0, "opaque", (PHONE, port), ROWS, client="127.0.7.1", inbound=True, close_us=100_000))

    async def hang_up(reader, writer):
        await reader.read(1)
        writer.close()

    _, report, _ = dialled(
        plan, hang_up if listen else None, port, eventually, over=lambda ledger: ledger.entry(0).error is not None
    )
    assert words in report["0"]["error"] or "Reset" in report["0"]["error"]


def test_nobody_dials_datagrams(plans, plan_of, free_port, eventually):
    plan = plan_of(plans.Talk(0, "datagram", (PHONE, 9), ((0, 148, 92, 0),), client="127.0.7.1", inbound=True))
    _, report, _ = dialled(plan, None, 0, eventually, over=lambda ledger: ledger.entry(0).error is not None)
    assert "TCP only" in report["0"]["error"]
