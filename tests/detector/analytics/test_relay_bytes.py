"""Bytes by second: nothing lost, nothing counted twice, directions seen from the device."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.relay_bytes import _spread, app_traffic, peers_of
from detector.contacts import Flows

US = 1_000_000


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 100), st.integers(0, 10**7)), max_size=20))
def test_spreading_keeps_every_byte_and_stays_in_its_seconds(rows):
    start, lasts, amount = (np.array([row[k] for row in rows], np.int64) for k in range(3))
    row, second, share = _spread(np.arange(len(rows)), start * US, (start + lasts) * US, amount)
    for k in range(len(rows)):
        assert share[row == k].sum() == amount[k]
        assert all((second[row == k] >= start[k]) & (second[row == k] <= start[k] + lasts[k]))


def traffic(made, exchanges):
    tables = made.telemetry().tables
    flows = Flows.read(tables["flows"])
    return list(
        app_traffic(
            flows, peers_of(flows), tables["exchanges"] if exchanges else None, 1, np.ones(len(flows.flow), np.bool_)
        )
    )


def test_directions_are_seen_from_the_device(made):
    made.flow(0, up=100, down=2000)
    made.flow(5, up=30, down=400, inbound=True, client="10.88.0.9", server="10.88.0.2")
    (one,) = traffic(made, exchanges=False)
    assert (one.pieces.into.sum(), one.pieces.out.sum()) == (2030, 500)
    assert one.pieces.between(5, 6).into.sum() == 30


def test_exchanges_place_bytes_in_time(made):
    long = made.flow(0, lasts_s=100, up=9, down=9)
    made.exchange(long, 10, 100, 0)
    made.exchange(long, 50, 0, 700, delay_s=0.2)
    made.exchange(made.flow(3, up=1, down=1), 3, 1, 1)
    (one,) = traffic(made, exchanges=True)
    assert one.pieces.second.tolist() == [3, 3, 10, 50]
    assert one.pieces.between(50, 51).into.tolist() == [700]


def test_what_no_exchange_holds_was_carried_when_the_flow_opened(made):
    made.exchange(made.flow(3, up=600, down=4_000), 5, 100, 700)
    made.exchange(made.flow(9, up=1, down=1), 9, 1, 1)
    (one,) = traffic(made, exchanges=True)
    assert one.pieces.second.tolist() == [3, 3, 5, 5, 9, 9]
    assert (one.pieces.between(3, 4).into.sum(), one.pieces.between(3, 4).out.sum()) == (3_300, 500)


def test_apps_are_apart_and_small_ones_left_out(made):
    for k in range(4):
        made.flow(k, uid=10_001 + k // 2)
    made.flow(9, uid=10_009)
    assert [one.uid for one in traffic(made, exchanges=False)] == [10_001, 10_002]
