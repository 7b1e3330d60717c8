"""Two ends of a connection over a bad link: what the sensor sees of each kind of loss."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lab.stages.segments import ACK, FIN, SYN
from lab.stages.transport import LEAST_RTO_US, Piece, Transport

RTT = 20_000


def seen(lost: set[tuple[bool, int]], pieces: int = 1, *, local: bool = True):
    """What is seen where one side says so many pieces of 100 bytes when the handshake is done.

    ``lost``: (by the device, its number among the packets of that side).
    """
    counts = {False: -1, True: -1}

    def gone(side: bool) -> bool:
        counts[side] += 1
        return (side, counts[side]) in lost

    said: list[int] = []

    def speak(time: int) -> None:
        side = transport.sides[local]
        if side.open and not said:
            said.append(time)
            side.pieces += [Piece(1 + 100 * n, 100, 100 * n, ACK) for n in range(pieces)]
            side.queued += 100 * pieces
            transport.pump(side, time)

    transport = Transport(RTT, (100, 100), inbound=False, lost=gone, speak=speak)
    return transport.run(0)


def data(found, *, local: bool) -> list[tuple[int, int]]:
    return [(one.time, one.seq) for one in found if one.length and one.local == local]


def test_a_lost_syn_is_said_again_after_a_second_and_seen_twice():
    found = seen({(True, 0)})
    assert [(one.time, one.flags) for one in found[:3]] == [(0, SYN), (1_000_000, SYN), (1_000_000 + RTT, SYN | ACK)]


def test_a_lost_answer_to_a_syn_is_not_seen():
    found = seen({(False, 0)})
    assert [(one.time, one.local) for one in found if one.flags & SYN] == [
        (0, True),
        (1_000_000, True),
        (1_000_000 + RTT, False),
    ]


def test_what_the_device_loses_is_seen_twice_and_said_again_in_time():
    (first, seq), (again, same) = data(seen({(True, 2)}), local=True)
    assert (seq, same) == (1, 1)
    assert again - first == RTT + LEAST_RTO_US


def test_the_timer_doubles():
    times = [time for time, _ in data(seen({(True, 2), (True, 3), (True, 4)}), local=True)]
    assert [b - a for a, b in pairwise(times)] == [(RTT + LEAST_RTO_US) << n for n in range(3)]


def test_what_is_lost_on_its_way_to_the_device_is_seen_once():
    assert data(seen({(False, 1)}, local=False), local=False) == [(3 * RTT + 45 + LEAST_RTO_US, 1)]


def test_three_segments_behind_a_hole_bring_it_back_without_a_timer():
    found = seen({(False, 2)}, pieces=6, local=False)
    assert [seq for _, seq in data(found, local=False)] == [1, 201, 301, 401, 501, 101]
    asks = [one for one in found if one.local and one.holds]
    assert [one.holds for one in asks] == [((201, 301 + 100 * n),) for n in range(4)]
    assert {one.ack for one in asks} == {101}
    back = data(found, local=False)[-1][0]
    assert back == asks[2].time + RTT
    assert found[-1].ack == 601


def test_two_holes_are_both_told():
    found = seen({(False, 2), (False, 4)}, pieces=8, local=False)
    assert max(len(one.holds) for one in found) == 2
    assert sorted(seq for _, seq in data(found, local=False)) == [1 + 100 * n for n in range(8)]


@pytest.mark.parametrize("number", range(8))
def test_any_single_loss_is_repaired(number):
    for side in (False, True):
        for local in (False, True):
            found = seen({(side, number)}, pieces=6, local=local)
            assert {seq for _, seq in data(found, local=local)} == {1 + 100 * n for n in range(6)}
            assert all(one.flags & FIN == 0 for one in found)
