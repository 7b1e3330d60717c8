"""Relays pass on what they take in: bytes are conserved, lags are small, places are unrelated."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND, backconnect_relay, casting, socks_relay
from lab.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, sealed

HOUR = 3600 * SECOND


def spoken(batch, conversation):
    mine = batch.x_conversation == conversation
    return batch.x_time[mine], batch.x_up[mine], batch.x_down[mine]


def socks_pairs(batch):
    """(inbound, outbound) conversations: the customer's, and the one the phone opened next to where it was asked."""
    pairs = []
    outbound = np.flatnonzero(~batch.inbound)
    for inbound in np.flatnonzero(batch.inbound).tolist():
        place = int(batch.speeches[batch.speech[inbound]].options["target"][1:].split(":")[0])
        there = outbound[batch.peer[outbound] == place]
        lag = batch.start[there] - batch.start[inbound]
        pairs.append((inbound, int(there[np.argmin(np.abs(lag))])))
    return pairs


def test_socks_relay_conserves_bytes_both_ways(quiet, rng):
    batch = socks_relay.Behaviour(streams_per_hour=20.0).plan(rng, quiet)
    pairs = socks_pairs(batch)
    assert len(pairs) > 300
    for inbound, outbound in pairs:
        _, in_up, in_down = spoken(batch, inbound)
        _, out_up, out_down = spoken(batch, outbound)
        assert in_up.sum() - HANDSHAKE_UP == sealed(out_up).sum()
        assert in_down.sum() - HANDSHAKE_DOWN == sealed(out_down).sum()


def test_socks_relay_follows_a_small_lag_later(quiet, rng):
    batch = socks_relay.Behaviour(lag_ms=12.0).plan(rng, quiet)
    lags = [batch.start[outbound] - batch.start[inbound] for inbound, outbound in socks_pairs(batch)]
    assert min(lags) > 0
    assert max(lags) < SECOND
    first = [spoken(batch, o)[0][0] - spoken(batch, i)[0][1] for i, o in socks_pairs(batch)]
    assert 0 < np.median(first) < 20_000


def test_socks_relay_listens_before_it_relays(quiet, rng):
    kind = socks_relay.Behaviour(port=1081)
    batch = kind.plan(rng, quiet)
    ((listens, until, port),) = batch.listen
    assert port == 1081
    assert batch.start.min() >= listens
    assert until == quiet.span
    assert {batch.speeches[speech].port for speech in batch.speech[batch.inbound]} == {1081}


def test_socks_relay_goes_to_many_unrelated_places_with_the_customers_own_tls(quiet, rng):
    batch = socks_relay.Behaviour(customers=6, destinations=40).plan(rng, quiet)
    assert len(set(batch.peer[~batch.inbound].tolist())) > 25
    assert set(batch.stack[~batch.inbound].tolist()) == set(range(6))
    assert set(batch.stack[batch.inbound].tolist()) == {-1}


def test_backconnect_conserves_bytes_through_the_tunnel(quiet, rng):
    batch = backconnect_relay.Behaviour(streams_per_hour=20.0).plan(rng, quiet)
    tunnel = batch.speech[batch.x_conversation] == 0
    out = ~tunnel
    frame, open_ = backconnect_relay.FRAME, backconnect_relay.OPEN
    streams = len(batch.start) - int((batch.speech == 0).sum())
    pushed = tunnel & (batch.x_up == 0)
    sent = tunnel & (batch.x_down == 0)
    requests = int(out.sum())
    assert pushed.sum() == sent.sum() == streams + requests
    taken = int(batch.x_down[pushed].sum()) - frame * (requests + 2 * streams) - (open_ + HANDSHAKE_UP) * streams
    assert taken == int(sealed(batch.x_up[out]).sum())
    given = int(batch.x_up[sent].sum()) - frame * (requests + streams) - HANDSHAKE_DOWN * streams
    assert given == int(sealed(batch.x_down[out]).sum())


def test_backconnect_opens_what_the_tunnel_asked_for(quiet, rng):
    batch = backconnect_relay.Behaviour(lag_ms=15.0).plan(rng, quiet)
    pushes = np.sort(batch.x_time[(batch.speech[batch.x_conversation] == 0) & (batch.x_up == 0)])
    opened = batch.start[batch.speech != 0]
    before = opened - pushes[np.searchsorted(pushes, opened, side="right") - 1]
    assert np.median(before) < 30_000
    assert not batch.inbound.any()
    assert batch.listen == ()


def test_backconnect_tunnels_hold_for_hours(quiet, rng):
    batch = backconnect_relay.Behaviour(lifetime=5 * 3600.0).plan(rng, quiet)
    tunnels = batch.speech == 0
    assert 1 <= tunnels.sum() <= 20
    assert (batch.close - batch.start)[tunnels].sum() > 0.95 * quiet.span


@pytest.mark.parametrize("kind", [socks_relay.Behaviour, backconnect_relay.Behaviour])
def test_locked_only_relays_while_nobody_looks(kind, windows, interval, rng):
    unlocked = interval((8 * HOUR, 20 * HOUR))
    batch = kind(locked_only=True, streams_per_hour=60.0).plan(rng, windows(unlocked=unlocked))
    outbound = batch.start[(batch.stack >= 0)]
    inside = (outbound > 8 * HOUR + 60 * SECOND) & (outbound < 20 * HOUR)
    assert len(outbound) > 400
    assert not inside.any()


def test_casting_passes_each_segment_on(windows, interval, rng):
    window = windows(foreground=interval((HOUR, HOUR + 60 * SECOND), (5 * HOUR, 5 * HOUR + SECOND)))
    batch = casting.Behaviour(probability=1.0).plan(rng, window)
    assert batch.inbound.tolist() == [True, False, True, False]
    for pulled, fetched in ((0, 1), (2, 3)):
        in_time, _, in_down = spoken(batch, pulled)
        out_time, _, out_down = spoken(batch, fetched)
        assert np.array_equal(in_down, out_down)
        assert np.all(out_time > in_time)
        assert np.median(out_time - in_time) < 50_000
    assert len(batch.listen) == 2
    assert batch.peers[batch.peer[0]].reach == "lan"


def test_casting_stops_at_its_films(windows, interval, rng):
    fronts = interval(*((hour * HOUR, hour * HOUR + SECOND) for hour in range(24)))
    batch = casting.Behaviour(probability=1.0, films=3).plan(rng, windows(foreground=fronts))
    assert batch.inbound.sum() == 3
    assert not casting.Behaviour(probability=0.0).plan(rng, windows(foreground=fronts)).contacts
