"""Customers' streams begin where they may, go to many places, weigh what TLS adds, and never outrun a message."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviours import SECOND
from lab.habits.clock import inside
from lab.habits.customers import (
    ACKNOWLEDGED,
    AGREED,
    FEWEST_THINK,
    LARGEST,
    LOOKUP,
    MOST_REQUESTS,
    PREFACES,
    RECORD_OVERHEAD,
    SETTINGS,
    WAY,
    Demand,
    passed_on,
    places,
    programs,
    sealed,
)
from lab.habits.draft import Draft
from lab.protocols import Dialogue, http2

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


@pytest.mark.parametrize("lag_ms", [0.0, 3_000.0])
def test_who_speaks_http2_greets_before_he_is_answered(lag_ms):
    speaks = np.array([True, False, True, False, True])
    demand = Demand(60.0, 5, 30, lag_ms)
    found = demand.streams(np.random.default_rng(1), TEN_HOURS, speaks)
    firsts = np.flatnonzero(np.diff(found.of, prepend=-1))
    greets = speaks[found.customer]
    assert 100 < greets.sum() < len(found) - 100
    assert set(found.down[firsts[greets]].tolist()) == {SETTINGS}
    assert set(found.up[firsts[greets] + 1].tolist()) == {ACKNOWLEDGED}
    assert found.up[firsts[greets]].min() >= 250 + min(PREFACES)
    assert ACKNOWLEDGED not in found.up[firsts[~greets]].tolist() + found.up[firsts[~greets] + 1].tolist()
    came, passed = found.time[firsts[greets] + 1], found.passed[firsts[greets] + 1]
    assert np.all(came >= found.answered[firsts[greets]] + FEWEST_THINK)  # his acknowledgement has come before it goes
    assert np.all(passed > came)


def test_the_greeting_weighs_what_http2_says():
    for client, size in zip((http2.CHROME, http2.OKHTTP), PREFACES, strict=True):
        start, none = 5 * SECOND, np.zeros(0, dtype=np.int64)
        agent = "Chrome" if client is http2.CHROME else "okhttp"
        rng = np.random.Generator(np.random.SFC64(1))
        said = Dialogue("a.example", 443, {}, agent, none, none, none, none, rng, start)
        assert [len(one.data) for one in http2.messages(said)] == [size, SETTINGS, ACKNOWLEDGED]


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


def offers(customers, seed=1, *, one_stack=False):
    """(ALPN of each customer, the draft)."""
    draft = Draft(HOUR)
    how = programs(np.random.default_rng(seed), draft, customers, one_stack=one_stack)
    assert {(one.protocol, one.tls, one.port) for one in draft.speeches} == {("opaque", True, 443)}
    return [draft.speeches[one].options.get("alpn", "") for one in how], draft


def test_most_customers_agree_on_http2_some_on_less_and_some_on_nothing():
    found, draft = offers(5_000)
    assert {alpn: found.count(alpn) / 5_000 for alpn in AGREED} == pytest.approx(AGREED, abs=0.02)
    assert len(draft.speeches) == 3
    assert sum(AGREED.values()) == pytest.approx(1.0)


def test_a_relay_that_ends_tls_is_one_program_to_everybody():
    drawn = [offers(20, seed, one_stack=True) for seed in range(200)]
    assert all(len(set(found)) == len(draft.speeches) == 1 and len(found) == 20 for found, draft in drawn)
    assert {found[0] for found, _ in drawn} == set(AGREED)


def test_a_customer_says_the_same_in_all_his_streams():
    rng, draft = np.random.default_rng(3), Draft(int(TEN_HOURS[0, 1]))
    how, there = programs(rng, draft, 30), places(rng, draft, 5, "popular", 0.0)
    passed_on(draft, how, there, asked_for(per_hour=600.0, customers=30, destinations=5))
    batch = draft.batch()
    said = {tuple(pair) for pair in np.stack([batch.stack, batch.speech], axis=1).tolist()}
    assert said == set(enumerate(how.tolist()))
    assert len(set(batch.speech.tolist())) == 3
