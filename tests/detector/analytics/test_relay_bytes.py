"""Bytes in time: nothing lost, nothing counted twice, directions seen from the device."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.relay_bytes import LONGEST_S, _spread, pieces, spoken
from detector.analytics.relay_flows import RelayFlows

US = 1_000_000


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 3000), st.integers(0, 10**7)), max_size=20))
def test_spreading_keeps_every_byte_and_stays_within_its_time(rows):
    start, lasts, amount = (np.array([row[k] for row in rows], np.int64) for k in range(3))
    row, time, share = _spread(np.arange(len(rows)), start * US, (start + lasts) * US, amount)
    for k in range(len(rows)):
        assert share[row == k].sum() == amount[k]
        assert all((time[row == k] >= start[k] * US) & (time[row == k] <= (start[k] + lasts[k]) * US))
        assert (row == k).sum() <= LONGEST_S


def in_time(made, *, exchanges=True):
    tables = made.telemetry().tables
    flows = RelayFlows.read(tables["flows"], frozenset())
    said = spoken(flows, np.arange(len(flows.flow)), tables["exchanges"] if exchanges else None)
    return said, pieces(flows, said)


def seconds(bits):
    order = np.lexsort((bits.row, bits.time))
    return [(bits.time[k] / US, int(bits.into[k]), int(bits.out[k])) for k in order]


def test_exchanges_place_bytes_in_time(made):
    long = made.flow(0, lasts_s=100, up=100, down=700)
    made.exchange(long, 10, 100, 0)
    made.exchange(long, 50, 0, 700, delay_s=0.25)
    said, bits = in_time(made)
    assert seconds(bits) == [(10.0, 0, 100), (50.25, 700, 0)]
    assert said.told.all()


def test_what_no_exchange_holds_was_carried_when_the_flow_opened(made):
    made.exchange(made.flow(3, up=600, down=4_000), 5, 100, 700)
    said, bits = in_time(made)
    assert seconds(bits)[:2] == [(3.0, 0, 500), (3.0, 3_300, 0)]
    assert said.told.tolist() == [True, False]


def test_without_exchanges_bytes_are_dealt_over_the_life_of_a_flow(made):
    made.flow(0, lasts_s=9.5, up=10, down=1000, inbound=True)
    _, bits = in_time(made, exchanges=False)
    assert bits.out.tolist()[-10:] == [100] * 10
    assert bits.into.sum() == 10


def test_a_flow_of_two_devices_is_said_by_both(made):
    made.exchange(made.flow(3, up=100, down=700), 3, 100, 700)
    made.rows["flows"].append({**made.rows["flows"][0], "device": "phone-02", "inbound": True})
    said, bits = in_time(made)
    assert sorted(said.row.tolist()) == [0, 1]
    assert (bits.into.sum(), bits.out.sum()) == (800, 800)
