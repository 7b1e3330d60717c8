"""Doze's firewall: no kind of behaviour is heard in Doze unless its app is exempt, and it comes back afterwards."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.authoring.kinds import behaviour_class, behaviour_names
from lab.behaviours import SECOND, Batch, Peer, Speech, Window
from lab.habits.clock import inside, merged
from lab.habits.firewall import LISTED, walled, woken
from lab.phones.phone import plan_day
from lab.phones.profile import PROFILES

HOUR = 3600 * SECOND
SPAN = 24 * HOUR
DAY = plan_day(np.random.default_rng(3), PROFILES["student"], ["tools", "social"], 0, SPAN)
PHONE = Window(SPAN, DAY.uses[DAY.front == 0], DAY.unlocked, DAY.screen_on, DAY.doze.asleep, DAY.doze.maintenance)
#: what says something in Doze if nothing holds it back
TALKERS = (
    *("http-poll", "dns-poll", "websocket-poll", "mqtt-poll", "long-poll", "push-poll", "mail-check", "periodic-sync"),
    *("chat-websocket", "session-keepalive", "mtproto-session", "push-keepalive", "sip-registration", "event-sync"),
    *("socks-relay", "connect-relay", "port-forward", "backconnect-relay", "snowflake-proxy", "vpn-tunnel", "torrent"),
)


def seed():
    return np.random.default_rng(7)


def planned(kind, window):
    made = behaviour_class(kind)
    given = {"wake": "service"} if kind == "periodic-sync" else {}
    return walled(made(**given).plan(seed(), window), window, seed)


@pytest.mark.parametrize("kind", behaviour_names())
def test_nobody_is_heard_in_doze(kind):
    batch = planned(kind, PHONE)
    assert not inside(batch.x_time, PHONE.doze).any()
    answered = batch.x_down > 0
    assert not inside((batch.x_time + batch.x_delay)[answered], PHONE.doze).any()
    assert not inside(batch.start, PHONE.doze).any()
    doze = merged(PHONE.doze)
    places = [np.searchsorted(doze[:, 0], times, side="right") for times in (batch.start, batch.close)]
    assert (places[1] - places[0] <= (batch.close - batch.start >= 0)).all()
    last = batch.start.copy()
    np.maximum.at(last, batch.x_conversation, batch.x_time + batch.x_delay)
    assert (batch.close >= last).all()


@pytest.mark.parametrize("kind", TALKERS)
def test_the_exempt_go_on_honest_or_not(kind):
    free = planned(kind, replace(PHONE, exempt=True))
    heard = inside(free.x_time, PHONE.doze)
    assert heard.sum() > 3, "the negative control: without the law it would speak"
    share = (PHONE.doze[:, 1] - PHONE.doze[:, 0]).sum() / SPAN
    assert heard.mean() > 0.1 * share


def plan_of(kind, doze):
    """The exchanges of an exempt app on a phone that dozes so."""
    batch = behaviour_class(kind)().plan(seed(), replace(PHONE, exempt=True, doze=doze))
    return [batch.start.tolist(), batch.x_time.tolist(), batch.x_up.tolist(), batch.x_down.tolist()]


@pytest.mark.parametrize("kind", behaviour_names())
def test_the_exempt_plan_without_doze_but_for_what_others_push(kind):
    pushed = {field.name for field in fields(behaviour_class(kind))} >= {"quiet", "pushes_per_hour"}
    assert (plan_of(kind, PHONE.doze) != plan_of(kind, PHONE.doze[:0])) == pushed


ALARMED = [kind for kind in behaviour_names() if "wake" in {field.name for field in fields(behaviour_class(kind))}]


def alarmed(kind, **given):
    """What such a behaviour has in mind, and what Doze leaves of it."""
    batch = behaviour_class(kind)(wake="alarm", ration=540.0, **given).plan(seed(), PHONE)
    return batch, walled(batch, woken(batch, PHONE, 540 * SECOND), seed)


def apart(batch):
    """Seconds between the beginnings of contacts in Doze that are more than 10 s behind the one before."""
    times = np.unique(batch.x_time[inside(batch.x_time, PHONE.doze)])
    begun = [times[0]]
    for time in times.tolist():
        begun += [time] if time >= begun[-1] + LISTED else []
    return np.diff(begun) / SECOND


@pytest.mark.parametrize("kind", ALARMED)
def test_alarms_that_are_planned_in_doze_stay(kind):
    had, left = alarmed(kind)
    begun = had.start[inside(had.start, PHONE.doze)]
    assert len(begun) > 3 or kind == "mail-smtp", "mails are written by those who are awake"
    assert np.isin(begun, left.start).all()


@pytest.mark.parametrize("keep", [0.0, 1_800.0])
def test_tries_after_failed_alarms_are_rationed(keep):
    had, left = alarmed("periodic-sync", period=300.0, failures=0.7, keep=keep)
    assert apart(had).min() < 60, "the negative control: tries come when they like"
    assert len(apart(left)) > 10
    assert apart(left).min() >= 540
    shut = woken(had, PHONE, 540 * SECOND).doze
    assert not inside(left.start, shut).any()
    assert (np.searchsorted(shut[:, 0], left.close) == np.searchsorted(shut[:, 0], left.start + 1)).all()


def test_nothing_is_open_without_an_alarm():
    batch = spoken(0, HOUR, [HOUR // 2])
    night = asleep((2 * HOUR, 3 * HOUR))
    assert woken(batch, night, 540 * SECOND) is night


def spoken(start, close, times, delay=0, *, inbound=False):
    """One conversation with an exchange at each time."""
    n = len(times)
    one = np.zeros(1, dtype=np.int32)
    ints = [np.array(row, dtype=np.int64) for row in ([start], [close], times, [delay] * n)]
    return Batch(
        *(
            (Speech("opaque"),),
            (Peer(),),
            *ints[:2],
            one,
            one,
            np.array([inbound]),
            one - 1,
            np.zeros(n, dtype=np.int64),
        ),
        *(ints[2], np.full(n, 9), np.full(n, 9), ints[3]),
    )


def asleep(*rows):
    empty = np.zeros((0, 2), dtype=np.int64)
    return Window(SPAN, empty, empty, empty, np.array(rows, dtype=np.int64).reshape(-1, 2), empty)


def test_a_connection_is_closed_before_doze_and_dialled_again_behind_it():
    night = asleep((2 * HOUR, 3 * HOUR), (3 * HOUR, 5 * HOUR))
    times = np.arange(1, 47) * HOUR // 4 + SECOND
    batch = walled(spoken(HOUR // 8, 23 * HOUR // 2, times), night, seed)
    assert len(batch.start) == 2
    assert 2 * HOUR - SECOND < batch.close[0] < 2 * HOUR
    assert 5 * HOUR < batch.start[1] <= 5 * HOUR + 30 * SECOND
    assert batch.close[1] == 23 * HOUR // 2
    assert len(batch.x_time) == len(times) - 12


def test_an_answer_that_would_come_in_doze_does_not():
    batch = walled(spoken(0, 3 * HOUR, [HOUR], 2 * HOUR), asleep((2 * HOUR, 5 * HOUR)), seed)
    assert (batch.x_up.tolist(), batch.x_down.tolist(), batch.x_delay.tolist()) == ([9], [0], [0])
    assert batch.close[0] == 2 * HOUR - SECOND // 2


def test_who_dials_in_during_doze_gives_up():
    times = [2 * HOUR + SECOND, 5 * HOUR + SECOND]
    for inbound, left in ((True, 0), (False, 1)):
        batch = walled(spoken(times[0], 6 * HOUR, times, inbound=inbound), asleep((2 * HOUR, 5 * HOUR)), seed)
        assert len(batch.start) == len(batch.x_time) == left


@given(st.lists(st.tuples(st.integers(0, SPAN), st.integers(1, HOUR)), max_size=6), st.integers(0, 99))
def test_what_is_outside_doze_stays(pairs, start):
    rows = merged(np.array([(a, a + b) for a, b in pairs], dtype=np.int64).reshape(-1, 2))
    times = start * SECOND + np.arange(0, 23 * HOUR, 600 * SECOND)
    batch = walled(spoken(start * SECOND, 24 * HOUR, times), asleep(*rows.tolist()), seed)
    assert batch.x_time.tolist() == times[~inside(times, rows)].tolist()
    assert (np.diff(batch.start) > 0).all()
    assert np.array_equal(np.unique(batch.x_conversation), np.arange(len(batch.start)))
    assert (batch.start[batch.x_conversation] <= batch.x_time).all()
