"""What is usual of an app or category: vouched for by several devices, unknown where it cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from detector.learned.combined import combined
from detector.learned.gathering import gathered
from detector.learned.usual import FEWEST_PAIRS, rates_of, usual_of

# two names whose hashed bits differ
PHONES = ("phone-01", "phone-02", "phone-03")


@pytest.fixture
def fleet(made):
    """Three phones whose mail apps speak IMAP; one of them speaks SSH to port 2222, too."""
    for device in PHONES:
        for k in range(10):
            made.flow(3600 * (8 + k % 2), device=device, package="mail", app_proto="imap", up=1000, down=64_000)
    made.flow(3, device="phone-01", package="mail", app_proto="ssh", server_port=2222)
    made.flow(4, device="phone-01", package="lonely", app_proto="ssh")
    made.app(1, "mail", "mail")
    made.app(2, "lonely", "tools")
    return combined([gathered(made.telemetry())])


def test_several_devices_make_a_thing_usual_one_does_not(fleet):
    usual = usual_of(fleet, package=None, category="mail")
    assert usual.protocols == {"imap"}
    assert usual.ports == {443}
    assert usual_of(fleet, package="mail", category=None).protocols == {"imap"}


def test_hours_and_sizes_are_those_of_the_flows(fleet):
    usual = usual_of(fleet, package="mail", category=None)
    assert usual.flows == 31
    assert usual.hours[[8, 9]] == pytest.approx([15 / 31, 15 / 31])
    assert usual.hours.sum() == pytest.approx(1)
    assert 1000 / np.sqrt(2) < usual.up[2] <= 1000
    assert usual.down[2] == 2.0 ** (np.floor(2 * np.log2(64_000)) / 2)


@pytest.mark.parametrize(
    "asked", [{"category": "tools"}, {"category": "nonesuch"}, {"package": "lonely"}, {"package": "x"}]
)
def test_what_fewer_than_two_devices_have_is_unknown(fleet, asked):
    assert usual_of(fleet, **{"package": None, "category": None, **asked}) is None


def test_a_rate_far_above_the_category_stands_out_even_beside_implants(made):
    for pair in range(20):
        for k in range(8 + pair % 4):
            made.flow(3600 * k, device=f"phone-{pair}", package="app", name=f"d{pair}.example")
    for k in range(288):  # an implant in the learning period: one of 21, which moves no median
        made.flow(300 * k, device="phone-0", package="app", name="implant.example")
    made.app(1, "app", "tools")
    rates = rates_of(combined([gathered(made.telemetry())]))
    usual, often, never = rates.z(np.zeros(3, np.int64), np.array([10.0, 288.0, 0.0]))
    assert abs(usual) < 1
    assert often > 8
    assert never == -np.inf


def test_rates_of_few_pairs_and_of_unknown_categories_are_unknown(made):
    for pair in range(FEWEST_PAIRS - 1):
        made.flow(60 * pair, package="app", name=f"d{pair}.example")
    made.app(1, "app", "tools")
    rates = rates_of(combined([gathered(made.telemetry())]))
    assert np.isnan(rates.z(np.array([0, -1, -2]), np.full(3, 5.0))).all()
