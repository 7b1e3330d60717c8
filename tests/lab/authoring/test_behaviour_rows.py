"""Rows of behaviours: faults with their place, ranges drawn inside their ends and of the setting's own type."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.authoring.behaviour_rows import behaviour_plan, drawn_plan, range_faults, row_faults

ROW = {"kind": "periodic-sync", "period": {"from": "10m", "to": "2h"}, "up": {"from": 300, "to": 900}, "flex": 0.2}


def test_a_row_becomes_a_plan():
    plan = behaviour_plan("periodic-sync", {"period": "10m", "up": 300}, "AN1793")
    assert (plan.kind, plan.behaviour.period, plan.behaviour.up, plan.label) == ("periodic-sync", 600.0, 300, "AN1793")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"kind": "periodic-sink"}, "row 1: unknown kind 'periodic-sink'; known are"),
        ({"kind": "periodic-sync", "perod": "5m"}, "row 1: unknown setting 'perod'; did you mean 'period'?"),
        ({"kind": "periodic-sync", "up": 5}, "row 1: up: found 5, expected from 100 to 100000 B"),
        ({"kind": "periodic-sync", "reach": "8.8.8.8"}, "row 1: reach: '8.8.8.8' is a routable destination"),
    ],
)
def test_a_fault_has_its_place(row, expected):
    assert any(expected in fault for fault in row_faults(row, "row 1"))
    assert any(expected in fault for fault in range_faults(row, "row 1"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"from": "5m", "to": "1m"}, "period: found from '5m' to '1m', expected from below to"),
        ({"from": "1m", "to": "900d"}, "period: found 77760000, expected from 5 to 604800 s"),
        ({"from": 1, "to": "5m"}, "period: found 1, expected a duration"),
        ({"from": "1m"}, "period: found {'from': '1m'}, expected a duration"),
        ({"from": True, "to": False}, "expected from and to as numbers or durations"),
    ],
)
def test_a_range_is_refused_at_either_end(value, expected):
    found = list(range_faults({"kind": "periodic-sync", "period": value}, "row 1"))
    assert any(expected in fault for fault in found), found


def test_a_good_range_is_none_in_a_scenario_and_no_fault_in_the_library():
    assert list(range_faults(ROW, "row 1")) == []
    assert list(row_faults(ROW, "row 1")) != []


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_ranges_are_drawn_inside_their_ends(seed):
    plan = drawn_plan(np.random.default_rng(seed), ROW)
    assert 600.0 <= plan.behaviour.period <= 7_200.0
    assert 300 <= plan.behaviour.up <= 900
    assert isinstance(plan.behaviour.up, int)
    assert plan.behaviour.flex == 0.2
    assert plan == drawn_plan(np.random.default_rng(seed), ROW)


def test_ranges_are_really_drawn():
    assert len({drawn_plan(np.random.default_rng(seed), ROW).behaviour.period for seed in range(20)}) == 20


def test_a_choice_is_one_of_its_values():
    row = {"kind": "periodic-sync", "method": {"of": ["GET", "POST"]}}
    assert list(range_faults(row, "row 1")) == []
    drawn = [drawn_plan(np.random.default_rng(seed), row).behaviour.method for seed in range(20)]
    assert set(drawn) == {"GET", "POST"}
    wrong = list(range_faults({"kind": "periodic-sync", "method": {"of": ["GET", "PUSH"]}}, "row 1"))
    assert any("row 1: method: found 'PUSH', expected one of auto, GET, POST" in fault for fault in wrong)
    assert list(range_faults({"kind": "periodic-sync", "method": {"of": []}}, "row 1"))
