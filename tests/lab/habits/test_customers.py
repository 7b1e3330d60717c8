"""Customers' streams begin where they may, go to many places, weigh what TLS adds, and never outrun a message."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviours import SECOND
from lab.habits.clock import inside
from lab.habits.customers import (
    FEWEST_THINK,
    LARGEST,
    LOOKUP,
    MOST_REQUESTS,
    RECORD_OVERHEAD,
    WAY,
    Demand,
    places,
    sealed,
)
from lab.habits.draft import Draft

HOUR = 3600 * SECOND
TEN_HOURS = np.array([[0, 10 * HOUR]], dtype=np.int64)


def asked_for(per_hour=60.0, customers=5, destinations=30, when=TEN_HOURS, seed=1, **demand):
    return Demand(per_hour, customers, destinations, **demand).streams(np.random.default_rng(seed), when)


def test_streams_begin_inside_their_intervals():
    when = np.array([[HOUR, 3 * HOUR], [10 * HOUR, 12 * HOUR]], dtype=np.int64)
    found = asked_for(when=when)
    assert len(found) == pytest.approx(240, abs=60)
    assert inside(found.asked, when).all()
    assert np.all(np.diff(found.asked) >= 0)


def test_streams_go_to_many_places_for_all_customers():
    found = asked_for(per_hour=100.0)
    assert set(found.destination.tolist()) == set(range(30))
    assert set(found.customer.tolist()) == set(range(5))
    counts = np.bincount(found.of)
    assert 2 == counts.min() < counts.max() == MOST_REQUESTS
    assert found.down.max() <= LARGEST + 300


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    seed=st.integers(0, 999),
    per_hour=st.floats(0.0, 600.0),
    lag_ms=st.floats(0.0, 60_000.0),
    setup=st.integers(0, 2 * SECOND),
)
def test_nobody_passes_on_what_he_has_not_got(seed, per_hour, lag_ms, setup):
    found = asked_for(seed=seed, per_hour=per_hour, lag_ms=lag_ms, setup=setup)
    assert np.all(found.opened >= found.asked + setup + LOOKUP)
    assert np.all(found.shaken >= found.opened + 2 * WAY)
    assert np.all(found.passed > found.time)
    assert np.all(found.answered > found.passed + found.delay + WAY)
    same = np.diff(found.of) == 0
    assert np.all((found.time[1:] - found.answered[:-1])[same] >= FEWEST_THINK)
    firsts = np.concatenate([[True], ~same]) if len(found) else np.zeros(0, dtype=bool)
    assert np.all(found.time[firsts] == found.shaken + FEWEST_THINK)
    assert np.all(found.ends >= found.answered[firsts])


@pytest.mark.parametrize("lag_ms", [0.0, 15.0, 3_000.0, 15_000.0])
def test_messages_are_held_an_exponential_time(lag_ms):
    found = asked_for(per_hour=400.0, lag_ms=lag_ms)
    held = (found.passed - found.time) / 1_000 - 1.0
    assert held.mean() == pytest.approx(lag_ms, rel=0.06, abs=0.1)
    assert held.std() == pytest.approx(lag_ms, rel=0.1, abs=0.1)


def test_the_streams_kept_keep_their_requests():
    found = asked_for()
    kept = found.asked > 5 * HOUR
    some = found.only(kept)
    assert np.array_equal(some.ends, found.ends[kept])
    assert np.array_equal(some.up, found.up[kept[found.of]])
    assert len(found.only(np.zeros(len(found), dtype=bool)).of) == 0


def test_some_popular_places_are_of_the_long_tail():
    draft = Draft(HOUR)
    found = places(np.random.default_rng(1), draft, 400, "popular", 0.3)
    assert found.tolist() == list(range(400))
    assert sum(peer.reach == "tail" for peer in draft.peers) == pytest.approx(120, abs=25)
    assert {peer.reach for peer in draft.peers} == {"tail", "popular"}
    others = places(np.random.default_rng(1), draft, 9, "lan", 0.3)
    assert {draft.peers[place].reach for place in others} == {"lan"}


@pytest.mark.parametrize(("size", "records"), [(0, 1), (1, 1), (16_384, 1), (16_385, 2), (100_000, 7)])
def test_tls_adds_a_constant_to_each_record(size, records):
    assert sealed(np.array([size])).tolist() == [size + records * RECORD_OVERHEAD]
