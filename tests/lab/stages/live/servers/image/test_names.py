"""DNS over TCP: questions may be cut anywhere, each gets its answer after its delay."""

from __future__ import annotations

import asyncio

import dnslib

from lab.stages.live.servers.image.authority import Authority
from lab.stages.live.servers.image.ledger import Ledger
from lab.stages.live.servers.image.names import NameServer


def test_two_questions_in_pieces(plans, plan_of, wire, eventually):
    plan = plan_of(plans.Talk(0, "dns", ("198.18.0.53", 53), ((0, 0, 0, 1_000),), name="www.a.example"))

    async def run():
        server, line = NameServer(Authority(plan.zone, Ledger())), wire()
        server.connection_made(line)
        asked = bytes(dnslib.DNSRecord.question("www.a.example").pack())
        data = (len(asked).to_bytes(2, "big") + asked) * 2
        begun = asyncio.get_running_loop().time()
        for place in range(0, len(data), 7):
            server.data_received(data[place : place + 7])
        await eventually(lambda: len(line.written) == 2)
        return [when - begun for when, _ in line.written], line.said

    times, said = asyncio.run(run())
    assert min(times) > 0.04
    size = int.from_bytes(said[:2], "big")
    assert len(said) == 2 * (2 + size)
    assert dnslib.DNSRecord.parse(said[2 : 2 + size]).rr
