"""When each message of one conversation passes the sensor on the device: nobody answers what he has not heard.

Times are microseconds since the epoch at the device's own interface: what it sends is seen when sent, what it receives
when it arrives. So a round trip lies between what the device says and the earliest answer, and none the other way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.protocols import Message

TURN_US = 45  # a host's own reaction: stack and scheduler


@dataclass(frozen=True, slots=True)
class Course:
    """What decides the course of one conversation; see lab.stages.link for the columns it is a row of."""

    start: int
    close: int
    rtt: int
    mss: int
    gap_up: int
    gap_down: int
    tcp: bool
    inbound: bool


@dataclass(slots=True)
class Said:
    """Messages placed in time: start and end of each at the sensor, who said it, and when all is over."""

    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    from_client: list[bool] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    closed: int = 0  # the client's FIN, or the last datagram


def place(course: Course, messages: Iterable[Message]) -> Said:
    """The messages in the order given, each as early as its own time and causality allow.

    A client's message waits for what the server said before it. A server's answer comes its thinking time after the
    last client message, plus the round trip if the server is remote; a pushed one at its own time, or when heard of.
    """
    said = Said()
    answer_us, turn_us = (TURN_US, course.rtt) if course.inbound else (course.rtt, TURN_US)
    gaps = (course.gap_down, course.gap_up) if course.inbound else (course.gap_up, course.gap_down)
    mss = course.mss
    ready = course.start + course.rtt + TURN_US if course.tcp else course.start  # the handshake's ACK
    client, server = (ready, ready) if course.tcp else (ready - gaps[0], ready - gaps[1])  # ends of what each last said
    heard = ready  # when the client knows what the server last said
    asked = course.start  # the last client message's own time, before anything delayed it
    add_start, add_end, add_who = said.start.append, said.end.append, said.from_client.append
    for message in messages:
        size = len(message.data)
        if not size:
            continue
        if message.from_client:
            begin = max(message.time, client + gaps[0], heard)
            client = end = begin + (size - 1) // mss * gaps[0]
            asked = message.time
        elif message.pushed:
            begin = max(message.time, server + gaps[1], client + answer_us)
            server = end = begin + (size - 1) // mss * gaps[1]
            heard = end + turn_us
        else:
            begin = max(client + answer_us + max(message.time - asked, 0), server + gaps[1])
            server = end = begin + (size - 1) // mss * gaps[1]
            heard = end + turn_us
        add_start(begin)
        add_end(end)
        add_who(message.from_client)
        said.data.append(message.data)
    over = max(client, server, course.start)
    said.closed = max(course.close, client + gaps[0], heard) if course.tcp else over
    return said
