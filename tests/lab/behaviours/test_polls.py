"""Polls keep the law of their sleep, whoever carries them; their benign twins keep a phase instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.behaviours import SECOND, chat_websocket, dns_lookup, dns_poll, http_poll, periodic_sync, websocket_poll

HOUR = 3600 * SECOND


def gaps_s(batch):
    return np.diff(np.sort(batch.start)) / SECOND


def test_fixed_sleep_is_the_period_exactly(quiet, rng):
    batch = http_poll.Behaviour(period=300.0, law="fixed", task_probability=0.0).plan(rng, quiet)
    assert len(batch.start) in (288, 289)
    assert gaps_s(batch) == pytest.approx(300.0, abs=1e-5)


def test_cobalt_strike_jitter_only_shortens(quiet, rng):
    gaps = gaps_s(http_poll.Behaviour(period=60.0, jitter=0.5, law="cobalt-strike").plan(rng, quiet))
    assert gaps.min() >= 30.0 - 1e-5
    assert gaps.max() <= 60.0 + 1e-5
    # uniform on [30, 60]: Kolmogorov-Smirnov distance below the 0.1 % point, 1.95 / sqrt(n)
    assert distance((gaps - 30.0) / 30.0) < 1.95 / np.sqrt(len(gaps))


def test_uniform_jitter_goes_both_ways(quiet, rng):
    gaps = gaps_s(http_poll.Behaviour(period=60.0, jitter=0.3, law="uniform").plan(rng, quiet))
    assert distance((gaps - 42.0) / 36.0) < 1.95 / np.sqrt(len(gaps))


def test_exponential_sleep_has_no_memory(quiet, rng):
    gaps = gaps_s(http_poll.Behaviour(period=120.0, law="exponential").plan(rng, quiet))
    assert distance(1.0 - np.exp(-gaps / 120.0)) < 1.95 / np.sqrt(len(gaps)) + 0.01  # sleeps of at least 1 s


def test_the_distance_tells_a_wrong_law(quiet, rng):
    gaps = gaps_s(http_poll.Behaviour(period=120.0, law="exponential").plan(rng, quiet))
    assert distance(gaps / 240.0) > 1.95 / np.sqrt(len(gaps))


def distance(uniform):
    """Kolmogorov-Smirnov distance of a sample from the uniform distribution on [0, 1]."""
    sample = np.sort(uniform)
    steps = np.arange(len(sample) + 1) / len(sample)
    return max(np.abs(sample - steps[1:]).max(), np.abs(sample - steps[:-1]).max())


def test_sleep_renews_itself_so_the_phase_wanders(quiet, rng):
    """A renewal process loses its phase: after a day of jittered sleeps the polls have left the grid."""
    batch = http_poll.Behaviour(period=300.0, jitter=0.3, law="uniform").plan(rng, quiet)
    polls = np.sort(batch.start)
    off_grid = (polls - polls[0]) / SECOND - 300.0 * np.arange(len(polls))
    assert np.abs(off_grid).max() > 300.0
    alarm = np.sort(periodic_sync.Behaviour(period=300.0, flex=0.05, wake="service").plan(rng, quiet).start)
    off_grid = (alarm - alarm[0]) / SECOND - 300.0 * np.arange(len(alarm))
    assert np.abs(off_grid).max() <= 15.0


def test_a_task_is_followed_by_an_upload_on_the_same_connection(quiet, rng):
    kind = http_poll.Behaviour(task_probability=0.3, task_down=2_600, result_up=9_000)
    batch = kind.plan(rng, quiet)
    tasked = np.flatnonzero(batch.x_down == 2_600)
    assert 50 < len(tasked) < 130
    assert np.array_equal(batch.x_conversation[tasked], batch.x_conversation[tasked + 1])
    assert np.median(batch.x_up[tasked + 1]) == pytest.approx(9_000, rel=0.3)
    assert set(batch.x_up[np.setdiff1d(np.arange(batch.contacts), tasked + 1)]) == {kind.up}


def test_an_agent_that_is_deferred_waits_for_doze_to_end(windows, interval, rng):
    window = windows(doze=interval((0, 8 * HOUR)))
    batch = http_poll.Behaviour(period=60.0).plan(rng, window)
    assert batch.start.min() >= 8 * HOUR
    held = http_poll.Behaviour(period=60.0).plan(rng, replace(window, exempt=True))
    assert (held.start < 8 * HOUR).sum() > 400


def test_port_and_method_are_as_set(quiet, rng):
    plain = http_poll.Behaviour(tls=False, method="POST").plan(rng, quiet).speeches[0]
    assert (plain.protocol, plain.tls, plain.port, plain.options) == ("http", False, 80, {"method": "POST"})
    assert http_poll.Behaviour(port=8443).plan(rng, quiet).speeches[0].port == 8443


def test_dns_poll_asks_the_resolver_with_labels_of_the_size(quiet, rng):
    batch = dns_poll.Behaviour(period=60.0, up=90, spread=0.1, task_probability=0.0).plan(rng, quiet)
    assert [(speech.protocol, speech.port) for speech in batch.speeches] == [("dns", 53)]
    assert [peer.reach for peer in batch.peers] == ["resolver"]
    assert batch.x_up.min() >= 81
    assert batch.x_up.max() <= 99
    assert np.median(gaps_s(batch)) == pytest.approx(60.0, rel=0.05)


def test_dns_results_come_in_bursts_after_tasks(quiet, rng):
    kind = dns_poll.Behaviour(task_probability=0.02, result_questions=25)
    batch = kind.plan(rng, quiet)
    tasks = int((batch.x_down == kind.task_down).sum())
    assert tasks > 10
    assert (batch.x_up == 240).sum() == pytest.approx(25 * tasks, abs=25)


def test_dns_lookup_keeps_its_phase_and_scans_when_open(windows, interval, rng):
    kind = dns_lookup.Behaviour(period=120.0, flex=0.0, scans_per_hour=60.0, scanned=10)
    still = kind.plan(rng, windows())
    assert gaps_s(still) == pytest.approx(120.0, abs=1e-5)
    opened = kind.plan(rng, windows(foreground=interval((HOUR, 2 * HOUR))))
    assert len(opened.start) > len(still.start) + 200


def test_websocket_poll_is_one_flow_until_it_breaks(quiet, rng):
    kind = websocket_poll.Behaviour(period=120.0, jitter=0.0, law="fixed", lifetime=4 * 3600.0)
    batch = kind.plan(rng, quiet)
    assert 2 <= len(batch.start) <= 20
    order = np.argsort(batch.start)
    assert np.all(batch.start[order][1:] > batch.close[order][:-1]), "dialled again only after it broke"
    check_ins = batch.x_time[batch.x_up > websocket_poll.PING]
    assert np.median(np.diff(np.sort(check_ins))) / SECOND == pytest.approx(120.0, abs=1.0)
    pings = batch.x_time[(batch.x_up == websocket_poll.PING) & (batch.x_down == websocket_poll.PONG)]
    assert np.median(np.diff(np.sort(pings))) / SECOND == pytest.approx(55.0, abs=1.0)


def test_websocket_tasks_are_pushed_and_answered(quiet, rng):
    batch = websocket_poll.Behaviour(period=30.0, task_probability=0.05).plan(rng, quiet)
    pushed = (batch.x_up == 0) & (batch.x_down == 900)
    results = batch.x_down == 8
    assert pushed.sum() > 50
    assert abs(int(pushed.sum()) - int(results.sum())) <= len(batch.start)


def test_chat_beats_at_its_phase_and_talks_when_open(windows, interval, rng):
    kind = chat_websocket.Behaviour(heartbeat=120.0, spread=0.0, received_per_hour=0.0, lifetime=7 * 86_400.0)
    still = kind.plan(rng, windows())
    beats = np.sort(still.x_time[still.x_up == kind.up])
    assert np.median(np.diff(beats)) / SECOND == pytest.approx(120.0, abs=0.1)
    talk = kind.plan(rng, windows(foreground=interval((HOUR, 2 * HOUR))))
    inside = (talk.x_time >= HOUR) & (talk.x_time < 2 * HOUR + SECOND)
    assert inside.sum() > 3 * (talk.contacts - inside.sum()) / 23


@pytest.mark.parametrize(
    ("malicious", "benign", "shared"),
    [
        (http_poll.Behaviour(), periodic_sync.Behaviour(wake="service"), "http"),
        (dns_poll.Behaviour(), dns_lookup.Behaviour(), "dns"),
        (websocket_poll.Behaviour(), chat_websocket.Behaviour(), "websocket"),
    ],
)
def test_twins_speak_the_same_way(malicious, benign, shared, worker, rng):
    one, other = malicious.plan(rng, worker), benign.plan(rng, worker)
    assert one.speeches == other.speeches
    assert one.speeches[0].protocol == shared
    assert {peer.reach for peer in one.peers} == {peer.reach for peer in other.peers}


@pytest.mark.parametrize(("carrier", "keep", "flows"), [("dns", 90.0, 1440), ("dot", 90.0, 1), ("doh", 10.0, 1440)])
def test_questions_share_a_connection_while_it_is_kept(carrier, keep, flows, quiet, rng):
    batch = dns_lookup.Behaviour(carrier=carrier, period=60.0, flex=0.0, keep=keep).plan(rng, quiet)
    assert batch.contacts == pytest.approx(1440, abs=1)
    assert len(batch.start) == pytest.approx(flows, abs=1)


def test_a_chat_is_dialled_again_on_a_new_network(windows, interval, rng):
    kind = chat_websocket.Behaviour(lifetime=7 * 86_400.0)
    batch = kind.plan(rng, windows(wifi=interval((8 * HOUR, 16 * HOUR))))
    for switch in (8 * HOUR, 16 * HOUR):
        assert not np.any((batch.start < switch) & (batch.close > switch)), "no connection outlives its network"
        assert np.any((batch.start >= switch) & (batch.start < switch + 60 * SECOND))
