"""Pace: exchanges wait for those before them, and a walk says when turns are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.stages.flows.lanes import Lanes, Walk, starts


@given(st.lists(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**8)), min_size=1, max_size=8), max_size=6))
def test_exchanges_begin_when_due_or_when_the_one_before_is_over(conversations):
    time, lasts, first, expected = [], [], [], []
    for rows in conversations:
        ready = 0
        for nth, (due, long) in enumerate(sorted(rows)):
            begin = max(due, ready) if nth else due
            ready = begin + long
            time.append(due), lasts.append(long), first.append(nth == 0), expected.append(begin)
    made = starts(*(np.array(column, dtype=kind) for column, kind in ((time, int), (lasts, int), (first, bool))))
    assert made.tolist() == expected


def lanes(**changes):
    one = {"mss": 1400, "client_gap": 10, "server_gap": 20, "answer": 5_000, "turn": 45, "rtt": 5_000, "tcp": True}
    one |= {"header": 20, "room": 1_420}
    return Lanes(*(np.array([value]) for value in (one | changes).values()))


def test_an_answer_comes_its_thinking_and_a_round_trip_later():
    walk, zero = Walk.begun(lanes(), opened=False), np.zeros(1, dtype=np.int64)
    assert walk.client_says(zero, zero + 3)[1].tolist() == [20]
    begin, end = walk.server_says(zero + 700, zero + 2, pushed=False)
    assert (begin.tolist(), end.tolist()) == ([20 + 5_000 + 700], [20 + 5_720])
    assert walk.ready.tolist() == [5_740 + 45]


def test_a_push_waits_for_nobody():
    walk, zero = Walk.begun(lanes(), opened=False), np.zeros(1, dtype=np.int64)
    assert walk.server_says(zero + 700, zero + 1, pushed=True)[0].tolist() == [700]
