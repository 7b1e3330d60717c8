"""Pairs of app and destination: in time order whatever the order of the table, and joined by app where rare."""

from __future__ import annotations

import numpy as np

from detector.contacts import Flows
from detector.speakers import RARE, flow_pairs


def pairs(made):
    flows = Flows.read(made.telemetry()["flows"])
    return flow_pairs(flows, np.arange(len(flows.flow)))


def test_rows_of_a_pair_are_in_time_order_whatever_the_order_of_the_table(made, rng):
    for time in rng.permutation(40):
        made.flow(float(time), name=f"h{time % 3}.site{time % 2}.example")
    found = pairs(made)
    assert [found.destination.text(k) for k in range(2)] == ["site0.example", "site1.example"]
    for k in range(2):
        times = found.said.time[found.rows[found.edges[k] : found.edges[k + 1]]]
        assert len(times) == 20
        assert (np.diff(times) > 0).all()


def test_an_app_without_a_number_is_not_another_s(made):
    made.flow(1, name="a.example", uid=10_001)
    made.flow(2, name="a.example")
    made.flow(3, name="a.example", device="phone-02")
    assert len(pairs(made)) == 3


def test_joined_pairs_keep_apps_apart_and_what_is_not_rare_out(made):
    for k in range(6):
        made.flow(10 - k, name=f"n{k}.made{k}.example", uid=10_001 + k % 2)
    found = pairs(made)
    joined = found.by_app(
        np.array([text != "made5.example" for text in found.destination.texts])[found.destination.code]
    )
    assert [joined.destination.text(k) for k in range(2)] == [RARE, RARE]
    assert dict(zip(joined.uid.tolist(), np.diff(joined.edges).tolist(), strict=True)) == {10_001: 3, 10_002: 2}
    assert all((np.diff(joined.said.time[joined.rows[slice(*joined.edges[k : k + 2])]]) > 0).all() for k in range(2))
