"""Innocent apps in the shape of relays: each has some of a relay's marks, and lacks the one that its law denies it."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import (
    SECOND,
    file_sync,
    lan_server,
    local_vpn,
    p2p_stream,
    push_fetch,
    remote_support,
    snowflake_proxy,
    tethering,
    torrent,
    turn_call,
)
from lab.habits.clock import inside
from lab.habits.customers import WAY

HOUR = 3600 * SECOND


@pytest.fixture
def evening(windows, interval):
    """A phone in use from 18:00 to 22:00, with the app opened each hour for ten minutes."""
    fronts = interval(*((hour * HOUR, hour * HOUR + HOUR // 6) for hour in range(18, 22)))
    return windows(foreground=fronts, unlocked=interval((18 * HOUR, 22 * HOUR)))


def bytes_of(batch, chosen):
    """(up, down) bytes of the conversations so marked."""
    rows = chosen[batch.x_conversation]
    return int(batch.x_up[rows].sum()), int(batch.x_down[rows].sum())


def test_a_hotspot_has_other_peoples_stacks_and_neither_tunnel_nor_listener(evening, rng):
    batch = tethering.Behaviour(probability=1.0, guests=2, stacks=3).plan(rng, evening)
    assert len(set(batch.peer.tolist())) > 40
    assert set(batch.stack.tolist()) == set(range(6))
    assert not batch.inbound.any()
    assert batch.listen == ()
    assert (batch.close - batch.start).max() < 120 * SECOND


def test_a_local_vpn_follows_the_phones_use(evening, rng):
    batch = local_vpn.Behaviour(used_per_hour=240.0, idle_per_hour=6.0).plan(rng, evening)
    used = inside(batch.start, evening.unlocked)
    assert used.sum() == pytest.approx(960, rel=0.12)
    assert (~used).sum() == pytest.approx(120, rel=0.3)
    assert len(set(batch.stack.tolist())) == 16, "fifteen apps' and its own"
    assert not batch.inbound.any()


def test_a_call_is_as_many_bytes_up_as_down_with_one_host(evening, rng):
    batch = turn_call.Behaviour(probability=1.0, calls=3, length=600.0).plan(rng, evening)
    calls = np.array([batch.speeches[speech].options.get("relay") == "1" for speech in batch.speech])
    assert calls.sum() == 3
    up, down = bytes_of(batch, calls)
    assert up / down == pytest.approx(1.0, abs=0.15)
    assert set(batch.peer.tolist()) == {0}
    steps = np.diff(batch.x_time[(batch.x_conversation == np.flatnonzero(calls)[0]) & (batch.x_up > 100)])
    assert np.median(steps) / SECOND == pytest.approx(0.06, abs=0.004)


def test_a_call_without_silence_sends_all_the_time(evening, rng):
    whole, halved = (
        turn_call.Behaviour(probability=1.0, calls=1, silence=silence).plan(np.random.default_rng(3), evening)
        for silence in (False, True)
    )
    assert whole.contacts > 1.4 * halved.contacts


@pytest.mark.parametrize("carrier", ["websocket", "push"])
def test_each_push_is_followed_by_fetches_that_weigh_something_else(carrier, quiet, rng):
    batch = push_fetch.Behaviour(carrier=carrier, pushes_per_hour=20.0, late=0.4).plan(rng, quiet)
    long = batch.peer == 0
    pushes = np.sort(batch.x_time[long[batch.x_conversation] & (batch.x_up == 0)])
    fetched = np.sort(batch.start[~long])
    late = fetched - pushes[np.searchsorted(pushes, fetched, side="right") - 1]
    assert len(pushes) == pytest.approx(480, rel=0.15)
    assert late.min() >= 100_000
    assert np.median(late) < SECOND
    assert bytes_of(batch, ~long)[1] > 20 * bytes_of(batch, long)[1]


def test_a_push_fetch_fetches_nothing_unasked(quiet, rng):
    batch = push_fetch.Behaviour(pushes_per_hour=0.0).plan(rng, quiet)
    assert set(batch.peer.tolist()) == {0}


def test_a_server_for_neighbours_dials_nobody(evening, rng):
    batch = lan_server.Behaviour(probability=1.0, visits_per_hour=60.0).plan(rng, evening)
    assert batch.inbound.all()
    assert len(batch.start) > 20
    for start in batch.start.tolist():
        assert any(begin <= start < end for begin, end, _ in batch.listen)
    assert {peer.reach for peer in batch.peers} == {"lan"}
    always = lan_server.Behaviour(resident=True).plan(rng, evening)
    assert always.listen == ((0, evening.span, 1_716),)


def test_remote_support_shows_much_and_hears_little(evening, rng):
    batch = remote_support.Behaviour(probability=1.0).plan(rng, evening)
    up, down = bytes_of(batch, np.ones(len(batch.start), dtype=bool))
    assert up > 20 * down
    assert set(batch.peer.tolist()) == {0}
    assert batch.listen == ()


def test_a_torrent_keeps_what_it_takes(evening, rng):
    kind = torrent.Behaviour(probability=1.0, downloads=1, blocks=300, ratio=0.4, length=3_600.0)
    batch = kind.plan(rng, evening)
    strangers = np.array([batch.peers[peer].reach == "literal" for peer in batch.peer])
    in_up, in_down = bytes_of(batch, batch.inbound)
    out_up, out_down = bytes_of(batch, strangers & ~batch.inbound)
    taken, given = in_up + out_down, in_down + out_up
    assert taken == pytest.approx(300 * torrent.PIECE, rel=0.05)
    assert given / taken == pytest.approx(0.4, abs=0.08)
    assert batch.inbound.sum() > 5
    assert (strangers & ~batch.inbound).sum() > 15
    assert batch.listen[0][2] == kind.port


def test_viewers_pass_segments_on_but_not_as_many_bytes_as_they_get(evening, rng):
    kind = p2p_stream.Behaviour(viewers=12, from_viewers=0.6, passed_on=0.5)
    batch = kind.plan(rng, evening)
    server = batch.peer == 0
    crowd_in = bytes_of(batch, batch.inbound)
    crowd_out = bytes_of(batch, ~batch.inbound & ~server)
    got = bytes_of(batch, server)[1] + crowd_in[0] + crowd_out[1]
    given = crowd_in[1] + crowd_out[0]
    assert given / got == pytest.approx(0.5, abs=0.12)
    assert len(set(batch.peer.tolist())) == 13
    assert inside(batch.start, evening.foreground).all()
    share = bytes_of(batch, server)[1] / got
    assert share == pytest.approx(0.4, abs=0.12)


def test_file_sync_meets_few_computers_and_moves_what_changes(evening, rng):
    kind = file_sync.Behaviour(near=2, far=1, changes_per_hour=6.0, news_per_hour=0.0)
    batch = kind.plan(rng, evening)
    links = batch.peer > 0
    assert {batch.peers[peer].reach for peer in batch.peer[links]} == {"lan", "literal"}
    assert batch.inbound.any()
    out, into = bytes_of(batch, links & ~batch.inbound), bytes_of(batch, batch.inbound)
    assert out[0] > 5 * out[1]
    assert into[1] > 5 * into[0]
    lone = file_sync.Behaviour(near=0, far=0).plan(rng, evening)
    assert not lone.inbound.any()
    assert set(lone.peer.tolist()) == {0}


def test_a_snowflake_proxy_copies_cells_both_ways_to_one_bridge(quiet, rng):
    kind = snowflake_proxy.Behaviour(clients_per_hour=6.0)
    batch = kind.plan(rng, quiet)
    protocol = np.array([batch.speeches[speech].protocol for speech in batch.speech])
    person, bridge = protocol == "datagram", protocol == "websocket"
    assert person.sum() == bridge.sum() > 100
    assert len(set(batch.peer[bridge].tolist())) == 1
    messages = int(bridge[batch.x_conversation].sum())
    met, around = int(person.sum()), snowflake_proxy.AROUND
    up, down = bytes_of(batch, bridge)
    assert bytes_of(batch, person) == (down + around * messages + 300 * met, up + around * messages + 400 * met)


def test_nobody_is_answered_before_the_bridge_has_answered(quiet, rng):
    batch = snowflake_proxy.Behaviour(clients_per_hour=1.0, requests_per_minute=0.5).plan(rng, quiet)
    protocol = np.array([batch.speeches[speech].protocol for speech in batch.speech])[batch.x_conversation]
    back = np.sort(batch.x_time[(protocol == "datagram") & (batch.x_down == 0)])
    bridge = protocol == "websocket"
    heard = np.sort((batch.x_time + batch.x_delay)[bridge]) + WAY
    assert len(back) == len(heard) > 30
    assert (back > heard).all()


@pytest.mark.parametrize("module", [snowflake_proxy, file_sync])
def test_what_wants_a_charger_waits_for_one(module, windows, interval, rng):
    kind = module.Behaviour(when="plugged-idle")
    assert not kind.plan(rng, windows()).contacts
    night = windows(charging=interval((0, 6 * HOUR)), wifi=interval((0, 24 * HOUR)))
    batch = kind.plan(rng, night)
    assert batch.contacts
    assert batch.start.max() < 6 * HOUR + 5 * SECOND
