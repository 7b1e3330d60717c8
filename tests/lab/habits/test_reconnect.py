"""Connections end with the network they were made on, and follow each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND, Batch, Peer, Speech, Window
from lab.habits.clock import merged, whole
from lab.habits.reconnect import SHORTEST, changes, connections
from lab.phones.radio import OUTAGE, Radio, roamed

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


def test_a_switch_is_the_same_to_connections_of_every_kind():
    day = window((8 * HOUR, 12 * HOUR))
    one, other = (np.random.default_rng(5) for _ in range(2))
    mine = connections(one, 7_200.0, day, whole(SPAN))
    assert np.array_equal(mine, connections(other, 7_200.0, day))
    assert {8 * HOUR, 12 * HOUR} <= set(mine[:, 1].tolist())


def test_who_knows_of_the_switch_is_back_as_soon_as_who_does_not():
    """Gaps behind a switch: of connections cut here, and of whole ones that the phone's radio cuts."""
    switches = np.arange(1, 500) * 600 * SECOND
    on = Radio(np.append(0, switches), np.arange(500) % 2 * 2, 500 * 600 * SECOND)
    empty = np.zeros((0, 2), dtype=np.int64)
    day = Window(on.span, empty, empty, empty, empty, empty, wifi=on.wifi)
    cut = connections(np.random.default_rng(1), 1e9, day)
    gaps = [
        np.sort(found.start[1:] - switches)
        for found in (
            roamed(np.random.default_rng(2), spoken(cut, cut[:, 0]), on),
            roamed(
                np.random.default_rng(3),
                spoken(np.array([[0, on.span - 1]]), np.append(0, switches + 300 * SECOND)),
                on,
            ),
        )
    ]
    assert min(gap.min() for gap in gaps) > OUTAGE
    apart = np.abs(np.searchsorted(gaps[0], gaps[1]) / 499 - np.arange(499) / 499).max()
    assert apart < 0.11, "two samples of 499 of one law: Kolmogorov-Smirnov at a half percent"


def spoken(lives, times):
    """Conversations of those lives, with an exchange at each time."""
    n, m = len(lives), len(times)
    of = np.searchsorted(lives[:, 0], times, side="right") - 1
    kinds = np.zeros(n, dtype=np.int32)
    speeches, peers = (Speech("opaque"),), (Peer("vendor"),)
    return Batch(
        speeches, peers, lives[:, 0], lives[:, 1], kinds, kinds, kinds > 0, kinds, of, times, *np.full((2, m), 99),
        np.zeros(m, dtype=np.int64),
    )  # fmt: skip
