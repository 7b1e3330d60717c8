"""Relays pass on what they take in: bytes are conserved, lags are small, places are unrelated."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.behaviours import SECOND, backconnect_relay, casting, connect_relay, port_forward, socks_relay
from lab.habits.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, LOOKUP, WAY, sealed
from lab.habits.proxy import CONNECTS

HOUR = 3600 * SECOND


def spoken(batch, conversation):
    mine = batch.x_conversation == conversation
    return batch.x_time[mine], batch.x_up[mine], batch.x_down[mine]


def socks_pairs(batch):
    """(inbound, outbound) conversations: the customer's, and the one the phone opened to where it was asked to."""
    pairs = list(zip(np.flatnonzero(batch.inbound).tolist(), np.flatnonzero(~batch.inbound).tolist(), strict=True))
    for inbound, outbound in pairs:
        target = batch.speeches[batch.speech[inbound]].options["target"]
        assert target == f"@{batch.peer[outbound]}:443"
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
    pairs = socks_pairs(batch)
    dialled = [batch.start[outbound] - batch.start[inbound] - CONNECTS for inbound, outbound in pairs]
    assert min(dialled) > 0
    assert max(dialled) < SECOND
    first = [spoken(batch, o)[0][0] - spoken(batch, i)[0][1] for i, o in pairs]
    assert min(first) > 0
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


def tunnel_sums(batch):
    """(pushed down, sent up) bytes of the tunnel that belong to streams, frames counted, and their numbers."""
    tunnel = batch.speech[batch.x_conversation] == 0
    pushed, sent = tunnel & (batch.x_up == 0), tunnel & (batch.x_down == 0)
    return (int(batch.x_down[pushed].sum()), int(batch.x_up[sent].sum())), (int(pushed.sum()), int(sent.sum()))


def relayed(batch):
    """(m,) which exchanges are with places, not with the gateway."""
    return batch.peer[batch.x_conversation] != 0


@pytest.mark.parametrize("lag_ms", [0.0, 15.0, 15_000.0])
@pytest.mark.parametrize("carrier", ["mux", "websocket", "http2", "opaque"])
def test_backconnect_conserves_bytes_through_the_tunnel(carrier, lag_ms, quiet, rng):
    batch = backconnect_relay.Behaviour(carrier=carrier, streams_per_hour=20.0, lag_ms=lag_ms).plan(rng, quiet)
    out = relayed(batch)
    frame, open_ = backconnect_relay.FRAME, backconnect_relay.OPEN
    streams, requests = int((batch.peer != 0).sum()), int(out.sum())
    (down, up), counts = tunnel_sums(batch)
    assert streams > 300
    assert counts == (streams + requests, streams + requests)
    assert down - frame * (requests + 2 * streams) - (open_ + HANDSHAKE_UP) * streams == sealed(batch.x_up[out]).sum()
    assert up - frame * (requests + streams) - HANDSHAKE_DOWN * streams == sealed(batch.x_down[out]).sum()


@settings(deadline=None, max_examples=40, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    carrier=st.sampled_from(["mux", "websocket", "http2", "opaque"]),
    rate=st.floats(0.0, 600.0),
    lag_ms=st.floats(0.0, 60_000.0),
    lifetime=st.floats(60.0, 90_000.0),
    seed=st.integers(0, 99),
)
def test_whatever_is_taken_in_is_passed_on_and_never_before(quiet, carrier, rate, lag_ms, lifetime, seed):
    kind = backconnect_relay.Behaviour(carrier=carrier, streams_per_hour=rate, lag_ms=lag_ms, lifetime=lifetime)
    batch = kind.plan(np.random.default_rng(seed), quiet)
    out, tunnel = relayed(batch), batch.speech[batch.x_conversation] == 0
    streams, requests = int((batch.peer != 0).sum()), int(out.sum())
    (down, up), _ = tunnel_sums(batch)
    frame, opening = backconnect_relay.FRAME, 2 * backconnect_relay.FRAME + backconnect_relay.OPEN + HANDSHAKE_UP
    assert down == sealed(batch.x_up[out]).sum() + frame * requests + opening * streams
    assert up == sealed(batch.x_down[out]).sum() + frame * requests + (frame + HANDSHAKE_DOWN) * streams
    pushed = np.sort(batch.x_time[tunnel & (batch.x_up == 0)])
    passed = np.sort(np.concatenate([batch.start[batch.peer != 0], batch.x_time[out]]))
    assert (passed > pushed).all(), "each message out has its own message in before it"
    heard = np.sort(np.concatenate([batch.start[batch.peer != 0], (batch.x_time + batch.x_delay)[out]])) + WAY
    assert (np.sort(batch.x_time[tunnel & (batch.x_down == 0)]) > heard).all()


@pytest.mark.parametrize("inflation", [0.5, 2.0])
def test_padding_and_compression_break_conservation_by_their_factor(inflation, quiet, rng):
    batch = backconnect_relay.Behaviour(inflation=inflation, streams_per_hour=60.0).plan(rng, quiet)
    streams = int((batch.peer != 0).sum())
    (_, up), _ = tunnel_sums(batch)
    given_up = sealed(batch.x_down[relayed(batch)]).sum() + HANDSHAKE_DOWN * streams
    assert up / given_up == pytest.approx(inflation, rel=0.02)


def test_chaff_belongs_to_no_stream(quiet):
    rate = 400.0
    plain, noisy = (
        backconnect_relay.Behaviour(chaff_per_hour=chaff).plan(np.random.default_rng(7), quiet) for chaff in (0.0, rate)
    )
    assert np.array_equal(plain.start[plain.peer != 0], noisy.start[noisy.peer != 0])
    assert noisy.contacts - plain.contacts == pytest.approx(24 * rate, rel=0.05)


def test_backconnect_opens_what_the_tunnel_asked_for(quiet, rng):
    batch = backconnect_relay.Behaviour(lag_ms=15.0).plan(rng, quiet)
    pushes = np.sort(batch.x_time[(batch.speech[batch.x_conversation] == 0) & (batch.x_up == 0)])
    opened = batch.start[batch.speech != 0]
    before = opened - pushes[np.searchsorted(pushes, opened, side="right") - 1]
    assert LOOKUP < np.median(before) < LOOKUP + 30_000
    assert not batch.inbound.any()
    assert batch.listen == ()


def test_paired_dials_the_gateway_once_more_for_each_stream(quiet, rng):
    batch = backconnect_relay.Behaviour(carrier="paired", streams_per_hour=20.0).plan(rng, quiet)
    control = batch.speech == batch.speech[np.argmin(batch.start)]
    links, onward = (batch.peer == 0) & ~control, batch.peer != 0
    assert links.sum() == onward.sum() > 300
    later = np.sort(batch.start[onward]) - np.sort(batch.start[links])
    assert later.min() > backconnect_relay.LINK
    assert later.max() < 3 * SECOND
    of, frame, streams = batch.x_conversation, backconnect_relay.FRAME, int(links.sum())
    greeting = (frame + backconnect_relay.OPEN, frame + HANDSHAKE_UP)
    down = batch.x_down[links[of]].sum() - greeting[1] * streams
    assert down == (sealed(batch.x_up[onward[of]]) + frame).sum()
    up = batch.x_up[links[of]].sum() - (greeting[0] + frame + HANDSHAKE_DOWN) * streams
    assert up == (sealed(batch.x_down[onward[of]]) + frame).sum()


@pytest.mark.parametrize("per_minute", [0.1, 0.3, 1.0, 5.0, 20.0])
def test_backconnect_keeps_its_rate_and_its_fan_out(per_minute, quiet, rng):
    kind = backconnect_relay.Behaviour(streams_per_hour=60 * per_minute, destinations=400, customers=12)
    batch = kind.plan(rng, quiet)
    onward = batch.peer != 0
    assert onward.sum() == pytest.approx(1_440 * per_minute, rel=0.25 if per_minute < 1 else 0.08)
    assert len(set(batch.stack[onward].tolist())) == 12
    if per_minute >= 5:
        assert len(set(batch.peer[onward].tolist())) > 390


def test_a_busy_relay_is_planned_in_less_than_a_second(quiet, rng):
    begun = time.perf_counter()
    batch = backconnect_relay.Behaviour(streams_per_hour=1_200.0, destinations=400).plan(rng, quiet)
    assert len(batch.start) > 28_000
    assert time.perf_counter() - begun < 1.0


def test_a_relay_that_ends_tls_shows_one_stack(quiet, rng):
    assert set(backconnect_relay.Behaviour(one_stack=True).plan(rng, quiet).stack.tolist()) == {-1}


def test_port_forward_has_one_place(quiet, rng):
    one = backconnect_relay.Behaviour(destinations=1, towards="lan").plan(rng, quiet)
    assert {one.peers[peer].reach for peer in one.peer[one.peer != 0]} == {"lan"}
    forward = port_forward.Behaviour(towards="own").plan(rng, quiet)
    assert len(set(forward.peer[~forward.inbound].tolist())) == 1
    assert forward.inbound.sum() == (~forward.inbound).sum() > 300


def test_backconnect_tunnels_hold_for_hours(quiet, rng):
    batch = backconnect_relay.Behaviour(lifetime=5 * 3600.0).plan(rng, quiet)
    tunnels = batch.speech == 0
    assert 1 <= tunnels.sum() <= 20
    assert (batch.close - batch.start)[tunnels].sum() > 0.95 * quiet.span


RELAYS = (socks_relay, connect_relay, port_forward, backconnect_relay)


def onward_starts(batch):
    """When the phone connected on to places: those conversations have customers' stacks."""
    return batch.start[batch.stack >= 0]


@pytest.mark.parametrize("module", RELAYS)
def test_gates_hold_streams_back(module, windows, interval, rng):
    unlocked = interval((8 * HOUR, 20 * HOUR))
    window = windows(unlocked=unlocked, foreground=interval((9 * HOUR, 12 * HOUR)))
    late = 60 * SECOND
    locked = onward_starts(module.Behaviour(when="locked", streams_per_hour=60.0).plan(rng, window))
    assert len(locked) > 400
    assert not ((locked > 8 * HOUR + late) & (locked < 20 * HOUR)).any()
    front = onward_starts(module.Behaviour(when="foreground", streams_per_hour=120.0).plan(rng, window))
    assert len(front) > 250
    assert front.min() >= 9 * HOUR
    assert front.max() < 12 * HOUR + late


def test_a_job_that_relays_at_night_has_no_tunnel_by_day(windows, interval, rng):
    window = windows(charging=interval((0, 8 * HOUR)), wifi=interval((0, 24 * HOUR)))
    night = {"when": "plugged-idle", "from_hour": 1.0, "until_hour": 6.0, "streams_per_hour": 60.0}
    batch = backconnect_relay.Behaviour(resident=False, **night).plan(rng, window)
    assert batch.start.min() >= HOUR
    assert batch.close.max() < 6 * HOUR + 60 * SECOND
    assert len(onward_starts(batch)) > 200
    always = backconnect_relay.Behaviour(resident=True, **night).plan(rng, window)
    assert always.close.max() > 23 * HOUR
    assert onward_starts(always).max() < 6 * HOUR + 60 * SECOND
    assert not backconnect_relay.Behaviour(resident=False, **night).plan(rng, windows()).contacts


def test_socks_relay_asks_for_a_password_if_told(quiet, rng):
    batch = socks_relay.Behaviour(password=True).plan(rng, quiet)
    options = batch.speeches[batch.speech[batch.inbound][0]].options
    assert {"user", "password", "target"} == set(options)
    old = socks_relay.Behaviour(version=4, password=True).plan(rng, quiet)
    speech = old.speeches[old.speech[old.inbound][0]]
    assert (speech.protocol, set(speech.options)) == ("socks4", {"user", "target"})


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


@pytest.mark.parametrize("discovery", ["mdns", "ssdp"])
def test_a_television_is_found_before_it_pulls(discovery, windows, interval, rng):
    window = windows(foreground=interval((HOUR, HOUR + 60 * SECOND)))
    batch = casting.Behaviour(probability=1.0, discovery=discovery).plan(rng, window)
    asked, answered, again, pulled = np.argsort(batch.start)[:4]
    reaches = [batch.peers[batch.peer[who]].reach for who in (asked, answered, again, pulled)]
    assert reaches == ["group", "lan", "group", "lan"]
    assert batch.peer[answered] == batch.peer[pulled]
    assert (batch.x_up[batch.x_conversation == answered] == 0).all()
    assert batch.speeches[batch.speech[asked]].protocol == discovery


def test_casting_stops_at_its_films(windows, interval, rng):
    fronts = interval(*((hour * HOUR, hour * HOUR + SECOND) for hour in range(24)))
    batch = casting.Behaviour(probability=1.0, films=3).plan(rng, windows(foreground=fronts))
    assert batch.inbound.sum() == 3
    assert not casting.Behaviour(probability=0.0).plan(rng, windows(foreground=fronts)).contacts
