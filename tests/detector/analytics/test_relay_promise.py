"""Ways in step with anything: a bridge is kept, in however small pieces it is looked at; a busy stranger is dropped."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics import relay_promise
from detector.analytics.relay_bytes import pieces, spoken
from detector.analytics.relay_flows import RelayFlows
from detector.analytics.relay_pairs import could_bridge
from detector.analytics.relay_promise import Talk, promising


def kept(made):
    telemetry = made.telemetry()
    flows = RelayFlows.read(telemetry["flows"], frozenset())
    said = spoken(flows, np.arange(len(flows.flow)), telemetry["exchanges"])
    said = said.taken(np.lexsort((said.start, flows.app[said.row])))
    pairs = could_bridge(flows, 300, 3)
    found = promising(pairs, Talk(flows, said, pieces(flows, said), telemetry.span), 3)
    return {flows.name_of(int(way)) for way in found.way}, len(pairs)


@pytest.mark.parametrize("at_once", [1, 50, 1_000_000])
def test_bridges_are_kept_whatever_is_looked_at_at_once(made, bridge, monkeypatch, at_once):
    monkeypatch.setattr(relay_promise, "AT_ONCE", at_once)
    bridge(uid=10_001, targets=40)
    bridge(uid=10_002, targets=40, every=600.0)
    assert kept(made) == ({"198.18.9.9"}, 2)


def test_what_is_never_in_step_is_dropped(made, rng):
    tunnel = made.flow(0, lasts_s=80_000, up=9_000, down=9_000, server="198.18.9.9", uid=10_001)
    for start in np.sort(rng.uniform(0, 80_000, 30)):
        made.exchange(tunnel, start, 300, 300)
    for start in np.sort(rng.uniform(0, 80_000, 30)):
        flow = made.flow(start, up=300, down=300, server=f"198.18.1.{rng.integers(200)}", uid=10_001)
        made.exchange(flow, start, 300, 300)
    assert kept(made) == (set(), 1)
