"""Every address is ours: which one was meant decides, over TCP, TLS and UDP, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

import pytest

from lab.stages.live.servers.image.actors import Stage
from lab.stages.live.servers.image.claims import Claims
from lab.stages.live.servers.image.daemons import Daemons
from lab.stages.live.servers.image.listening import Listening

ROWS = ((0, 300, 500, 1_000),)


@contextlib.asynccontextmanager
async def listening(plan, *, wait_s=5.0):
    stage, claims = Stage(plan), Claims("127.0.0.1", wait_s)
    served = Listening(stage, claims, Daemons())
    served.serve()
    try:
        yield stage, claims
    finally:
        await served.close()


async def spoken(stage, claims, n, *, context=None, name=None):
    """The client's side of conversation n from 127.0.9.1: what it hears."""
    script = stage.plan.script(n)
    opened = socket.socket()
    opened.setblocking(False)
    opened.bind(("127.0.9.1", 0))
    claims.client(n, "tcp", opened.getsockname(), script.server)
    await asyncio.get_running_loop().sock_connect(opened, script.server)
    reader, writer = await asyncio.open_connection(sock=opened, ssl=context, server_hostname=name)
    writer.write(stage.plan.bytes_of(script.turns[0]))
    heard = await asyncio.wait_for(reader.readexactly(script.turns[1].size), 5)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return heard == bytes(stage.plan.bytes_of(script.turns[1]))


def test_two_hosts_on_one_port_with_and_without_tls(plans, plan_of, free_port, eventually):
    port = free_port()
    plan = plan_of(
        plans.Talk(0, "opaque", ("127.0.5.1", port), ROWS),
        plans.Talk(1, "opaque", ("127.0.5.2", port), ROWS, tls=True, name="a.example"),
    )

    async def run():
        context = ssl.create_default_context(cafile=str(plan.pki / "origin-ca.pem"))
        async with listening(plan) as (stage, claims):
            said = [await spoken(stage, claims, 0), await spoken(stage, claims, 1, context=context, name="a.example")]
            await eventually(lambda: stage.ledger.entry(1).received == 300)
            return said, stage.ledger.report()

    said, report = asyncio.run(run())
    assert said == [True, True]
    assert report["strays"] == {}
    assert {(row["received"], row["sent"], row["error"]) for row in report["conversations"].values()} == {
        (300, 500, None)
    }


async def one_byte(address, port):
    """Reset while it reads, or before it could."""
    reader, writer = await asyncio.open_connection(address, port)
    with contextlib.closing(writer):
        return await asyncio.wait_for(reader.readexactly(1), 5)


def test_nobodys_connection_is_reset_and_counted(plans, plan_of, free_port):
    port = free_port()
    plan = plan_of(plans.Talk(0, "opaque", ("127.0.5.1", port), ROWS))

    async def run():
        async with listening(plan, wait_s=0.02) as (stage, _):
            for address in ("127.0.5.1", "127.0.5.2"):
                with pytest.raises(ConnectionResetError):
                    await one_byte(address, port)
            return dict(stage.ledger.strays)

    assert asyncio.run(run()) == {"unclaimed": 1, "no service": 1}


def test_a_failed_handshake_is_counted(plans, plan_of, free_port, eventually):
    port = free_port()
    plan = plan_of(plans.Talk(0, "opaque", ("127.0.5.1", port), ROWS, tls=True, name="a.example"))

    async def run():
        async with listening(plan) as (stage, _):
            _, writer = await asyncio.open_connection("127.0.5.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await eventually(lambda: stage.ledger.strays["tls"] == 1)
            writer.close()

    asyncio.run(run())


def test_datagrams_are_a_conversation(plans, plan_of, free_port):
    port = free_port(socket.SOCK_DGRAM)
    plan = plan_of(plans.Talk(0, "datagram", ("127.0.5.1", port), ((0, 148, 92, 0), (1, 500, 2_000, 0))))

    async def run():
        loop, script = asyncio.get_running_loop(), plan.script(0)
        async with listening(plan) as (stage, claims):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setblocking(False)
                client.bind(("127.0.9.1", 0))  # not the gateway's address
                client.connect(script.server)
                heard = []
                for turn in script.turns:
                    if turn.from_client:
                        await loop.sock_sendall(client, plan.bytes_of(turn))
                        claims.client(0, "udp", client.getsockname(), script.server)  # after the first datagram
                    else:
                        heard.append(len(await asyncio.wait_for(loop.sock_recv(client, 2_000), 5)))
            return heard, stage.ledger.entry(0)

    heard, entry = asyncio.run(run())
    assert heard == [92, 1_400, 600]
    assert (entry.received, entry.sent, entry.error) == (648, 2_092, None)


def test_a_port_held_by_another_is_bound_address_by_address(plans, plan_of, free_port):
    port = free_port()
    plan = plan_of(plans.Talk(0, "opaque", ("127.0.5.1", port), ROWS))

    async def run():
        with socket.create_server(("127.0.0.1", port)):
            async with listening(plan) as (stage, claims):
                return await spoken(stage, claims, 0)

    assert asyncio.run(run())
