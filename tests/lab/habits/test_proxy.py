"""A proxy on the phone passes on what it takes in, whatever words its customers ask in."""

from __future__ import annotations

import numpy as np
import pytest

from lab.behaviours import SECOND, Window
from lab.habits.clock import whole
from lab.habits.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, Demand, sealed
from lab.habits.proxy import CONNECTS, Listener, relay

HOUR = 3600 * SECOND
NEVER = np.zeros((0, 2), dtype=np.int64)
QUIET = Window(24 * HOUR, NEVER, NEVER, NEVER, NEVER, NEVER)
PROTOCOLS = ("socks5", "connect")


def planned(protocol, *, per_hour=20.0, port=1080, lag_ms=12.0, **listener):
    rng = np.random.default_rng(7)
    demand = Demand(per_hour, 6, 40, lag_ms)
    return relay(Listener(protocol, port, "literal", **listener), demand, rng, QUIET, whole(QUIET.span))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_customers_ask_in_that_protocol_and_the_phone_goes_on_in_tls(protocol):
    batch = planned(protocol, port=3128)
    asked = [batch.speeches[speech] for speech in batch.speech[batch.inbound]]
    assert {(speech.protocol, speech.port, speech.tls) for speech in asked} == {(protocol, 3128, False)}
    assert all(speech.options["target"].startswith("@") for speech in asked)
    onward = [batch.speeches[speech] for speech in batch.speech[~batch.inbound]]
    assert {(speech.protocol, speech.port, speech.tls) for speech in onward} == {("opaque", 443, True)}
    assert batch.listen[0][2] == 3128


@pytest.mark.parametrize("lag_ms", [0.0, 12.0, 15_000.0])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bytes_are_conserved_over_the_day(protocol, lag_ms):
    batch = planned(protocol, lag_ms=lag_ms)
    inside = batch.inbound[batch.x_conversation]
    assert batch.inbound.sum() == (~batch.inbound).sum() > 300
    pairs = batch.inbound.sum()
    assert batch.x_up[inside].sum() - HANDSHAKE_UP * pairs == sealed(batch.x_up[~inside]).sum()
    assert batch.x_down[inside].sum() - HANDSHAKE_DOWN * pairs == sealed(batch.x_down[~inside]).sum()


def test_each_stranger_is_connected_on_after_his_first_bytes():
    batch = planned("connect", lag_ms=12.0)
    came, went = np.sort(batch.start[batch.inbound]) + CONNECTS, np.sort(batch.start[~batch.inbound])
    assert (went - came).min() > 0
    assert np.median(went - came) < 150_000


def test_only_the_words_differ():
    socks, connect = planned("socks5"), planned("connect")
    assert np.array_equal(socks.start, connect.start)
    assert np.array_equal(socks.x_up, connect.x_up)
    assert socks.speeches != connect.speeches


def test_options_and_places_are_the_listeners():
    batch = planned("socks5", options={"user": "u", "password": "p"}, towards="lan", one_stack=True)
    inbound = batch.speeches[batch.speech[batch.inbound][0]]
    assert inbound.options["user"] == "u"
    assert {batch.peers[peer].reach for peer in batch.peer[~batch.inbound]} == {"lan"}
    assert set(batch.stack.tolist()) == {-1}
    assert "target" not in planned("opaque", named=False).speeches[-1].options


def test_nobody_gets_through_before_it_listens_or_when_nobody_comes():
    batch = planned("connect")
    assert batch.start.min() >= batch.listen[0][0]
    assert planned("connect", per_hour=0.0).contacts == 0
