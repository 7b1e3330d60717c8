"""Whatever a poller says, an honest app can say with the same protocol, cadence and sizes."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import (
    SECOND,
    chat_websocket,
    dns_lookup,
    dns_poll,
    event_sync,
    feed_reader,
    http_poll,
    long_poll,
    mail_check,
    mail_folders,
    mqtt_poll,
    periodic_sync,
    push_keepalive,
    websocket_poll,
)
from lab.habits.carriage import CARRIERS, FRONTS, NAMINGS, RESOLVERS
from lab.habits.clock import LAWS
from lab.habits.gates import GATES

HOUR = 3600 * SECOND
SAME = {"up": 400, "down": 900, "spread": 0.0}
QUIET = {"task_probability": 0.0}
NEWS = {"news_probability": 0.0, "wake": "service"}


def polled(**known):
    return http_poll.Behaviour(**{"period": 300.0, "jitter": 0.2} | SAME | QUIET | known)


def synced(**known):
    return periodic_sync.Behaviour(**{"period": 300.0, "flex": 0.2} | SAME | NEWS | known)


def shape(batch):
    """Everything about a batch that a packet shows, but for when its first conversation begins."""
    seen = tuple(
        (speech.protocol, speech.tls, speech.port, *sorted(speech.options.items())) for speech in batch.speeches
    )
    return set(seen), [peer.reach for peer in batch.peers], sorted(set(batch.x_up.tolist() + batch.x_down.tolist()))


def gaps(batch):
    return np.sort(np.diff(np.sort(batch.x_time))) / SECOND


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("front", FRONTS)
def test_a_poll_over_the_web_has_a_twin(carrier, naming, front, worker):
    known = {"carrier": carrier, "naming": naming, "front": front, "resume": True}
    one = polled(law="uniform", **known).plan(np.random.default_rng(1), worker)
    other = synced(law="uniform", **known).plan(np.random.default_rng(2), worker)
    assert shape(one) == shape(other)
    assert len(one.start) == pytest.approx(len(other.start), rel=0.05)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("gate", GATES)
def test_every_law_and_gate_has_a_twin(law, gate, worker):
    if gate == "plugged-idle":
        vars(worker)["charging"] = vars(worker)["wifi"] = np.array([[0, 7 * HOUR]])
    known = {"law": law, "gate": gate, "shut": "wait"}
    one, other = (
        np.concatenate([gaps(kind.plan(np.random.default_rng(seed), worker)) for seed in range(6)])
        for kind in (polled(**known), synced(**known))
    )
    assert len(one) == pytest.approx(len(other), rel=0.15, abs=12)
    assert np.median(one) == pytest.approx(np.median(other), rel=0.15)
    assert np.quantile(one, 0.9) == pytest.approx(np.quantile(other, 0.9), rel=0.3)


@pytest.mark.parametrize("known", [{"wake": "service"}, {"wake": "job"}, {"wake": "alarm"}])
def test_what_doze_does_has_a_twin(known, worker):
    waiting = {**known, "shut": "wait", "law": "uniform"}
    one = polled(law="uniform", **known).plan(np.random.default_rng(1), worker)
    other = synced(**waiting).plan(np.random.default_rng(1), worker)
    assert np.array_equal(one.x_time, other.x_time)


def test_hurry_padding_new_hosts_and_kept_connections_have_twins(worker):
    known = {"fast": 10.0, "fast_for": 900.0, "law": "uniform", "pad_up": 3_000, "pad_down": 8_000, "keep": 400.0}
    one = polled(**known | {"task_probability": 0.02}).plan(np.random.default_rng(1), worker)
    other = synced(**known | {"news_probability": 0.02}).plan(np.random.default_rng(1), worker)
    assert np.median(gaps(one)) == pytest.approx(np.median(gaps(other)), rel=0.3)
    assert one.x_up.max() > 3_000
    assert other.x_up.max() > 3_000
    assert len(one.start) < one.contacts / 2
    assert len(other.start) < other.contacts / 2
    for every in ("day", "contact"):
        strange = polled(dga=every).plan(np.random.default_rng(1), worker)
        moving = synced(rotates=every, reach="fresh").plan(np.random.default_rng(1), worker)
        assert len(strange.peers) == pytest.approx(len(moving.peers), rel=0.2)
        assert {peer.reach for peer in strange.peers + moving.peers} == {"fresh"}


def test_links_that_lead_to_new_hosts_come_at_a_cadence_too(worker):
    kind = feed_reader.Behaviour(feeds=0, links=1.0, period=300.0, jitter=0.2, law="uniform")
    strange = polled(dga="contact", law="uniform").plan(np.random.default_rng(1), worker)
    linked = kind.plan(np.random.default_rng(1), worker)
    assert len(linked.start) == pytest.approx(len(strange.start), rel=0.05)
    assert np.median(gaps(linked)) == pytest.approx(np.median(gaps(strange)), rel=0.05)


@pytest.mark.parametrize("carrier", RESOLVERS)
def test_questions_have_a_twin(carrier, worker):
    known = {"carrier": carrier, "period": 60.0, "law": "uniform", "spread": 0.0}
    one = dns_poll.Behaviour(jitter=0.2, task_probability=0.0, **known).plan(np.random.default_rng(1), worker)
    other = dns_lookup.Behaviour(flex=0.2, scans_per_hour=0.0, **known).plan(np.random.default_rng(2), worker)
    assert shape(one) == shape(other)
    assert np.median(gaps(one)) == pytest.approx(np.median(gaps(other)), rel=0.05)


@pytest.mark.parametrize("hold", [30.0, 55.0, 120.0])
def test_long_polls_have_a_twin(hold, quiet):
    known = {"hold": hold, "up": 400, "down": 220, "lifetime": 0.0}
    one = long_poll.Behaviour(tasks_per_hour=0.0, reach="own", **known).plan(np.random.default_rng(1), quiet)
    other = event_sync.Behaviour(events_per_hour=0.0, **known).plan(np.random.default_rng(2), quiet)
    assert shape(one)[:2] == shape(other)[:2]
    assert np.median(gaps(one)) == pytest.approx(np.median(gaps(other)), rel=0.02)


def test_brokers_and_sockets_have_twins(quiet):
    mqtt = mqtt_poll.Behaviour(tasks_per_hour=0.0, keepalive=240.0, reach="vendor", period=600.0, jitter=0.1)
    home = push_keepalive.Behaviour(
        protocol="mqtt", heartbeat=240.0, pushes_per_hour=0.0, reach="vendor", reports=600.0, jitter=0.1
    )
    agent = websocket_poll.Behaviour(period=120.0, jitter=0.2, law="uniform", task_probability=0.0)
    presence = chat_websocket.Behaviour(heartbeat=120.0, jitter=0.2, law="uniform", received_per_hour=0.0)
    for one, other in ((mqtt, home), (agent, presence)):
        mine, theirs = one.plan(np.random.default_rng(1), quiet), other.plan(np.random.default_rng(2), quiet)
        assert shape(mine)[:2] == shape(theirs)[:2]
        assert mine.contacts == pytest.approx(theirs.contacts, rel=0.1)
        assert np.median(gaps(mine)) == pytest.approx(np.median(gaps(theirs)), rel=0.15)


def test_mailboxes_have_a_twin(quiet):
    agent = mail_check.Behaviour(period=600.0, mail_probability=0.0)
    folders = mail_folders.Behaviour(period=600.0, folders=1, mails_per_hour=0.0)
    one, other = agent.plan(np.random.default_rng(1), quiet), folders.plan(np.random.default_rng(2), quiet)
    assert shape(one) == shape(other)
    assert len(one.start) == pytest.approx(len(other.start), abs=2)


def test_a_shape_that_no_twin_has_is_told_apart(worker):
    one = polled(naming="none").plan(np.random.default_rng(1), worker)
    assert shape(one) != shape(synced(naming="name").plan(np.random.default_rng(1), worker))
