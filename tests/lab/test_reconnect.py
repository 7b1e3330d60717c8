"""Connections end with the network they were made on, and follow each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND, Window
from lab.clock import merged
from lab.reconnect import SHORTEST, changes, connections

HOUR = 3600 * SECOND
SPAN = 24 * HOUR


def window(*wifi):
    empty = np.zeros((0, 2), dtype=np.int64)
    joined = np.array(wifi, dtype=np.int64).reshape(-1, 2)
    return Window(SPAN, empty, empty, empty, empty, empty, wifi=merged(joined))


def test_without_a_switch_they_live_their_time():
    found = connections(np.random.default_rng(1), 4 * 3600.0, window())
    assert 2 < len(found) < 20
    assert found[-1, 1] <= SPAN


def test_a_switch_ends_a_connection_and_soon_another_begins():
    found = connections(np.random.default_rng(1), 1e6, window((8 * HOUR, 12 * HOUR)))
    assert found[:, 1].tolist() == [8 * HOUR, 12 * HOUR, SPAN]
    assert ((found[1:, 0] - found[:-1, 1]) < 30 * SECOND).all()


@given(st.lists(st.tuples(st.integers(0, SPAN), st.integers(1, HOUR)), max_size=8), st.integers(0, 99))
def test_no_connection_outlives_its_network(pairs, seed):
    day = window(*((begin, begin + length) for begin, length in pairs))
    found = connections(np.random.default_rng(seed), 7_200.0, day)
    assert (found[:, 1] - found[:, 0] > SHORTEST).all()
    assert (found[1:, 0] >= found[:-1, 1]).all()
    edges = changes(day)
    inside = (edges[:, None] > found[:, 0]) & (edges[:, None] < found[:, 1])
    assert not inside.any()
