"""The scripted server says the script's turns in order, late enough, and nothing before it was asked."""

from __future__ import annotations

import asyncio
import time

import pytest

from lab.stages.live.servers.image.talk import Talk
from lab.stages.live.servers.image.voices import Plain


def begun(part, wire):
    sizes = [turn.size for turn in part.script.turns if turn.from_client]
    part.arrivals.opened = asyncio.get_running_loop().time()
    talk = Talk(part, Plain(sizes))
    talk.connection_made(wire)
    return talk


def heard(talk, part, data):
    part.arrivals.last = asyncio.get_running_loop().time()
    talk.data_received(data)
    return part.arrivals.last


def test_answers_wait_for_the_whole_question_and_then_for_their_time(plans, part_of, wire, eventually):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((0, 100, 70, 20_000), (1, 10, 300_000, 0))))

    async def run():
        line = wire()
        talk = begun(part, line)
        heard(talk, part, bytes(99))
        await asyncio.sleep(0.1)
        assert line.written == []
        asked = heard(talk, part, bytes(1))
        await eventually(lambda: line.said)
        late = line.written[0][0] - asked
        assert len(line.said) == 70
        heard(talk, part, bytes(10))
        await eventually(lambda: len(line.said) == 300_070)
        assert talk.done
        talk.connection_lost(None)
        return late, line.said

    late, said = asyncio.run(run())
    assert 0.059 < late < 0.5
    assert said == b"".join(bytes(part.plan.bytes_of(turn)) for turn in part.script.turns if not turn.from_client)
    assert part.entry.error is None


def test_a_greeting_counts_from_the_connection(plans, part_of, wire, eventually):
    part = part_of(plans.Talk(0, "imap", ("198.18.0.1", 143), ((0, 100, 500, 0),)))

    async def run():
        line = wire()
        talk = begun(part, line)
        await eventually(lambda: line.said)
        talk.connection_lost(None)
        return line.written[0][0] - part.arrivals.opened, line.said

    late, said = asyncio.run(run())
    assert plans.RTT_US / 1e6 - 0.001 < late < 0.5
    assert said.startswith(b"* OK")
    assert "closed at turn 2" in part.entry.error


def test_pushes_come_at_their_time_of_the_run(plans, part_of, wire, eventually):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((50_000, 0, 7, 0), (120_000, 0, 8, 0))))

    async def run():
        line = wire()
        talk = begun(part, line)
        await asyncio.sleep(0.02)
        assert line.written == []  # not started
        part.clock.start(int(time.time() * 1e6))
        zero = asyncio.get_running_loop().time()
        await eventually(lambda: len(line.said) == 15)
        talk.connection_lost(None)
        return [when - zero for when, _ in line.written]

    first, second = asyncio.run(run())
    assert 0.049 < first < 0.1
    assert 0.119 < second < 0.5


def test_a_connection_that_was_never_used_is_no_fault(plans, part_of, wire):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((0, 10, 7, 0),)))

    async def run():
        talk = begun(part, wire())
        await asyncio.sleep(0)
        talk.connection_lost(None)

    asyncio.run(run())
    assert part.entry.error is None


def test_a_slow_client_is_waited_for(plans, part_of, wire, eventually):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((0, 1, 600_000, 0),)))

    async def run():
        line = wire()
        talk = begun(part, line)
        talk.pause_writing()
        heard(talk, part, b"x")
        await asyncio.sleep(0.06)
        assert line.written == []
        talk.resume_writing()
        await eventually(lambda: talk.done)
        talk.connection_lost(None)
        return len(line.said)

    assert asyncio.run(run()) == 600_000


class Deaf:
    def hear(self, _):
        raise ValueError("not understood")

    async def say(self, data):
        return data

    def close(self):
        pass


def test_bytes_that_break_the_protocol_hang_up(plans, part_of, wire):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((0, 10, 7, 0),)))

    async def run():
        line = wire()
        talk = Talk(part, Deaf())
        talk.connection_made(line)
        talk.data_received(b"?")
        closed = line.closed
        talk.connection_lost(None)
        return closed

    assert asyncio.run(run())
    assert part.entry.error == "not understood"


@pytest.mark.parametrize("done", [False, True])
def test_the_clients_last_word_leaves_the_line_open_until_all_is_said(plans, part_of, done):
    part = part_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ((0, 10, 7, 0),)))
    talk = Talk(part, Deaf())
    talk.done = done
    assert talk.eof_received() is not done
