"""Nobody answers what he has not heard: the law of message times, on both sides of the device."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lab.protocols import Message
from lab.stages.causality import TURN_US, Course, place

RTT = 30_000


def course(**changes) -> Course:
    values = {"start": 1_000_000, "close": 9_000_000, "rtt": RTT, "mss": 1400, "gap_up": 100, "gap_down": 50}
    return Course(**{**values, "tcp": True, "inbound": False, **changes})


def up(time: int, data: bytes = b"?") -> Message:
    return Message(time, from_client=True, data=data)


def down(time: int, data: bytes = b"!", *, pushed: bool = False) -> Message:
    return Message(time, from_client=False, data=data, pushed=pushed)


def test_first_words_wait_for_the_handshake():
    said = place(course(), [up(1_000_000)])
    assert said.start == [1_000_000 + RTT + TURN_US + 100]


def test_an_answer_comes_its_delay_after_the_request_plus_the_round_trip():
    said = place(course(), [up(2_000_000), down(2_005_000)])
    assert said.start == [2_000_000, 2_000_000 + RTT + 5_000]


def test_a_request_that_waited_moves_its_answer():
    said = place(course(), [up(1_000_000), down(1_005_000)])
    assert said.start[1] - said.end[0] == RTT + 5_000


def test_the_device_as_server_answers_without_a_round_trip_and_is_heard_with_one():
    said = place(course(inbound=True), [up(2_000_000), down(2_005_000), up(2_005_001)])
    assert said.start == [2_000_000, 2_005_000 + TURN_US, 2_005_000 + TURN_US + RTT]


def test_a_server_that_speaks_first_speaks_a_round_trip_after_the_handshake():
    said = place(course(), [down(1_000_000)])
    assert said.start[0] >= 1_000_000 + 2 * RTT


def test_a_push_comes_at_its_own_time_or_once_the_request_was_heard():
    said = place(course(), [up(2_000_000), down(2_000_000, pushed=True), down(5_000_000, pushed=True)])
    assert said.start == [2_000_000, 2_000_000 + RTT, 5_000_000]


def test_bulk_takes_time_and_the_end_waits_for_it():
    said = place(course(close=0), [up(2_000_000), down(2_000_000, bytes(14_001))])
    assert said.end[1] - said.start[1] == 10 * 50
    assert said.closed == said.end[1] + TURN_US


def test_datagrams_need_no_handshake_and_empty_messages_are_not_said():
    said = place(course(tcp=False), [up(1_000_000), up(1_000_000, b"")])
    assert said.start == [1_000_000]
    assert said.closed == 1_000_000


MESSAGES = st.lists(st.builds(Message, st.integers(0, 5_000_000), st.booleans(), st.binary(max_size=20), st.booleans()))


@given(MESSAGES, st.booleans(), st.booleans())
def test_whatever_is_said_effect_follows_cause(messages, inbound, tcp):
    said = place(course(inbound=inbound, tcp=tcp), messages)
    last: dict[bool, int] = {}
    for start, end, client in zip(said.start, said.end, said.from_client, strict=True):
        assert end >= start >= 1_000_000
        assert start > last.get(client, 0), "one side speaks in order"
        if not client and True in last:
            assert start - last[True] >= (TURN_US if inbound else RTT)
        if client and False in last:
            assert start - last[False] >= (RTT if inbound else TURN_US)
        last[client] = end
    assert not tcp or said.closed >= max([9_000_000, *said.end])
