"""Habits: flows counted by hour, size, protocol and port, with the devices that had them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.learned.gathering import gathered
from detector.learned.habits import size_step
from detector.learned.part import KINDS, device_bit


def told(part, kind):
    table = part.habits
    mine = table.kind == KINDS.index(kind)
    return dict(zip(table.value[mine].tolist(), table.flows[mine].tolist(), strict=True))


def test_flows_are_counted_by_hour_port_and_protocol(made):
    for hour in (3, 3, 27, 5):
        made.flow(3600 * hour + 7, package="app", app_proto="tls")
    made.flow(0, package="app", server_port=8443)
    part = gathered(made.telemetry())
    assert told(part, "hour") == {0: 1, 3: 3, 5: 1}
    assert told(part, "port") == {443: 4, 8443: 1}
    assert {part.protocols[k]: n for k, n in told(part, "protocol").items()} == {"tcp": 1, "tls": 4}


def test_every_device_sets_its_bit(made):
    for device in ("a", "b"):
        made.flow(0, device=device, package="app")
    part = gathered(made.telemetry())
    expected = (1 << device_bit("a")) | (1 << device_bit("b"))
    assert set(part.habits.devices.tolist()) == {expected}


@given(st.lists(st.integers(0, 2**50), min_size=2))
def test_larger_sizes_have_no_smaller_step(sizes):
    ordered = np.sort(np.array(sizes, np.int64))
    assert (np.diff(size_step(ordered)) >= 0).all()
