"""Whose the ends of flows are: names before addresses, and nobody where there is no one."""

from __future__ import annotations

from detector.analytics.relay_hosts import Hosts
from detector.columns import codes


def test_a_peer_is_the_domain_of_its_name_or_else_its_address(made):
    made.flow(0, server="198.18.1.1", name="a.b.example")
    made.flow(1, server="198.18.1.1", name=None)
    made.flow(2, server="224.0.0.251", name=None)
    made.flow(3, server="192.168.0.9", name=None)
    table = made.telemetry()["flows"]
    hosts, server = Hosts.of(table), codes(table["server"])
    peer = hosts.peer(server, codes(table["name"]))
    assert [peer.text(row) for row in range(4)] == ["b.example", "198.18.1.1", "224.0.0.251", "192.168.0.9"]
    assert hosts.nobody[server.code].tolist() == [False, False, True, False]
    assert hosts.server_local[server.code].tolist() == [False, False, False, True]
    assert hosts.nobody[-1]
