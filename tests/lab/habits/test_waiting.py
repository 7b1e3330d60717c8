"""Contacts at a shut gate: they wait for the opening, sleep goes on from there, and alarms in Doze are rationed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lab.behaviours import SECOND, Window
from lab.habits.clock import inside, interval_of, merged, sleeps
from lab.habits.waiting import Sleeper, rationed, thinned, waited, walk

HOUR = 3600 * SECOND
SPAN = 12 * HOUR
RATION = 540 * SECOND
cuts = st.lists(st.integers(1, SPAN - 1), min_size=2, max_size=16, unique=True)


def intervals(found):
    found = sorted(found)[: len(found) // 2 * 2]
    return merged(np.array(found, dtype=np.int64).reshape(-1, 2))


def window(doze, span=SPAN):
    none = np.zeros((0, 2), dtype=np.int64)
    return Window(span, none, none, none, doze, none)


def sleeper(rng, period_s=60.0, law="fixed", jitter=0.0, first=0):
    return Sleeper(
        first, period_s * SECOND, lambda count: np.stack([sleeps(rng, law, period_s, jitter, count), np.arange(count)])
    )


@given(cuts, st.sampled_from(["fixed", "exponential", "cobalt-strike"]), st.floats(20, 20_000), st.integers(0, 9))
def test_a_clock_that_waits_never_speaks_at_a_shut_gate_nor_sleeps_less_than_its_sleep(found, law, period_s, seed):
    open_, rng = intervals(found), np.random.default_rng(seed)
    time, slept, _ = walk(rng, sleeper(rng, period_s, law, 0.5, first=seed * HOUR), open_)
    assert inside(time, open_).all()
    assert np.all(np.diff(time) >= slept[:-1])
    assert np.all(np.diff(time) > 0)
    # it slept longer than it wanted only where the gate was shut when it woke
    woke = time[:-1] + slept[:-1]
    late = time[1:] > woke
    assert not inside(woke[late], open_).any()


def test_a_clock_that_waits_misses_no_opening_once_it_is_awake():
    open_ = np.array([[k * HOUR, k * HOUR + 60 * SECOND] for k in range(12)])
    time = walk(np.random.default_rng(1), sleeper(np.random.default_rng(2), 600.0), open_)[0]
    assert interval_of(time, open_).tolist() == list(range(12))


def test_a_clock_without_a_gate_is_a_renewal():
    time = walk(np.random.default_rng(1), sleeper(np.random.default_rng(2), 60.0), np.array([[0, SPAN]]))[0]
    assert set(np.diff(time).tolist()) == {60 * SECOND}
    assert walk(np.random.default_rng(1), sleeper(np.random.default_rng(2)), np.zeros((0, 2), np.int64)).shape == (3, 0)


@given(cuts, st.sampled_from(["fixed", "exponential"]), st.floats(20, 20_000), st.integers(0, 9))
def test_alarms_in_doze_are_at_least_the_ration_apart(found, law, period_s, seed):
    doze, rng = intervals(found), np.random.default_rng(seed)
    time = rationed(rng, sleeper(rng, period_s, law), window(doze), RATION)[0]
    assert np.all(np.diff(time) > 0)
    dozing = inside(time, doze)
    assert np.all(np.diff(time)[dozing[1:]] >= RATION)
    assert time[-1] < SPAN


def test_an_alarm_fires_in_doze_where_a_job_would_wait():
    doze = np.array([[HOUR, 11 * HOUR]])
    rng = np.random.default_rng(1)
    time = rationed(rng, sleeper(rng, 60.0), window(doze), RATION)[0]
    gaps = np.diff(time[inside(time, doze)]) / SECOND
    assert np.all(gaps == 540)
    assert len(gaps) > 60
    assert np.median(np.diff(time[~inside(time, doze)])) == 60 * SECOND
    slow = rationed(rng, sleeper(rng, 1_800.0), window(doze), RATION)[0]
    assert set(np.diff(slow).tolist()) == {1_800 * SECOND}, "slower than the ration: nothing changes"


@given(cuts, st.lists(st.integers(0, SPAN - 1), max_size=300), st.integers(0, 9))
def test_due_alarms_are_thinned_in_doze_alone(found, due, seed):
    doze, due = intervals(found), np.unique(np.array(due, dtype=np.int64))
    time = thinned(due, window(doze), RATION)
    dozing = inside(time, doze)
    assert np.all(np.diff(time)[dozing[1:]] >= RATION)
    assert set(due[~inside(due, doze)].tolist()) <= set(time.tolist())


@given(cuts, st.lists(st.integers(0, SPAN - 1), max_size=100))
def test_due_times_wait_and_collapse_into_one_for_an_opening(found, due):
    open_, due = intervals(found), np.unique(np.array(due, dtype=np.int64))
    time = waited(np.random.default_rng(1), due, open_)
    free = due[inside(due, open_)]
    assert inside(time, open_).all()
    assert set(free.tolist()) <= set(time.tolist())
    added = len(time) - len(free)
    assert added == len({int(np.searchsorted(open_[:, 0], one)) for one in due[~inside(due, open_)]} - {len(open_)})
