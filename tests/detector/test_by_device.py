"""One device of many: its rows and no other, in their order, as filtering each table would give them."""

from __future__ import annotations

import pyarrow.compute as pc

from detector.by_device import ByDevice
from detector.packed import packed
from tests.bench.detection.many_sessions import telemetry


def test_a_device_is_given_what_a_filter_gives():
    made = telemetry(20_000, 1)
    apart = ByDevice(packed(made), {"phone-00000", "phone-00002"})
    for device in ("phone-00000", "phone-00002"):
        found = apart.of(device)
        for name in ("flows", "device_state", "packages"):
            assert found[name].equals(made[name].filter(pc.equal(made[name]["device"], device)).combine_chunks()), name
            assert len(found[name])


def test_who_was_not_asked_for_has_nothing():
    apart = ByDevice(telemetry(20_000, 1), {"phone-00000"})
    assert not len(apart.of("phone-00001")["flows"])
    assert not len(apart.of("")["flows"])


def test_nobody_asked_for():
    assert not len(ByDevice(telemetry(100, 1), set()).of("phone-00000")["flows"])


def test_exchanges_follow_their_flows(made):
    for number, device in enumerate(("phone-01", "phone-02")):
        made.exchange(made.flow(number, device=device), number, 10 + number, 20)
    apart = ByDevice(made.telemetry(), {"phone-02"})
    assert apart.of("phone-02")["exchanges"]["bytes_up"].to_pylist() == [11]
    assert not len(apart.of("phone-01")["exchanges"])
