"""Phones that serve: strangers over socket pairs are answered by the script, in time; who never comes is an error."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import time
from types import SimpleNamespace

import numpy as np
import pytest

from lab.stages.live import listening as module
from lab.stages.live.casting import Relay
from lab.stages.live.listening import Listening
from lab.stages.live.pace import Tempo, courses
from lab.stages.live.player import wall_us

PAYLOAD = b"hello?" + b"who is it" + b"me" + b"come in!"  # by turns, the stranger begins
SIZES = (6, 9, 2, 8)
THINK_US = 60_000
UID, PORT = 10_101, 8_080


class Phone:
    """Opens a socket pair per listener; the strangers of ``visits`` take them in turn."""

    def __init__(self, *visits, refuses=None, exit_code=None) -> None:
        self.visits, self.refuses, self.exit_code = list(visits), refuses, exit_code
        self.asked, self.tasks, self.results, self.ends = [], [], [], []

    async def listen(self, relay, wait_s):
        self.asked.append((relay, wait_s))
        if self.refuses:
            raise self.refuses
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        self.ends.append(writer)
        if self.exit_code is not None:
            writer.get_extra_info = lambda _name: SimpleNamespace(exit_code=self.exit_code, __str__=lambda _: "")
            theirs.close()
        elif self.visits:
            self.tasks.append(asyncio.create_task(self._visit(self.visits.pop(0), theirs)))
        else:
            self.tasks.append(asyncio.create_task(self._visit(nobody, theirs)))
        return reader, writer

    async def _visit(self, visit, end) -> None:
        reader, writer = await asyncio.open_connection(sock=end)
        try:
            self.results.append(await visit(reader, writer))
        finally:
            writer.close()
            await writer.wait_closed()


async def nobody(reader, _writer):
    await reader.read()


async def polite(reader, writer):
    """Says its lines; (what it heard, how long each answer took in s)."""
    heard, took = b"", []
    for said, size in ((b"hello?", 9), (b"me", 8)):
        asked = time.monotonic()
        writer.write(said)
        heard += await reader.readexactly(size)
        took.append(time.monotonic() - asked)
    return heard, took


async def shy(_reader, _writer):
    """Hangs up without a word."""


async def curt(_reader, writer):
    """Hangs up after its first word."""
    writer.write(b"hello?")


@pytest.fixture
def incoming(paced):
    """So many strangers' scripts, one after the other: each two questions and two answers."""
    _, scripts, _, _ = paced("live-socks5")
    like = next(s for s in scripts if s.inbound)
    times = like.start + np.arange(1, 5, dtype=np.int64) * 1_000

    def made(count: int):
        values = {"protocol": "opaque", "server": (like.server[0], PORT), "uid": UID, "close": like.start + 5_000}
        values |= {"from_client": np.array([True, False] * 2), "pushed": np.zeros(4, dtype=bool)}
        sizes = np.array(SIZES, dtype=np.int64)
        values |= {"size": sizes, "offset": np.cumsum(sizes) - sizes, "begin": times, "end": times, "rtt_us": 1_000}
        values |= {"think": np.array([0, THINK_US] * 2, dtype=np.int64)}
        return like.start, [dataclasses.replace(like, n=n, **values) for n in range(count)]

    return made


def listened(phone, start, scripts, *, lasts_s=0.0, relays=None, wait_s=0.15) -> Listening:
    """The listening after its time: an app listens from the start for so long (real seconds)."""
    relay = Relay(scripts[0].device if scripts else 0, UID, None, PORT, start, start + int(lasts_s * 1e6))

    async def run() -> Listening:
        tempo = Tempo(wall_us(), start, 1.0)
        relays_ = [relay] if relays is None else relays
        made = Listening(scripts, courses(scripts, start, 1.0), memoryview(PAYLOAD), relays_, phone.listen, tempo)
        async with asyncio.timeout(5.0):
            await made.run()
            await asyncio.gather(*phone.tasks, return_exceptions=True)
        return made

    module_wait, module.WAIT_S = module.WAIT_S, wait_s
    try:
        return asyncio.run(run())
    finally:
        module.WAIT_S = module_wait


def test_a_stranger_is_answered_by_the_script_after_its_thinking_time(incoming) -> None:
    phone = Phone(polite)
    done = listened(phone, *incoming(1), lasts_s=0.2)
    ((heard, took),) = phone.results[:1]
    assert heard == b"who is itcome in!"
    assert all(THINK_US / 1e6 - 0.002 <= one < THINK_US / 1e6 + 0.1 for one in took)
    assert (done.errors, done.faults) == ({}, [])


def test_the_next_listener_is_opened_as_soon_as_one_is_taken(incoming) -> None:
    phone = Phone(polite, polite, polite)
    begun = time.monotonic()
    done = listened(phone, *incoming(3))
    assert [result[0] for result in phone.results] == [b"who is itcome in!"] * 3
    assert len(phone.asked) == 3
    assert done.errors == {}
    assert time.monotonic() - begun < 3 * 2 * THINK_US / 1e6  # not one after the other


def test_a_stranger_who_never_comes_is_an_error_and_those_after_it_too(incoming) -> None:
    phone = Phone(polite)
    done = listened(phone, *incoming(3))
    assert done.errors == {1: "no stranger came", 2: "no stranger came"}
    assert done.faults == []
    assert len(phone.asked) == 2
    assert all(end.is_closing() for end in phone.ends)


def test_a_stranger_who_leaves_in_the_middle_is_an_error(incoming) -> None:
    done = listened(Phone(curt), *incoming(1))
    assert list(done.errors) == [0]
    assert done.errors[0].startswith("on the phone: ")


def test_who_hangs_up_without_a_word_takes_nobody_s_turn(incoming) -> None:
    phone = Phone(shy, polite)
    done = listened(phone, *incoming(1))
    assert len(phone.asked) == 2
    assert phone.results[1][0] == b"who is itcome in!"
    assert done.errors == {}


def test_who_comes_unplanned_is_hung_up_on(incoming) -> None:
    phone = Phone(polite)
    start, _ = incoming(0)
    done = listened(phone, start, [], lasts_s=0.15)
    assert isinstance(phone.tasks[0].exception(), asyncio.IncompleteReadError)
    assert (done.errors, done.faults) == ({}, [])
    assert len(phone.asked) == 2
    assert all(end.is_closing() for end in phone.ends)


def test_a_listener_that_cannot_be_had_is_a_fault_and_says_why_nobody_could_come(incoming) -> None:
    done = listened(Phone(refuses=RuntimeError("device offline")), *incoming(2))
    assert done.faults == [f"listener of uid {UID} on port {PORT}: device offline"]
    assert done.errors == dict.fromkeys((0, 1), done.faults[0])


def test_a_program_that_fails_on_the_phone_is_a_fault_and_is_not_tried_for_ever(incoming) -> None:
    phone = Phone(exit_code=1)
    done = listened(phone, *incoming(1))
    assert len(phone.asked) == 1
    assert done.faults[0].startswith(f"listener of uid {UID} on port {PORT}: ")


def test_it_listens_while_the_app_does_and_not_for_other_apps_strangers(incoming) -> None:
    start, scripts = incoming(1)
    others = [dataclasses.replace(scripts[0], uid=UID + 1)]
    phone = Phone()
    begun = time.monotonic()
    done = listened(phone, start, others, relays=[Relay(others[0].device, UID, None, PORT, start, start + 150_000)])
    assert 0.14 < time.monotonic() - begun < 1.0
    assert [wait for _, wait in phone.asked] == [1]
    assert (done.errors, done.faults) == ({}, [])


def test_proxies_are_not_its_business(incoming) -> None:
    start, scripts = incoming(1)
    phone = Phone()
    listened(phone, start, scripts, relays=[Relay(scripts[0].device, UID, "socks5", PORT, start, start + 100_000)])
    assert phone.asked == []


def test_a_run_s_end_hangs_up_on_the_phone(incoming) -> None:
    start, scripts = incoming(1)
    phone = Phone()

    async def cut() -> None:
        tempo = Tempo(wall_us(), start, 1.0)
        relay = Relay(scripts[0].device, UID, None, PORT, start, start + 60_000_000)
        made = Listening(scripts, courses(scripts, start, 1.0), memoryview(PAYLOAD), [relay], phone.listen, tempo)
        running = asyncio.create_task(made.run())
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(asyncio.gather(*phone.tasks), 1.0)  # their end has seen the end of ours

    asyncio.run(cut())
    assert [end.is_closing() for end in phone.ends] == [True]
