"""Syncs, pushes, mail, media, browsing and tunnels keep the laws their files state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.behaviours import (
    SECOND,
    mail_imap,
    media_stream,
    periodic_sync,
    push_keepalive,
    vpn_tunnel,
    web_browsing,
)
from lab.habits.clock import inside, interval_of

HOUR = 3600 * SECOND
MINUTE = 60 * SECOND


def test_sync_runs_once_per_period(quiet, rng):
    batch = periodic_sync.Behaviour(period=1_800.0, flex=0.1).plan(rng, quiet)
    assert len(batch.start) == 48
    gaps = np.diff(np.sort(batch.start)) / SECOND
    assert gaps.min() >= 0.9 * 1_800
    assert gaps.max() <= 1.1 * 1_800


def test_sync_waits_for_doze_and_collapses(windows, interval, rng):
    asleep = interval((HOUR, 3 * HOUR), (3 * HOUR + 5 * MINUTE, 8 * HOUR))
    window = windows(doze=asleep, maintenance=interval((3 * HOUR, 3 * HOUR + 5 * MINUTE)))
    batch = periodic_sync.Behaviour(period=900.0).plan(rng, window)
    assert not inside(batch.start, asleep).any()
    in_window = (batch.start >= 3 * HOUR) & (batch.start < 3 * HOUR + 5 * MINUTE)
    assert in_window.sum() == 1
    assert ((batch.start >= 8 * HOUR) & (batch.start < 8 * HOUR + MINUTE)).sum() >= 1


def test_sync_exempt_from_doze_does_not_wait(windows, interval, rng):
    asleep = interval((HOUR, 8 * HOUR))
    batch = periodic_sync.Behaviour(period=900.0).plan(rng, replace(windows(doze=asleep), exempt=True))
    assert inside(batch.start, asleep).sum() >= 27


def test_push_heartbeats_keep_their_interval(quiet, rng):
    kind = push_keepalive.Behaviour(heartbeat=900.0, pushes_per_hour=0.0, lifetime=7 * 86_400.0)
    batch = kind.plan(rng, quiet)
    beats = np.sort(batch.x_time[batch.x_up == kind.beat])
    assert np.diff(beats) / SECOND == pytest.approx(900.0, abs=0.2)


def test_pushes_are_acknowledged_and_fewer_in_doze(windows, interval, rng):
    kind = push_keepalive.Behaviour(pushes_per_hour=60.0, quiet=0.1, lifetime=7 * 86_400.0)
    batch = kind.plan(rng, replace(windows(doze=interval((0, 12 * HOUR))), exempt=True))
    pushes = batch.x_time[batch.x_up == 0]
    assert abs(len(pushes) - (batch.x_up == push_keepalive.RECEIPT).sum()) <= len(batch.start)
    assert (pushes < 12 * HOUR).sum() < 0.25 * (pushes >= 12 * HOUR).sum()


@pytest.mark.parametrize("mails", [0.0, 2.0, 30.0])
def test_imap_renews_idle_within_29_minutes(mails, quiet, rng):
    batch = mail_imap.Behaviour(mails_per_hour=mails).plan(rng, quiet)
    for conversation in range(len(batch.start)):
        mine = (batch.x_conversation == conversation) & (batch.x_up > 0)
        said = np.concatenate([[batch.start[conversation]], batch.x_time[mine], [batch.close[conversation]]])
        assert np.diff(said).max() < 29 * MINUTE


def test_imap_fetches_what_has_come(quiet, rng):
    batch = mail_imap.Behaviour(mails_per_hour=10.0).plan(rng, quiet)
    arrived = np.sort(batch.x_time[batch.x_up == 0])
    fetched = np.sort(batch.x_time[batch.x_up == mail_imap.FETCH])
    assert len(arrived) > 150
    assert np.array_equal(arrived + SECOND // 3, fetched)


def test_stream_has_equal_steps_and_a_limit(windows, interval, rng):
    kind = media_stream.Behaviour(segment=10.0, most=600.0)
    batch = kind.plan(rng, windows(foreground=interval((0, 5 * MINUTE), (HOUR, 2 * HOUR))))
    assert len(batch.start) == 2
    first = batch.x_time[batch.x_conversation == 0]
    assert np.diff(first)[3:] / SECOND == pytest.approx(10.0, abs=0.2)
    assert (batch.close - batch.start).sum() < 620 * SECOND
    assert batch.x_down.min() >= 0.74 * kind.size


def test_stream_in_the_background_outlives_the_foreground(windows, interval, rng):
    fronts = interval(*((hour * HOUR, hour * HOUR + 5 * SECOND) for hour in range(20)))
    still = media_stream.Behaviour().plan(rng, windows(foreground=fronts))
    heard = media_stream.Behaviour(background=True, most=86_400.0).plan(rng, windows(foreground=fronts))
    assert still.contacts == 0
    assert len(heard.start) > 10
    assert (heard.close - heard.start).max() > 5 * MINUTE


def test_vpn_keeps_alive_and_rekeys_in_use(windows, interval, rng):
    kind = vpn_tunnel.Behaviour(lifetime=7 * 86_400.0, requests_per_hour=0.0, idle_per_hour=0.0)
    batch = kind.plan(rng, windows(unlocked=interval((HOUR, 2 * HOUR))))
    alive = np.sort(batch.x_time[batch.x_up == vpn_tunnel.KEEPALIVE])
    assert np.diff(alive) / SECOND == pytest.approx(25.0, abs=0.2)
    rekeys = batch.x_time[batch.x_up == vpn_tunnel.INITIATION]
    assert len(rekeys) == pytest.approx(31, abs=1)
    assert (batch.speeches[0].protocol, batch.speeches[0].tls) == ("datagram", False)


def test_vpn_carries_what_the_owner_does(windows, interval, rng):
    busy = interval((HOUR, 3 * HOUR))
    batch = vpn_tunnel.Behaviour(udp=False, port=443, idle_per_hour=0.0).plan(rng, windows(unlocked=busy))
    carried = batch.x_time[batch.x_down > 300]
    assert len(carried) > 100
    assert inside(carried, busy).all()
    assert (batch.speeches[0].protocol, batch.speeches[0].tls) == ("opaque", True)
    others = vpn_tunnel.Behaviour(udp=False, requests_per_hour=0.0, idle_per_hour=20.0).plan(
        rng, windows(unlocked=busy)
    )
    asleep = others.x_time[others.x_down > 300]
    assert len(asleep) > 300
    assert not inside(asleep, busy).any()


def test_browsing_happens_in_the_foreground_only(worker, rng):
    batch = web_browsing.Behaviour().plan(rng, worker)
    assert len(batch.start) > 50
    soon_after = interval_of(batch.start - 2 * SECOND, worker.foreground) >= 0
    assert (inside(batch.start, worker.foreground) | soon_after).all()


def test_browsing_goes_to_few_places_often_and_many_seldom(windows, interval, rng):
    batch = web_browsing.Behaviour(hosts=60).plan(rng, windows(foreground=interval((0, 3 * HOUR))))
    visits = np.sort(np.bincount(batch.peer, minlength=60))[::-1]
    assert visits[0] > 4 * np.median(visits)
    assert (visits > 0).sum() > 40
    assert batch.x_down.max() <= 80_300


def test_sync_keeps_office_hours(windows, rng):
    kind = periodic_sync.Behaviour(period=300.0, wake="service", from_hour=9.0, until_hour=17.5)
    hours = kind.plan(rng, windows(span=72 * HOUR)).start % (24 * HOUR) / HOUR
    assert hours.min() >= 9.0
    assert hours.max() < 17.6
    assert len(hours) == pytest.approx(3 * 8.5 * 12, abs=6)


def test_a_failed_sync_backs_off_and_tries_again(quiet, rng):
    kind = periodic_sync.Behaviour(period=3_600.0, flex=0.0, wake="service", failures=0.5, news_probability=0.0)
    batch = kind.plan(rng, quiet)
    failed = batch.x_down <= periodic_sync.FAILURE
    assert 8 < failed.sum() < 60
    waits = np.diff(batch.start)[failed[:-1]] / SECOND
    assert np.median(waits[waits < 3_000]) == pytest.approx(45.0, rel=0.6)
    assert (~failed).sum() >= 22, "in the end a run succeeds"


def test_news_may_lie_with_another_host(quiet, rng):
    kind = periodic_sync.Behaviour(period=900.0, news_probability=0.5, news_reach="popular", reach="tail")
    batch = kind.plan(rng, quiet)
    assert [peer.reach for peer in batch.peers] == ["tail", "popular"]
    assert (batch.peer == 1).sum() == pytest.approx(48, abs=20)
    assert batch.contacts == len(batch.start)


def test_push_beats_more_seldom_on_the_mobile_network(windows, interval, rng):
    kind = push_keepalive.Behaviour(
        heartbeat=900.0, heartbeat_mobile=1_680.0, pushes_per_hour=0.0, lifetime=7 * 86_400.0
    )
    batch = kind.plan(rng, windows(wifi=interval((8 * HOUR, 16 * HOUR))))
    assert len(batch.start) == 3, "each network has a connection of its own"
    for conversation, every in enumerate((1_680.0, 900.0, 1_680.0)):
        beats = batch.x_time[batch.x_conversation == conversation]
        assert np.diff(beats) / SECOND == pytest.approx(every, abs=0.2)


@pytest.mark.parametrize(("tls", "port"), [(True, 8883), (False, 1883)])
def test_mqtt_pings_at_its_keepalive_and_publishes(tls, port, quiet, rng):
    kind = push_keepalive.Behaviour(
        protocol="mqtt", tls=tls, heartbeat=60.0, reports=600.0, pushes_per_hour=0.0, lifetime=7 * 86_400.0
    )
    batch = kind.plan(rng, quiet)
    said = batch.speeches[0]
    assert (said.protocol, said.tls, said.port, said.options["keepalive"]) == ("mqtt", tls, port, "60")
    reports = batch.x_up == kind.report
    assert reports.sum() == pytest.approx(144, abs=2)
    assert (batch.x_up[~reports] == push_keepalive.MQTT_PING).all()


def test_browsing_wanders_and_knows_the_long_tail(windows, interval, rng):
    day = windows(foreground=interval((0, 5 * HOUR)))
    batch = web_browsing.Behaviour(hosts=60, tail=0.5, wander=0.1).plan(rng, day)
    reaches = np.array([peer.reach for peer in batch.peers])
    assert (reaches[:30] == "popular").all()
    assert (reaches[30:] == "tail").all()
    visits = np.bincount(batch.peer, minlength=len(reaches))
    assert visits[60:].max() == 1, "nobody comes back to where he strayed"
    assert visits[60:].sum() == pytest.approx(0.1 * len(batch.start), rel=0.35)
    assert visits[:30].sum() > 2 * visits[30:60].sum()


def test_pages_are_fetched_from_different_hosts_at_once(windows, interval, rng):
    batch = web_browsing.Behaviour(wander=0.0).plan(rng, windows(foreground=interval((0, HOUR))))
    begins = np.sort(batch.start)
    page = np.cumsum(np.diff(begins, prepend=0) > 5 * SECOND)
    order = np.argsort(batch.start, kind="stable")
    for nth in range(1, 30):
        hosts = batch.peer[order][page == nth]
        assert len(set(hosts.tolist())) == len(hosts)
    counts = np.bincount(page)[1:]
    assert 1 < counts.mean() < 5
