"""A proxy on the phone passes on what it takes in, whatever words its customers ask in."""

import numpy as np
import pytest

from lab.behaviours import SECOND, Window, connect_relay, socks_relay
from lab.customers import HANDSHAKE_DOWN, HANDSHAKE_UP, sealed
from lab.proxy import relay

HOUR = 3600 * SECOND
NEVER = np.zeros((0, 2), dtype=np.int64)
QUIET = Window(24 * HOUR, NEVER, NEVER, NEVER, NEVER, NEVER)
KINDS = {"socks5": socks_relay.Behaviour, "connect": connect_relay.Behaviour}


def planned(protocol, seed=7, **settings):
    return relay(KINDS[protocol](**settings), protocol, np.random.default_rng(seed), QUIET)


@pytest.mark.parametrize("protocol", KINDS)
def test_customers_ask_in_that_protocol_and_the_phone_goes_on_in_tls(protocol):
    batch = planned(protocol, port=3128)
    asked = [batch.speeches[speech] for speech in batch.speech[batch.inbound]]
    assert {(speech.protocol, speech.port, speech.tls) for speech in asked} == {(protocol, 3128, False)}
    assert all(speech.options["target"].startswith("@") for speech in asked)
    onward = [batch.speeches[speech] for speech in batch.speech[~batch.inbound]]
    assert {(speech.protocol, speech.port, speech.tls) for speech in onward} == {("opaque", 443, True)}
    assert batch.listen[0][2] == 3128


@pytest.mark.parametrize("protocol", KINDS)
def test_bytes_are_conserved_over_the_day(protocol):
    batch = planned(protocol)
    inside = batch.inbound[batch.x_conversation]
    assert batch.inbound.sum() == (~batch.inbound).sum() > 300
    pairs = batch.inbound.sum()
    assert batch.x_up[inside].sum() - HANDSHAKE_UP * pairs == sealed(batch.x_up[~inside]).sum()
    assert batch.x_down[inside].sum() - HANDSHAKE_DOWN * pairs == sealed(batch.x_down[~inside]).sum()


def test_only_the_words_differ():
    socks, connect = planned("socks5"), planned("connect", port=1080)
    assert np.array_equal(socks.start, connect.start)
    assert np.array_equal(socks.x_up, connect.x_up)
    assert socks.speeches != connect.speeches


def test_nobody_gets_through_before_it_listens_or_when_nobody_comes():
    batch = planned("connect")
    assert batch.start.min() >= batch.listen[0][0]
    assert planned("connect", streams_per_hour=0.0).contacts == 0
