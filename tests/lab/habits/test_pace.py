"""Paces: every law under every gate, the hurry after a task, and settings that mean the same in every behaviour."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.authoring.kinds import behaviour_class
from lab.behaviours import SECOND, Window
from lab.habits.clock import LAWS, inside
from lab.habits.gates import GATES
from lab.habits.pace import INTERACTIVE, WAKES, Pace, moments, paced
from lab.habits.standby import ALARMS, JOBS, RARE
from lab.phones.phone import plan_day
from lab.phones.profile import PROFILES

HOUR = 3600 * SECOND
DAY = 24 * HOUR


def worker(seed=1, span=3 * DAY, midnight=0):
    day = plan_day(np.random.default_rng(seed), PROFILES["office-worker"], ["social"], midnight, span)
    intervals = (day.uses, day.unlocked, day.screen_on, day.doze.asleep, day.doze.maintenance, day.charging)
    return Window(span, *intervals, wifi=day.screen_on[::2], midnight=midnight)


WORKER = worker()


def rng(seed=7):
    return np.random.default_rng(seed)


paces = st.builds(
    Pace,
    period=st.floats(20, 90_000),
    law=st.sampled_from(("phase", *LAWS)),
    jitter=st.floats(0, 1),
    sigma=st.floats(0, 2),
    gate=st.sampled_from(GATES),
    from_hour=st.sampled_from([0.0, 9.0, 22.0]),
    until_hour=st.sampled_from([17.5, 24.0]),
    shut=st.sampled_from(("wait", "skip")),
    wake=st.sampled_from(WAKES),
    fast=st.sampled_from([0.0, 0.0, 5.0, 30.0]),
)


@given(paces, st.integers(0, 9))
def test_no_contact_falls_where_the_gate_is_shut(pace, seed):
    found = moments(rng(seed), pace, WORKER)
    assert inside(found.time, pace.openings(WORKER)).all()
    assert np.all(np.diff(found.time) >= 0)
    assert len(found.time) == len(found.tasked)
    if pace.wake != "alarm":
        assert not inside(found.time, WORKER.doze).any()
    if pace.wake == "alarm" and not pace.fast:
        dozing = inside(found.time, WORKER.doze)
        assert np.all(np.diff(found.time)[dozing[1:]] >= pace.ration * SECOND)


@pytest.mark.parametrize("gate", GATES)
def test_without_its_gate_the_same_pace_would_break_it(gate):
    free = moments(rng(), Pace(period=60.0), WORKER).time
    held = inside(free, Pace(gate=gate).openings(WORKER))
    assert held.all() == (gate == "always"), "else the promise above would hold of itself"


def test_working_hours_are_those_of_the_clock_on_the_wall():
    early = replace(worker(midnight=-5 * HOUR), exempt=True)  # the scenario begins at five
    pace = Pace(period=300.0, law="uniform", jitter=0.1, from_hour=9.0, until_hour=17.5)
    hour = ((moments(rng(), pace, early).time + 5 * HOUR) % DAY) / HOUR
    assert hour.min() >= 9.0
    assert hour.max() < 17.5
    assert len(hour) == pytest.approx(3 * 8.5 * 12, rel=0.08)


def test_unlocked_only_polls_at_the_first_unlocking_that_it_is_due():
    pace = Pace(period=4 * 3600.0, law="fixed", gate="unlocked")
    time = moments(rng(), pace, WORKER).time
    assert np.all(np.diff(time) >= 4 * HOUR), "an unlocking is no contact before the sleep is over"
    assert 6 <= len(time) <= 18
    skipped = moments(rng(), Pace(period=4 * 3600.0, law="fixed", gate="unlocked", shut="skip"), WORKER).time
    assert len(skipped) < len(time)


def test_a_deferred_job_runs_once_for_each_maintenance_window():
    pace = Pace(period=900.0, law="phase", jitter=0.1, wake="job")
    time = moments(rng(), pace, WORKER).time
    windows = WORKER.maintenance[WORKER.maintenance[:, 1] - WORKER.maintenance[:, 0] < 900 * SECOND]
    per_window = [int(((time >= a) & (time < b)).sum()) for a, b in windows.tolist()]
    assert max(per_window) <= 2, "what waited, and one that was due"
    assert np.mean(per_window) > 0.4


@pytest.mark.parametrize("hours", [4, 24])
def test_slow_paces_of_a_day_fill_three_days(hours):
    time = moments(rng(), Pace(period=hours * 3600.0, law="uniform", jitter=0.1), replace(WORKER, exempt=True)).time
    assert abs(len(time) - 72 / hours) <= 1.5
    assert np.all(np.abs(np.diff(time) / HOUR - hours) <= 0.1 * hours)


def test_a_task_makes_the_agent_hurry_and_then_it_is_slow_again():
    pace = Pace(period=3_600.0, law="fixed", fast=5.0, fast_for=600.0, task_probability=0.2)
    found = moments(rng(), pace, replace(worker(span=10 * DAY), exempt=True))
    gaps = np.diff(found.time) / SECOND
    fast = gaps <= 5.0
    assert set(np.round(gaps[~fast & (gaps > 3_590)], 6)) <= {3_600.0} | set(np.round(gaps[gaps > 3_600], 6))
    assert ((gaps > 5.001) & (gaps < 3_590)).sum() == 0, "nothing between fast and slow"
    slow = np.flatnonzero(np.concatenate([[True], ~fast]))
    tasks = found.tasked[slow]
    assert 0.1 < tasks.mean() < 0.35
    runs = np.diff(np.append(slow, len(found.time))) - 1
    assert np.all((runs > 0) <= tasks), "nobody hurries without a task"
    assert runs[tasks].mean() == pytest.approx(120, rel=0.45)
    assert np.delete(found.tasked, slow).mean() == pytest.approx(INTERACTIVE, abs=0.05)


def test_sleep_goes_on_behind_the_hurry():
    pace = Pace(period=600.0, law="fixed", fast=5.0, fast_for=3_600.0, task_probability=1.0)
    time = moments(rng(), pace, replace(worker(span=5 * DAY), exempt=True)).time
    gaps = np.diff(time) / SECOND
    assert gaps[gaps > 5.001].min() >= 600.0
    assert gaps[gaps > 5.001].max() <= 605.0 + 1e-6


def test_the_share_of_tasks_is_as_set():
    found = moments(rng(), Pace(period=30.0, task_probability=0.1), WORKER)
    assert found.tasked.mean() == pytest.approx(0.1, abs=0.01)


@dataclass(frozen=True)
class Some:
    """Takes two settings of a pace."""

    period: float = paced("period", 77.0)
    law: str = paced("law")


def test_a_behaviour_takes_the_settings_it_wants():
    pace = Pace.of(Some(law="fixed"))
    assert (pace.period, pace.law, pace.jitter, pace.gate) == (77.0, "fixed", 0.0, "always")
    known = {field.name: field.metadata for field in fields(Pace)}
    assert {field.name: field.metadata for field in fields(Some)} == {name: known[name] for name in ("period", "law")}


@pytest.mark.parametrize("kind", ["http-poll", "dns-poll", "websocket-poll", "mail-check", "mail-smtp"])
def test_pollers_have_gates_and_laws(kind):
    names = {field.name for field in fields(behaviour_class(kind))}
    assert {"period", "law", "jitter", "sigma", "gate", "from_hour", "until_hour", "shut"} <= names
    assert ("wake" in names) == (kind != "websocket-poll"), "words on a connection that is kept need no waking"


def rare(doze=()):
    never = np.zeros((0, 2), dtype=np.int64)
    dozing = np.array(doze, dtype=np.int64).reshape(-1, 2)
    return Window(DAY, never, never, never, dozing, never, standby=np.array([[0, DAY, RARE]]))


@pytest.mark.parametrize("law", ["phase", "uniform", "exponential"])
@pytest.mark.parametrize("fast", [0.0, 30.0])
@pytest.mark.parametrize(("wake", "most"), [("job", JOBS[RARE][0]), ("alarm", 24 * ALARMS[RARE][0])])
def test_a_seldom_used_app_gets_the_quota_of_its_bucket(law, fast, wake, most):
    pace = Pace(period=900.0, law=law, wake=wake, fast=fast, task_probability=0.1)
    found = moments(rng(), pace, rare())
    assert 0 < len(found.time) <= most
    assert len(found.time) == len(found.tasked)
    assert len(moments(rng(), replace(pace, wake="service"), rare()).time) > 60
    assert len(moments(rng(), pace, replace(rare(), standby=np.zeros((0, 3), dtype=np.int64))).time) > 60
    assert len(moments(rng(), pace, rare(), scheduled=False).time) > 60


@pytest.mark.parametrize(
    ("kind", "chosen", "most"),
    [
        ("http-poll", {"wake": "job"}, 3),
        ("periodic-sync", {"law": "uniform", "failures": 0.0}, 3),
        ("periodic-sync", {"law": "phase"}, 3),
        ("http-poll", {"wake": "alarm"}, 24),
        ("periodic-sync", {"law": "uniform", "wake": "alarm"}, 24),
    ],
)
def test_quotas_bind_honest_and_dishonest_jobs_alike(kind, chosen, most):
    behaviour = behaviour_class(kind)(period=900.0, **chosen)
    assert 1 <= len(behaviour.plan(rng(), rare()).start) <= most


def test_alarms_of_a_seldom_used_app_still_fire_in_doze():
    window = rare([[2 * HOUR, 20 * HOUR]])
    time = moments(rng(), Pace(period=900.0, wake="alarm"), window).time
    assert inside(time, window.doze).sum() > 10
    assert np.all(np.diff(time) >= HOUR)
