"""The gate of deviation: bounded, never certain of what it was not told, and higher for the stranger of two."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.baseline import Deviation
from detector.features.baseline_deviation import baseline_gate

SHARE = st.floats(0, 1)
UNKNOWN = st.just(math.nan)


def gate(own_days=math.nan, app_share=math.nan, app_devices=math.nan, fleet_share=math.nan, fleet_new=math.nan):
    values = (own_days, app_share, app_devices, math.nan, fleet_share, fleet_new)
    return float(baseline_gate(Deviation(*(np.array([float(value)]) for value in values)))[0])


@given(
    st.one_of(UNKNOWN, st.integers(0, 90)),
    st.one_of(UNKNOWN, SHARE),
    st.one_of(UNKNOWN, st.integers(0, 1000)),
    st.one_of(UNKNOWN, SHARE),
    st.one_of(UNKNOWN, st.sampled_from([0.0, 1.0])),
)
def test_it_lies_between_0_and_1_whatever_is_unknown(days, share, devices, fleet, new):
    assert 0 <= gate(days, share, devices, fleet, new) <= 1


@given(st.integers(0, 30), SHARE, SHARE, st.integers(1, 500), SHARE)
def test_the_more_others_go_there_the_lower_it_is(days, one, other, devices, fleet):
    low, high = sorted((one, other))
    assert gate(days, high, devices, fleet, 0) <= gate(days, low, devices, fleet, 0)
    assert gate(days, fleet, devices, high, 0) <= gate(days, fleet, devices, low, 0)


@given(st.integers(0, 30), SHARE, st.integers(1, 500))
def test_the_longer_the_app_went_there_the_lower_it_is_but_never_cleared(days, share, devices):
    assert gate(days + 1, share, devices, share, 0) <= gate(days, share, devices, share, 0)
    assert gate(days, 0, devices, 0, 0) >= 0.35


def test_facts_formula_is_its_limit_for_many_devices():
    expected = (1 - 0.1) ** 4 * (0.35 + 0.65) * (0.5 + 0.5 * ((2 - 1) / 2))
    assert math.isclose(gate(0, 0.1, 1e9, 0.01, 0), expected, rel_tol=1e-6)


def test_without_apps_it_is_rarity_times_newness():
    assert math.isclose(gate(0, fleet_share=0.01, fleet_new=0), 0.5)
    assert math.isclose(gate(60, fleet_share=0.01, fleet_new=0), 0.5 * 0.35)


def test_what_nobody_can_tell_is_neither_cleared_nor_certain():
    assert 0.2 < gate() < 0.8
