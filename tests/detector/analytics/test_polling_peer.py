"""Who a group speaks with, in words."""

from __future__ import annotations

import numpy as np

from detector.analytics.polling_peer import Peer, peer_of
from detector.contacts import Flows, Merging, crowd_of, flow_pairs


def peer(made):
    flows = Flows.read(made.telemetry()["flows"])
    crowd = crowd_of(flow_pairs(flows, np.arange(len(flows.flow))), None, Merging((2.0,), 6))
    return peer_of(crowd.one(0), flows)


def test_a_peer_has_one_name_or_its_domain_and_all_addresses(made):
    made.polls(60.0 * np.arange(9), name="a.site.example")
    assert peer(made).name == "a.site.example"
    made.flow(900, name="b.site.example", server="198.18.0.10")
    assert peer(made) == Peer("site.example", ("198.18.0.9", "198.18.0.10"), 1)


def test_many_addresses_are_counted_not_listed():
    assert Peer("a.example", tuple("abcdef"), 1).where() == "a, b, c, d and 2 more"
    assert Peer("a.example", (), 7).who() == "7 destinations such as a.example"
