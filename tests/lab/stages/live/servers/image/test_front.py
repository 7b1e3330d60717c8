"""What comes before the claim is not lost, and bytes are counted once."""

from __future__ import annotations

import asyncio

import pytest

from lab.stages.live.servers.image.front import Front
from lab.stages.live.servers.image.ledger import Entry


class Actor(asyncio.Protocol):
    def __init__(self, *, stays: bool = False) -> None:
        self.heard, self.lost, self.transport, self.ended, self.stays = b"", False, None, 0, stays

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.heard += data

    def eof_received(self):
        self.ended += 1
        return self.stays

    def connection_lost(self, _):
        self.lost = True


def test_early_bytes_come_again_and_all_are_counted(wire):
    async def run():
        ended = []
        front, line, actor, entry = Front(lambda _: None, ended.append), wire(), Actor(), Entry()
        front.connection_made(line)
        front.data_received(b"early")
        front.hand_to(actor, entry)
        front.data_received(b" late")
        actor.transport.write(b"answer")
        actor.transport.writelines([b"a", b"b"])
        front.connection_lost(None)
        return actor, entry, line, ended == [front]

    actor, entry, line, told = asyncio.run(run())
    assert (actor.heard, actor.lost, line.said, told) == (b"early late", True, b"answerab", True)
    assert (entry.received, entry.sent) == (10, 8)


def test_the_time_is_that_of_arrival_not_of_the_claim(wire):
    async def run():
        front, actor = Front(lambda _: None, lambda _: None), Actor()
        front.connection_made(wire())
        front.data_received(b"early")
        came = front.arrivals.last
        await asyncio.sleep(0.02)
        front.hand_to(actor, Entry())
        return front.arrivals.last - came

    assert asyncio.run(run()) == 0


@pytest.mark.parametrize("stays", [True, False])
def test_a_last_word_before_the_claim_is_passed_on(wire, stays):
    async def run():
        front, line, actor = Front(lambda _: None, lambda _: None), wire(), Actor(stays=stays)
        front.connection_made(line)
        assert front.eof_received()
        front.hand_to(actor, Entry())
        return actor.ended, line.closed

    assert asyncio.run(run()) == (1, not stays)


def test_nothing_is_handed_over_when_the_client_has_gone(wire):
    async def run():
        front, actor = Front(lambda _: None, lambda _: None), Actor()
        front.connection_made(wire())
        front.connection_lost(None)
        front.hand_to(actor, Entry())
        front.refuse()
        return actor.transport

    assert asyncio.run(run()) is None
