"""Private look-ups share connections until a silence or a change of the network, and lose no question."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND
from lab.world.resolving import DOT_AHEAD, DOT_IDLE, Resolving, connections


def asked(*rows):
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return dict(zip(("device", "time", "delay", "incident"), columns, strict=True))


def test_a_silence_ends_a_connection():
    rows = [(0, SECOND, 10, 3), (0, 2 * SECOND, 10, 3), (0, 30 * SECOND, 10, -1), (1, SECOND, 10, 5)]
    made = connections(asked(*rows), Resolving(private=True))
    assert made.of.tolist() == [0, 0, 1, 2]
    assert made.device.tolist() == [0, 0, 1]
    assert made.incident.tolist() == [3, -1, 5]
    assert made.close.tolist() == [22 * SECOND + 10, 50 * SECOND + 10, 21 * SECOND + 10]


def test_a_connection_of_two_causes_is_nobodys():
    made = connections(asked((0, SECOND, 10, 3), (0, 2 * SECOND, 10, -1)), Resolving())
    assert made.incident.tolist() == [-1]


def test_a_change_of_the_network_ends_it():
    how = Resolving(private=True, switches={0: np.array([3 * SECOND])}, span=8 * SECOND)
    made = connections(asked((0, 2 * SECOND, 10, -1), (0, 5 * SECOND, 10, -1)), how)
    assert made.close.tolist() == [3 * SECOND, 8 * SECOND - 1]


times = st.integers(0, 600).map(lambda second: second * SECOND + DOT_AHEAD)


@given(st.lists(st.tuples(st.integers(0, 2), times, st.integers(500, SECOND), st.integers(-1, 2)), max_size=40))
def test_no_question_is_lost_and_none_is_asked_on_a_closed_connection(rows):
    how = Resolving(switches={1: np.array([100 * SECOND, 300 * SECOND])}, span=10_000 * SECOND)
    made = connections(asked(*rows), how)
    assert sorted(made.time.tolist()) == sorted(time for _, time, _, _ in rows)
    of = made.of
    assert np.all(made.time >= made.start[of] + DOT_AHEAD)
    assert np.all(made.time <= made.close[of])
    assert np.array_equal(
        how.attachment(made.device[of], made.time), how.attachment(made.device, made.start + DOT_AHEAD)[of]
    )
    for number in range(len(made.device)):
        mine = made.time[of == number]
        assert np.all(np.diff(mine) <= DOT_IDLE + SECOND)
