"""The conditions of a network: none by default."""

from __future__ import annotations

from lab.network import PLAIN, Network


def test_phones_have_ipv6_where_any_host_needs_it():
    assert [Network().dual, Network(ipv6=0.1).dual, Network(clat=True).dual] == [False, True, True]


def test_a_network_is_plain_by_default():
    assert Network() == PLAIN
    assert PLAIN.set() == ()
    assert Network(rtt_us=5, loss=0.1).set() == ("loss", "rtt_us")
    assert (PLAIN.loss, PLAIN.rtt_us, PLAIN.jitter_us, PLAIN.mtu) == (0, 0, 0, 1500)
