"""Honest apps keep the laws that their files state: long polls, heartbeats, refreshes, registrations, backups, feeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.behaviours import (
    SECOND,
    Window,
    activesync_ping,
    analytics_batch,
    clock_sync,
    connectivity_check,
    event_sync,
    feed_reader,
    foreground_refresh,
    mail_folders,
    mtproto_session,
    photo_backup,
    session_keepalive,
    sip_registration,
)
from lab.habits.clock import inside

HOUR = 3600 * SECOND
MINUTE = 60 * SECOND
DAY = 24 * HOUR
LONG = 7 * 86_400.0


def phone(span=DAY, **known):
    empty = np.zeros((0, 2), dtype=np.int64)
    names = ("foreground", "unlocked", "screen_on", "doze", "maintenance", "charging", "wifi")
    rows = {name: np.array(known.get(name, empty), dtype=np.int64).reshape(-1, 2) for name in names}
    return Window(span, **rows)


def said(batch, conversation):
    mine = batch.x_conversation == conversation
    return batch.x_time[mine], batch.x_up[mine], batch.x_down[mine], batch.x_delay[mine]


def test_a_long_poll_is_answered_after_its_hold_and_asked_again_at_once(rng):
    kind = event_sync.Behaviour(events_per_hour=0.0, open_per_hour=0.0, lifetime=LONG)
    batch = kind.plan(rng, phone())
    assert np.median(batch.x_delay) / SECOND == pytest.approx(30.0, abs=0.1)
    assert np.median(np.diff(batch.x_time)) / SECOND == pytest.approx(30.5, abs=0.3)
    assert len(batch.start) == 1
    free = batch.x_time[1:] - (batch.x_time + batch.x_delay)[:-1]
    assert free.min() > 0.25 * SECOND, "asked again only behind the answer"


def test_an_event_ends_a_long_poll_early(rng):
    kind = event_sync.Behaviour(events_per_hour=40.0, lifetime=0.0)
    batch = kind.plan(rng, phone())
    early = batch.x_delay < 29 * SECOND
    assert early.sum() == pytest.approx(960, rel=0.15)
    assert np.median(batch.x_down[early]) > 3 * np.median(batch.x_down[~early])
    assert len(batch.start) == batch.contacts, "a connection for each request"


def test_a_long_poll_waits_for_doze_unless_exempt(rng):
    asleep = phone(doze=[(HOUR, 9 * HOUR)])
    cut = event_sync.Behaviour(events_per_hour=0.0).plan(rng, asleep)
    held = event_sync.Behaviour(events_per_hour=0.0).plan(rng, replace(asleep, exempt=True))
    assert not inside(cut.x_time, asleep.doze).any()
    assert inside(held.x_time, asleep.doze).sum() > 900


def test_heartbeats_of_activesync_grow_by_their_step_to_the_longest(rng):
    kind = activesync_ping.Behaviour(mails_per_hour=0.0, patience=86_400.0, patience_to=86_400.0)
    held = kind.plan(rng, phone()).x_delay / SECOND
    assert held[:7] == pytest.approx([480, 660, 840, 1020, 1200, 1380, 1560], abs=0.1)
    assert held[7:-1] == pytest.approx(1_680.0, abs=0.1)


def test_heartbeats_of_activesync_settle_below_an_impatient_network(rng):
    kind = activesync_ping.Behaviour(mails_per_hour=0.0, patience=900.0, patience_to=900.0)
    batch = kind.plan(rng, phone())
    failed = batch.x_down == activesync_ping.GATEWAY_TIMEOUT
    assert failed.sum() == 1, "tried once too long, never again on this network"
    assert batch.x_delay[failed] / SECOND == pytest.approx(900.0)
    assert batch.x_delay[-2] / SECOND == pytest.approx(840.0)
    moved = kind.plan(np.random.default_rng(1), phone(wifi=[(8 * HOUR, 16 * HOUR)]))
    assert (moved.x_down == activesync_ping.GATEWAY_TIMEOUT).sum() == 3, "a new network is tried anew"


def test_mail_ends_a_ping_and_is_fetched(rng):
    batch = activesync_ping.Behaviour(mails_per_hour=6.0).plan(rng, phone())
    counts = np.bincount(batch.x_conversation)
    assert (counts == 2).sum() == pytest.approx(140, abs=45)
    assert set(counts.tolist()) == {1, 2}
    assert [peer.reach for peer in batch.peers] == ["tenant"]


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.floats(60, 1_500), st.floats(0, 600), st.floats(120, 4_000), st.integers(0, 99))
def test_activesync_never_exceeds_the_longest_and_never_overlaps(shortest, step, patience, seed):
    kind = activesync_ping.Behaviour(shortest=shortest, step=step, patience=patience, patience_to=patience)
    batch = kind.plan(np.random.default_rng(seed), phone(wifi=[(7 * HOUR, 11 * HOUR)]))
    pings = np.concatenate([[True], np.diff(batch.x_conversation) > 0])
    assert batch.x_delay[pings].max() <= max(kind.longest, shortest) * SECOND
    assert (batch.start[1:] >= batch.close[:-1]).all()


def test_advertisements_are_renewed_in_front_only(rng):
    window = phone(foreground=[(HOUR, HOUR + 10 * MINUTE), (5 * HOUR, 5 * HOUR + 20 * SECOND)])
    batch = foreground_refresh.Behaviour(period=30.0, flex=0.0, keep=0.0, hosts=8).plan(rng, window)
    times = np.sort(batch.x_time)
    assert inside(times, window.foreground).all()
    assert np.diff(times[:20]) / SECOND == pytest.approx(30.0, abs=1e-3)
    assert len(times) == 21
    assert len(np.unique(batch.peer)) > 3


def test_a_ticker_keeps_its_connection_and_its_widget_goes_on(rng):
    window = phone(foreground=[(HOUR, HOUR + 10 * MINUTE)])
    kind = foreground_refresh.Behaviour(period=7.0, keep=20.0, widget=900.0, objects=3)
    batch = kind.plan(rng, window)
    behind = ~inside(batch.x_time, window.foreground)
    assert behind.sum() == pytest.approx(3 * 95, abs=6)
    counts = np.bincount(batch.x_conversation)
    assert counts.max() == pytest.approx(3 * 86, abs=9), "one connection of the whole opening"


def test_analytics_gather_and_leave_with_the_app(rng):
    window = phone(foreground=[(nth * HOUR, nth * HOUR + 3 * MINUTE) for nth in range(1, 21)])
    kind = analytics_batch.Behaviour(on_leave=1.0, events_per_minute=10.0)
    batch = kind.plan(rng, window)
    soon = [np.any((batch.start > end) & (batch.start < end + 4 * SECOND)) for end in window.foreground[:, 1]]
    assert all(soon)
    events = (batch.x_up - kind.head) / kind.event
    assert events.sum() == pytest.approx(600, rel=0.15), "every event leaves once"
    assert events.min() >= 1, "no batch is empty"
    assert analytics_batch.Behaviour().plan(rng, phone()).contacts == 0
    assert analytics_batch.Behaviour(always=True, period=3_600.0).plan(rng, phone()).contacts == pytest.approx(
        24, abs=1
    )


def test_every_network_is_probed_twice_at_once(rng):
    window = phone(wifi=[(HOUR, 2 * HOUR), (5 * HOUR, 6 * HOUR)])
    batch = connectivity_check.Behaviour(again=0.0).plan(rng, window)
    plain, sealed = (np.sort(batch.start[batch.speech == speech]) for speech in (0, 1))
    edges = np.array([0, HOUR, 2 * HOUR, 5 * HOUR, 6 * HOUR])
    assert ((plain - edges) < 2 * SECOND).all()
    assert np.abs(plain - sealed).max() < SECOND // 10
    assert [(speech.tls, speech.port) for speech in batch.speeches] == [(False, 80), (True, 443)]
    assert connectivity_check.Behaviour(again=1.0).plan(rng, window).contacts == 20


def test_the_time_is_asked_once_a_day_and_again_without_an_answer(rng):
    batch = clock_sync.Behaviour(unanswered=0.0).plan(rng, phone(span=10 * DAY))
    assert len(batch.start) == 10
    assert np.diff(batch.start) / DAY == pytest.approx(1.0, abs=0.06)
    lossy = clock_sync.Behaviour(unanswered=0.5).plan(rng, phone(span=40 * DAY))
    assert (lossy.x_down == 0).sum() > 15
    assert (lossy.speeches[0].protocol, lossy.speeches[0].port) == ("ntp", 123)


@pytest.mark.parametrize(("protocol", "tls"), [("datagram", False), ("stun", False), ("opaque", True)])
def test_a_session_beats_and_is_renewed_with_the_network(protocol, tls, rng):
    kind = session_keepalive.Behaviour(protocol=protocol, tls=True, lifetime=LONG)
    batch = kind.plan(rng, phone(wifi=[(8 * HOUR, 16 * HOUR)]))
    assert len(batch.start) == 3
    beats = said(batch, 1)[0][1:]
    assert np.diff(beats) / SECOND == pytest.approx(25.0, abs=0.2)
    assert (batch.speeches[0].protocol, batch.speeches[0].tls) == (protocol, tls)


def test_a_randomised_heartbeat_is_uniform_around_its_interval(rng):
    kind = session_keepalive.Behaviour(every=60.0, jitter=0.5, lifetime=LONG)
    gaps = np.diff(kind.plan(rng, phone()).x_time[1:]) / SECOND
    assert gaps.min() > 29.9
    assert gaps.max() < 90.2
    assert gaps.std() == pytest.approx(60.0 / np.sqrt(12), rel=0.1)


def test_a_registration_is_renewed_before_it_expires(rng):
    kind = sip_registration.Behaviour(expires=300.0, keepalive=0.0, lifetime=LONG)
    gaps = np.diff(kind.plan(rng, phone()).x_time) / SECOND
    assert gaps.min() > 0.6 * 300 - 0.01
    assert gaps.max() < 0.95 * 300 + 0.01


def test_keepalives_of_sip_say_nothing_or_ask_for_options(rng):
    silent = sip_registration.Behaviour(lifetime=LONG).plan(rng, phone())
    beats = silent.x_up == sip_registration.CRLF
    gaps = np.diff(silent.x_time[beats]) / SECOND
    assert gaps.min() > 0.8 * 29 - 0.01
    assert gaps.max() < 29.01
    assert (silent.x_down[beats] == 0).all()
    asking = sip_registration.Behaviour(options=True).plan(rng, phone())
    assert asking.speeches[0].options["method"] == "OPTIONS"
    assert (asking.x_down > 0).all()


def test_a_backup_runs_at_night_and_carries_what_was_taken(rng):
    window = phone(span=2 * DAY, unlocked=[(12 * HOUR, 18 * HOUR), (36 * HOUR, 42 * HOUR)])
    batch = photo_backup.Behaviour(taken_per_hour=10.0).plan(rng, window)
    assert ((batch.x_time % DAY) >= HOUR).all()
    assert ((batch.x_time % DAY) < 6 * HOUR).all()
    first, second = (said(batch, nth)[1] for nth in range(2))
    assert len(first) == 2, "nothing taken before the first night"
    assert len(second) == pytest.approx(62, abs=20)
    assert np.median(second) == pytest.approx(180_000, rel=0.3)


def test_a_backup_may_want_charger_and_wifi(rng):
    kind = photo_backup.Behaviour(gate="plugged-idle", wait=0.0)
    charged = phone(charging=[(0, 8 * HOUR)], wifi=[(2 * HOUR, 8 * HOUR)])
    batch = kind.plan(rng, charged)
    assert batch.start.min() >= 2 * HOUR
    assert kind.plan(rng, phone()).contacts == 0


def test_folders_are_asked_one_after_the_other_and_mail_is_fetched_once(rng):
    kind = mail_folders.Behaviour(folders=4, mails_per_hour=3.0, period=600.0)
    batch = kind.plan(rng, phone())
    asked, fetched = batch.x_up == mail_folders.NOTHING[0], batch.x_up == 60
    assert asked.sum() == 4 * len(batch.start)
    assert fetched.sum() == pytest.approx(72, abs=25)
    assert (batch.close - batch.start).max() < 15 * SECOND


def test_drafts_are_saved_while_the_owner_writes(rng):
    window = phone(foreground=[(9 * HOUR, 10 * HOUR)])
    batch = mail_folders.Behaviour(written_per_hour=30.0, save=45.0).plan(rng, window)
    saved = batch.x_down == mail_folders.STORED
    assert saved.sum() > 30
    for conversation in np.unique(batch.x_conversation[saved]).tolist():
        time, up, _, _ = said(batch, conversation)
        assert np.diff(time) / SECOND == pytest.approx(45.0)
        assert (np.diff(up) >= 0).all(), "a draft grows"
    assert batch.speeches[0].options["idle"] == "no"


def test_a_reader_asks_every_feed_at_every_run_and_goes_where_they_lead(rng):
    batch = feed_reader.Behaviour(feeds=10, links=1.0, jitter=0.0, law="phase").plan(rng, phone())
    reaches = [peer.reach for peer in batch.peers]
    assert reaches.count("tail") == 10
    assert reaches.count("fresh") == 24
    visits = np.bincount(batch.peer, minlength=len(reaches))
    assert (visits[:10] == 24).all()
    assert visits[10:].max() == 1, "a link leads to a host of its own"
    told = batch.x_down[batch.peer < 10]
    assert (told < 250).mean() == pytest.approx(0.92, abs=0.05)


def test_links_alone_may_keep_any_cadence(rng):
    kind = feed_reader.Behaviour(feeds=0, links=1.0, period=300.0, jitter=0.0, law="fixed")
    times = np.sort(kind.plan(rng, phone()).x_time)
    assert np.median(np.diff(times)) / SECOND == pytest.approx(300.0, abs=10)


def test_a_messenger_without_names_pings_at_a_literal(rng):
    kind = mtproto_session.Behaviour(received_per_hour=0.0, lifetime=LONG, spread=0.0)
    batch = kind.plan(rng, phone())
    assert [peer.reach for peer in batch.peers] == ["literal"]
    assert (batch.speeches[0].protocol, batch.speeches[0].tls, batch.speeches[0].port) == ("opaque", False, 443)
    beats = batch.x_time[batch.x_up == kind.up]
    assert np.diff(beats) / SECOND == pytest.approx(60.0, abs=0.2)
