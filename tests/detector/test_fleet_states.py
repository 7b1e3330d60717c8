"""States of many devices at once are those of each device."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.columns import NULL, Codes
from detector.device_states import states_by_device
from detector.fleet_states import FleetStates

SPAN = (0, 86_400_000_000)


def fleet(made, rng):
    for device in ("phone-02", "phone-01"):
        for time in np.sort(rng.uniform(1000, 80_000, 20)):
            made.state(float(time), locked=bool(rng.random() < 0.6), foreground=10_001, device=device)
    return made.telemetry()["device_state"]


def test_moments_and_seconds_are_those_of_each_device(made, rng):
    table = fleet(made, rng)
    many, each = FleetStates.read(table), states_by_device(table)
    times = rng.integers(*SPAN, 300)
    device = many.numbers(Codes(np.array([0, 1, 2]), ["phone-01", "phone-02", "phone-03"]))
    for number, states in zip(device, (each["phone-01"], each["phone-02"], None), strict=True):
        rows = many.rows(np.full(300, number), times)
        if states is None:
            assert set(rows.tolist()) == {NULL}
            continue
        assert many.locked_at(rows).tolist() == states.locked_at(times).tolist()
        assert many.idle_at(rows, times, 600).tolist() == states.idle_at(times, 600).tolist()
        for uid in (10_001, 10_002, NULL):
            told = many.background_at(rows, np.full(300, uid))
            assert told.tolist() == states.background_at(times, None if uid == NULL else uid).tolist()
    until = np.array([50_000_000_000, 86_400_000_000, 86_400_000_000])
    locked, unlocked = many.lock_seconds(device, 0, until)
    for k, name in enumerate(("phone-01", "phone-02")):
        assert np.allclose((locked[k], unlocked[k]), each[name].lock_seconds((0, int(until[k]))))
    assert (locked[2], unlocked[2]) == (0, 0)


@given(cuts=st.lists(st.integers(0, 1000), min_size=1, max_size=9, unique=True), end=st.integers(0, 1000))
def test_lock_seconds_add_up_to_what_is_known(cuts, end):
    cuts = sorted(cuts)
    flags = np.arange(len(cuts)) % 2
    plain = np.zeros(len(cuts), np.int64)
    states = FleetStates(Codes(plain, ["a"]), np.array(cuts) * 1_000_000, plain, flags, plain, plain)
    locked, unlocked = states.lock_seconds(np.zeros(1, np.int64), 0, np.array([end * 1_000_000]))
    assert locked[0] + unlocked[0] == max(end - cuts[0], 0)
