"""Datagrams over a link that loses packets: what is missing, what is asked again, what is never answered.

DNS is asked again after 5 s, the same datagram, until it is answered: netd's resolver (RES_TIMEOUT of AOSP's
resolv_private.h, from memory), whose second and last try is here as many as it takes, for the app goes on in the
timeline. QUIC sends again in new packets after its probe timeout (RFC 9002 section 6.2), and what follows waits.
Elsewhere what is lost is missing; where an exchange is question and answer, a lost question has no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

RESOLVER_US = 5_000_000
PROBE_US = 200_000  # least probe timeout beyond two round trips: delayed ACKs of 25 ms, slack of Chromium (our choice)
IDLE_US = 1_000_000  # a silence after which nobody waits for what was before
TRIES = 16


class Manner(IntEnum):
    """How a conversation bears a loss."""

    SPARED = 0  # nothing of it is lost
    STREAM = 1  # TCP
    RESOLVED = 2  # DNS
    PROBED = 3  # QUIC
    ANSWERED = 4  # question and answer, nobody asks again
    PLAIN = 5


#: Protocols over UDP; others are PLAIN.
MANNERS = {"dns": Manner.RESOLVED, "quic": Manner.PROBED} | dict.fromkeys(("ntp", "stun", "sip"), Manner.ANSWERED)


class Datagram(NamedTuple):
    """A datagram at the sensor; ``again``: it says once more what another said, in other bytes."""

    time: int
    local: bool
    offset: int
    length: int
    again: bool = False


def left(
    manner: Manner, rtt: int, said: Iterable[Datagram], lost: Callable[[bool], bool], *, inbound: bool
) -> list[Datagram]:
    """The datagrams seen of a conversation, in order of time. ``lost`` tells of each next one of a direction."""
    if manner is Manner.RESOLVED:
        found = _resolved(rtt, list(said), lost)
    elif manner is Manner.PROBED:
        found = _probed(rtt, said, lost)
    else:
        found = _missing(said, lost, asks=manner is Manner.ANSWERED, inbound=inbound)
    return sorted(found, key=lambda one: one.time)


def _resolved(rtt: int, said: list[Datagram], lost: Callable[[bool], bool]) -> Iterator[Datagram]:
    """Question by question with its answer; a question without one is asked again all the same."""
    answers = [one for one in said if not one.local]
    for number, question in enumerate(one for one in said if one.local):
        answer = answers[number] if number < len(answers) else None
        for attempt in range(TRIES):
            late = attempt * RESOLVER_US
            yield question._replace(time=question.time + late)
            if lost(True) or (answer and lost(False)):
                continue
            if answer:
                yield answer._replace(time=max(answer.time, question.time + rtt) + late)
            break


def _probed(rtt: int, said: Iterable[Datagram], lost: Callable[[bool], bool]) -> Iterator[Datagram]:
    lag, before = 0, 0
    for one in said:
        lag = 0 if one.time - before > IDLE_US + lag else lag
        before, late = one.time, lag
        for attempt in range(TRIES):
            gone = lost(one.local)
            if one.local or not gone:
                yield one._replace(time=one.time + late, again=attempt > 0)
            if not gone:
                break
            late += (2 * rtt + PROBE_US) << min(attempt, 6)
        lag = max(lag, late)


def _missing(
    said: Iterable[Datagram], lost: Callable[[bool], bool], *, asks: bool, inbound: bool
) -> Iterator[Datagram]:
    heard = True  # the last question was
    for one in said:
        question = one.local != inbound
        if asks and not question and not heard:
            continue
        gone = lost(one.local)
        heard = not gone if question else heard
        if one.local or not gone:
            yield one
