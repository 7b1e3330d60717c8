"""The moment of decision: the first at which it fires, by cutting and not by guessing."""

from __future__ import annotations

import pytest

from detector.analytics.relay_decided import decided, moments, of_app


def five(made, count=50):
    for k in range(count):
        made.flow(10 * k, lasts_s=1)
    return made.telemetry()


@pytest.mark.parametrize("wanted", [1, 5, 6, 17, 33, 50])
def test_the_first_moment_that_fires_is_found(made, wanted):
    telemetry = five(made)
    found = decided(telemetry, lambda then: then["flows"].num_rows >= wanted)
    assert found == moments(telemetry)[wanted - 1]


def test_what_never_fires_is_never_decided(made):
    assert decided(five(made), lambda _then: False) is None


def test_one_app_is_cut_out_with_what_its_device_tells(made):
    made.exchange(made.flow(0, uid=1), 0, 1, 1)
    made.exchange(made.flow(1, uid=2), 1, 1, 1)
    made.flow(2, uid=1, device="phone-02")
    made.state(0, locked=True)
    made.state(0, locked=True, device="phone-02")
    alone = of_app(made.telemetry(), ("phone-01", 1, None))
    assert [alone[name].num_rows for name in ("flows", "exchanges", "device_state")] == [1, 1, 1]
