"""The smallest change that would have fired, held against toy scores whose answer is known or can be tried out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detector.counterfactual import Limits, changes, together

UNIT = Limits(0.0, 1.0)
share = st.floats(0, 1, allow_subnormal=False)
NAMES = ("gate", "clock", "sizes")


def product(columns):
    return columns["gate"] * (0.5 * columns["clock"] + 0.5 * columns["sizes"])


def mean_of_known(columns):
    """A factor that is unknown takes its weight away."""
    parts = np.stack([columns[name] for name in NAMES])
    return np.nansum(parts, axis=0) / np.maximum((~np.isnan(parts)).sum(axis=0), 1)


def factors(*values):
    return dict(zip(NAMES, values, strict=True))


def test_the_smallest_change_of_a_product_is_the_one_worked_out_by_hand():
    found = changes(factors(0.5, 0.8, 0.8), product, 0.45, dict.fromkeys(NAMES, UNIT))
    assert [change.factor for change in found] == ["gate", "clock", "sizes"]
    assert found[0].after == pytest.approx(0.45 / 0.8)  # a change of 0.0625
    assert found[1].after == pytest.approx(1.0)  # of 0.2; and of equals the first
    assert found[0].before == 0.5
    assert found[0].size == pytest.approx(0.0625)


def test_what_fires_already_or_cannot_fire_has_no_counterfactual():
    assert changes(factors(1.0, 1.0, 1.0), product, 0.9, dict.fromkeys(NAMES, UNIT)) == []
    assert changes(factors(0.1, 0.1, 0.1), product, 0.9, dict.fromkeys(NAMES, UNIT)) == []


def test_only_factors_with_limits_are_changed():
    found = changes(factors(0.5, 0.8, 0.8), product, 0.45, {"clock": UNIT})
    assert [change.factor for change in found] == ["clock"]


@given(share, share, share, st.floats(0.01, 0.99))
def test_every_change_fires_and_no_smaller_one_does(gate, clock, sizes, threshold):
    given_ = factors(gate, clock, sizes)
    found = changes(given_, product, threshold, dict.fromkeys(NAMES, UNIT))
    before = product({name: np.array([value]) for name, value in given_.items()})[0]
    for change in found:
        assert before < threshold <= change.score
        nearer = change.before + (change.after - change.before) * np.linspace(0, 1 - 1e-6, 500)
        nearer = nearer[nearer != change.after]  # a step of few ulps has hardly a number in between
        tried = {name: np.full(len(nearer), value) for name, value in given_.items()} | {change.factor: nearer}
        assert (product(tried) < threshold).all()
        assert change.size == pytest.approx(abs(change.after - change.before))
    assert [change.size for change in found] == sorted(change.size for change in found)
    able = {
        name for name in NAMES if product({n: np.array([v]) for n, v in {**given_, name: 1.0}.items()})[0] >= threshold
    }
    assert {change.factor for change in found} == (able if before < threshold else set())


@given(st.floats(0.05, 0.95), st.floats(0.01, 0.04))
def test_a_hill_is_found_although_both_ends_are_low(top, width):
    def hill(columns):
        return np.exp(-(((columns["x"] - top) / width) ** 2))

    assume(hill({"x": np.array([0.0])})[0] < 0.5)
    (change,) = changes({"x": 0.0}, hill, 0.5, {"x": UNIT})
    assert change.after == pytest.approx(top - width * math.sqrt(math.log(2)), abs=1e-9)


def test_the_nearer_of_two_directions_counts():
    def valley(columns):
        return np.abs(columns["x"] - 0.4)

    (change,) = changes({"x": 0.45}, valley, 0.2, {"x": UNIT})
    assert change.after == pytest.approx(0.6)
    assert change.size == pytest.approx(0.15)


@given(st.integers(1, 900), st.integers(2, 1000))
def test_whole_factors_stay_whole_and_smallest(have, need):
    assume(have < need)

    def enough(columns):
        return 1.0 * (columns["n"] >= need)

    (change,) = changes({"n": float(have)}, enough, 1.0, {"n": Limits(1, 1000, log=True, whole=True)})
    assert change.after == need
    assert change.size == pytest.approx(math.log(need / have) / math.log(1000))


@given(st.integers(2, 1000), st.integers(1, 999))
def test_whole_factors_fall_to_the_largest_that_fires(have, need):
    assume(have > need)
    (change,) = changes({"n": float(have)}, lambda c: 1.0 * (c["n"] <= need), 1.0, {"n": Limits(1, 1000, whole=True)})
    assert change.after == need


def test_to_learn_the_unknown_counts_as_more_than_any_change_of_the_known():
    found = changes(factors(math.nan, 0.1, 0.7), mean_of_known, 0.5, dict.fromkeys(NAMES, UNIT))
    assert [(change.factor, change.before) for change in found] == [("clock", 0.1), ("sizes", 0.7), ("gate", None)]
    assert found[0].after == pytest.approx(0.3)
    assert found[2].after == pytest.approx(0.7)
    assert found[2].size == pytest.approx(1.7)


def test_an_unknown_factor_starts_where_it_is_told():
    given_ = factors(math.nan, 0.4, 0.4)

    def careful(columns):
        return product({**columns, "gate": np.where(np.isnan(columns["gate"]), 0.5, columns["gate"])})

    (change,) = changes(given_, careful, 0.3, {"gate": Limits(0, 1, start=0.5)})
    assert change.after == pytest.approx(0.75)
    assert change.size == pytest.approx(1.25)


def test_a_value_beyond_its_limits_only_moves_into_them():
    found = changes({"x": 5.0}, lambda c: 1 - c["x"], 0.5, {"x": Limits(0.0, 4.0)})
    assert [change.after for change in found] == [pytest.approx(0.5)]
    assert changes({"x": 5.0}, lambda c: c["x"], 6.0, {"x": Limits(0.0, 4.0)}) == []


@pytest.mark.parametrize(("low", "high", "log"), [(1, 1, False), (2, 1, False), (0, 1, True), (math.nan, 1, False)])
def test_limits_that_are_none_are_refused(low, high, log):
    with pytest.raises(ValueError, match="expected two numbers"):
        Limits(low, high, log=log)


@given(share, share, share, st.floats(0.01, 0.99))
def test_together_always_fires_where_anything_can_and_spares_what_it_can(gate, clock, sizes, threshold):
    given_ = factors(gate, clock, sizes)
    limits = dict.fromkeys(NAMES, UNIT)
    found = together(given_, product, threshold, limits)

    def score(values):
        return product({name: np.array([value]) for name, value in values.items()})[0]

    if score(given_) >= threshold:
        assert found == []
        return
    moved = given_ | {change.factor: change.after for change in found}
    assert score(moved) >= threshold
    for change in found:
        assert score(moved | {change.factor: change.before}) < threshold
        assert change.score == score(moved)


def test_together_climbs_out_of_a_plateau():
    """No single change of a product of two zeros does anything."""
    given_ = factors(0.0, 0.0, 0.0)
    assert changes(given_, product, 0.4, dict.fromkeys(NAMES, UNIT)) == []
    found = together(given_, product, 0.4, dict.fromkeys(NAMES, UNIT))
    assert [change.factor for change in found][-1:] != []
    assert {"gate"} < {change.factor for change in found}
    assert together(given_, product, 1.1, dict.fromkeys(NAMES, UNIT)) == []


def test_together_knows_what_helps_by_falling_and_what_was_unknown():
    def score(columns):
        return (1 - columns["a"]) * np.nan_to_num(columns["b"])

    found = together({"a": 1.0, "b": math.nan}, score, 0.5, {"a": UNIT, "b": UNIT})
    assert {change.factor: change.before for change in found} == {"a": 1.0, "b": None}
    moved = {change.factor: np.array([change.after]) for change in found}
    assert score(moved)[0] >= 0.5
