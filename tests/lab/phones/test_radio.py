"""A phone that changes its network: no conversation lasts beyond it, nothing said is lost or said twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviours import SECOND, Batch, Peer, Speech
from lab.phones.profile import PROFILES
from lab.phones.radio import HOUR, MOBILE, OUTAGE, Radio, roamed, steady, travelling

SPAN = 24 * HOUR


def batch(conversations, peers=("vendor",)):
    """Conversations as (start, close, exchange times); peers in turns."""
    n = len(conversations)
    rows = [(index, time) for index, (_, _, times) in enumerate(conversations) for time in times]
    x = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return Batch(
        (Speech("opaque"),),
        tuple(Peer(reach) for reach in peers),
        np.array([one[0] for one in conversations], dtype=np.int64),
        np.array([one[1] for one in conversations], dtype=np.int64),
        np.zeros(n, dtype=np.int32),
        np.array([index % len(peers) for index in range(n)], dtype=np.int32),
        np.zeros(n, dtype=np.bool_),
        np.arange(n, dtype=np.int32),
        x[0],
        x[1],
        np.arange(x.shape[1]) + 100,
        np.arange(x.shape[1]) + 200,
        np.arange(x.shape[1]),
    )


def radio(*since, network=None, span=SPAN):
    return Radio(
        np.array([0, *since], dtype=np.int64),
        np.array(network or [0, *[(k + 1) % 3 for k in range(len(since))]], dtype=np.int64),
        span,
    )


def moved(one, on, seed=1):
    return roamed(np.random.default_rng(seed), one, on)


def test_a_phone_that_stays_changes_nothing():
    one = batch([(5, 90, [10, 20])])
    assert moved(one, steady(0, SPAN)) is one


def test_a_long_conversation_is_dialled_again():
    at = 2 * HOUR
    found = moved(batch([(HOUR, 3 * HOUR, [HOUR, at - SECOND, at + 600 * SECOND])]), radio(at))
    assert len(found.start) == 2
    assert found.close.tolist() == [at, 3 * HOUR]
    assert at + OUTAGE <= found.start[1] <= at + 40 * SECOND
    assert found.x_conversation.tolist() == [0, 0, 1]
    assert found.x_time.tolist() == [HOUR, at - SECOND, at + 600 * SECOND]


def test_a_conversation_with_nothing_more_to_say_is_not_dialled_again():
    found = moved(batch([(HOUR, 3 * HOUR, [HOUR])]), radio(2 * HOUR))
    assert found.close.tolist() == [2 * HOUR]


def test_neighbours_are_out_of_reach_on_the_mobile_network():
    one = batch([(HOUR, HOUR, [HOUR]), (2 * HOUR, 2 * HOUR, [2 * HOUR])], peers=("lan", "vendor"))
    assert moved(one, steady(0, SPAN)).contacts == 2
    away = moved(one, steady(MOBILE, SPAN))
    assert away.start.tolist() == [2 * HOUR]
    assert (away.x_conversation.tolist(), away.x_up.tolist()) == ([0], [101])


times = st.integers(0, 200 * 60).map(lambda tenths: tenths * SECOND // 10 + 7)


@st.composite
def spoken(draw):
    said = sorted(draw(st.lists(times, min_size=1, max_size=12)))
    return said[0] - draw(st.integers(0, 5)), said[-1] + draw(st.integers(0, 60)) * SECOND, said


@settings(max_examples=150, deadline=None)
@given(st.lists(spoken(), min_size=1, max_size=6), st.lists(st.integers(1, 18), unique=True, max_size=4))
def test_no_conversation_lasts_beyond_a_change_and_nothing_is_lost(conversations, minutes):
    one = batch(sorted(conversations, key=lambda row: row[0]), peers=("vendor", "own"))
    on = radio(*sorted(minute * 60 * SECOND for minute in minutes))
    found = moved(one, on)
    before = np.searchsorted(on.switches, found.start, side="right")
    until = np.append(on.switches, np.iinfo(np.int64).max)[before]
    assert np.all(found.close <= until)
    assert np.all(found.start <= found.close)
    assert np.all(found.start >= np.append(-SPAN, on.switches)[before] + OUTAGE)
    assert np.array_equal(found.x_up, one.x_up)
    assert np.array_equal(found.x_down, one.x_down)
    of = found.x_conversation
    assert np.all((found.x_time >= found.start[of]) & (found.x_time < until[of]) & (found.x_time <= found.close[of]))
    assert np.all((found.x_time - one.x_time >= 0) & (found.x_time - one.x_time <= OUTAGE))
    assert np.array_equal(found.peer[of], one.peer[one.x_conversation])
    assert np.array_equal(found.stack[of], one.stack[one.x_conversation])
    for index in range(len(found.start)):
        assert np.all(np.diff(found.x_time[of == index]) >= 0)


@pytest.mark.parametrize("profile", sorted(PROFILES))
@given(seed=st.integers(0, 999), start=st.integers(0, 23))
def test_travels_are_in_order_and_inside_the_span(profile, seed, start):
    made = travelling(np.random.default_rng(seed), PROFILES[profile].places, -start * HOUR, 3 * SPAN)
    assert made.since[0] == 0
    assert np.all(np.diff(made.since) > 4 * OUTAGE)
    assert made.since[-1] < 3 * SPAN
    assert np.all(np.diff(made.network) != 0)
    wifi = made.wifi
    assert np.all(wifi[:, 1] > wifi[:, 0])
    assert np.all(wifi[1:, 0] >= wifi[:-1, 1])
    stays = PROFILES[profile].places
    assert (len(made.since) == 1) == (len(set(stays)) == 1)


def test_an_office_worker_is_at_work_at_noon():
    made = travelling(np.random.default_rng(0), PROFILES["office-worker"].places, 0, SPAN)
    names = [("home", "work", "mobile")[row] for row in made.network.tolist()]
    assert names == ["home", "mobile", "work", "mobile", "home"]
    assert made.since[2] < 12 * HOUR < made.since[3]
