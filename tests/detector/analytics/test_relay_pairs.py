"""Ways worth a look: what could be a bridge is kept, what is not is dropped before anything is matched."""

from __future__ import annotations

import numpy as np

from detector.analytics.relay_bytes import pieces, spoken
from detector.analytics.relay_flows import RelayFlows
from detector.analytics.relay_pairs import MOST_WAYS, Pairs, bridging, could_bridge, spread


def pairs_of(made, *, fewest=3, anchor_s=300):
    tables = made.telemetry().tables
    flows = RelayFlows.read(tables["flows"], frozenset())
    return flows, could_bridge(flows, anchor_s, fewest)


def names(flows, pairs):
    return [flows.name_of(int(way)) for way in pairs.way]


def test_a_long_flow_beside_others_could_bridge(made, bridge):
    bridge(uid=10_001, targets=40)
    flows, pairs = pairs_of(made)
    assert "198.18.9.9" in names(flows, pairs)


def test_accepted_sessions_could_bridge_and_few_streams_could_not(made):
    made.flow(0, inbound=True, up=900, down=900)
    for k in range(2):
        made.flow(k, up=900, down=900, server=f"198.18.1.{k}")
    assert names(*pairs_of(made, fewest=2)) == ["accepted sessions"]
    assert names(*pairs_of(made, fewest=3)) == []


def test_a_way_that_carries_next_to_nothing_of_the_rest_is_dropped(made):
    made.flow(0, lasts_s=1000, up=10, down=10, server="198.18.9.9")
    for k in range(9):
        made.flow(k, up=100_000, down=100_000, server=f"198.18.1.{k}")
    assert names(*pairs_of(made)) == []


def test_apps_do_not_mix(made):
    made.flow(0, lasts_s=1000, up=9000, down=9000, server="198.18.9.9", uid=10_001)
    for k in range(9):
        made.flow(k, up=1000, down=1000, server=f"198.18.1.{k}", uid=10_002)
    assert names(*pairs_of(made)) == []


def test_no_app_has_more_ways_than_the_largest(made):
    for peer in range(MOST_WAYS + 8):
        made.flow(10, lasts_s=1000, up=50_000 + peer, down=50_000 + peer, server=f"198.18.2.{peer}", uid=10_001)
    flows, pairs = pairs_of(made)
    assert len(pairs) == MOST_WAYS
    assert "198.18.2.0" not in names(flows, pairs)
    assert f"198.18.2.{MOST_WAYS + 7}" in names(flows, pairs)


def test_windows_decide_where_sums_could_not(made):
    """Equal sums, but the way speaks in the first hour and the others in the last."""
    tunnel = made.flow(0, lasts_s=1000, up=9000, down=9000, server="198.18.9.9")
    made.exchange(tunnel, 5, 9000, 9000)
    for k in range(9):
        made.exchange(made.flow(7200 + k, up=1000, down=1000, server=f"198.18.1.{k}"), 7200 + k, 1000, 1000)
    flows, pairs = pairs_of(made)
    assert len(pairs) == 1
    said = spoken(flows, np.arange(len(flows.flow)), made.telemetry()["exchanges"])
    bits = pieces(flows, said)
    assert len(bridging(pairs, flows, bits, [1_800_000_000], 0)) == 0
    assert len(bridging(pairs, flows, bits, [1_800_000_000, 86_400_000_000], 0)) == 1


def test_items_are_spread_over_the_pairs_of_their_app():
    pairs = Pairs(np.array([2, 0, 2]), np.array([5, 5, 6]))
    pair, item = spread(pairs, np.array([0, 2, 1, 2]))
    assert list(zip(pair.tolist(), item.tolist(), strict=True)) == [(0, 1), (0, 3), (1, 0), (2, 1), (2, 3)]
