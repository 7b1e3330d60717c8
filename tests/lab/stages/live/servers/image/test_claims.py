"""Claims come in any order, before or after the connection; old ones claim nothing."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from lab.stages.live.servers.image.claims import Claims

GATEWAY, UP = "100.64.77.1", ("100.64.77.1", 40_000)
CLIENT, SERVER = ("10.88.1.10", 50_000), ("198.18.0.1", 443)


def anyone(_: int) -> bool:
    return True


@pytest.mark.parametrize("order", list(permutations(("who", "client", "connection"))))
def test_behind_the_gateway_both_words_are_needed_in_any_order(order):
    async def run():
        claims = Claims(GATEWAY, wait_s=5)
        found = None
        for step in order:
            if step == "who":
                claims.behind("tcp", UP, SERVER, CLIENT)
            elif step == "client":
                claims.client(7, "tcp", CLIENT, SERVER)
            else:
                found = asyncio.create_task(claims.conversation("tcp", UP, SERVER, anyone))
            await asyncio.sleep(0)
        return await found

    assert asyncio.run(run()) == 7


@pytest.mark.parametrize("said", [("who",), ("client",), ()])
def test_one_word_alone_is_none_after_the_wait(said):
    async def run():
        claims = Claims(GATEWAY, wait_s=0.02)
        if "who" in said:
            claims.behind("tcp", UP, SERVER, CLIENT)
        if "client" in said:
            claims.client(7, "tcp", CLIENT, SERVER)
        return await claims.conversation("tcp", UP, SERVER, anyone)

    assert asyncio.run(run()) is None


def test_a_device_claims_directly_and_only_for_its_server_and_transport():
    async def run():
        claims = Claims(GATEWAY, wait_s=0.02)
        claims.client(7, "tcp", CLIENT, SERVER)
        return [
            await claims.conversation("tcp", CLIENT, SERVER, anyone),
            await claims.conversation("tcp", CLIENT, ("198.18.0.2", 443), anyone),
            await claims.conversation("udp", CLIENT, SERVER, anyone),
        ]

    assert asyncio.run(run()) == [7, None, None]


def test_ports_used_again_wait_for_the_new_claim():
    async def run():
        claims = Claims(GATEWAY, wait_s=5)
        claims.client(7, "tcp", CLIENT, SERVER)
        assert await claims.conversation("tcp", CLIENT, SERVER, anyone) == 7
        claims.over("tcp", CLIENT, SERVER, 6)  # somebody else's end
        assert await claims.conversation("tcp", CLIENT, SERVER, anyone) == 7
        claims.over("tcp", CLIENT, SERVER, 7)
        second = asyncio.create_task(claims.conversation("tcp", CLIENT, SERVER, anyone))
        await asyncio.sleep(0.01)
        assert not second.done()
        claims.client(8, "tcp", CLIENT, SERVER)
        return await second

    assert asyncio.run(run()) == 8


def test_behind_the_gateway_what_is_over_is_not_current():
    async def run():
        claims = Claims(GATEWAY, wait_s=5)
        claims.client(7, "tcp", CLIENT, SERVER)
        claims.behind("tcp", UP, SERVER, CLIENT)
        second = asyncio.create_task(claims.conversation("tcp", UP, SERVER, lambda n: n != 7))
        await asyncio.sleep(0.01)
        assert not second.done()
        claims.client(8, "tcp", CLIENT, SERVER)
        return await second

    assert asyncio.run(run()) == 8


def test_one_port_of_the_gateway_s_leads_to_two_servers():
    other = ("198.18.0.2", 443)

    async def run():
        claims = Claims(GATEWAY, wait_s=0.05)
        claims.behind("tcp", UP, SERVER, CLIENT)
        claims.behind("tcp", UP, other, ("10.88.1.11", 1))
        claims.client(7, "tcp", CLIENT, SERVER)
        claims.client(8, "tcp", ("10.88.1.11", 1), other)
        claims.over("tcp", UP, SERVER, None)
        return [await claims.conversation("tcp", UP, place, anyone) for place in (other, SERVER)]

    assert asyncio.run(run()) == [8, None]
