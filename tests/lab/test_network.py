"""The conditions of a network: none by default."""

from __future__ import annotations

from lab.network import PLAIN, Network


def test_a_network_is_plain_by_default():
    assert Network() == PLAIN
    assert PLAIN.set() == ()
    assert Network(rtt_us=5, loss=0.1).set() == ("loss", "rtt_us")
    assert (PLAIN.loss, PLAIN.rtt_us, PLAIN.jitter_us, PLAIN.mtu) == (0, 0, 0, 1500)
