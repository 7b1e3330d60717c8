from dataclasses import replace

import pytest

from detector.measures import Measured
from detector.parity import EXACT, INTERVALS, SIZES, TOLERANCES, compare, compared, differences

ONE = Measured(
    analytic="AN1793",
    device="phone-01",
    package="com.example.torch",
    peer="vendor.example",
    looked_up=False,
    addresses=("198.18.0.9",),
    protocols=("tls",),
    values={"gap_s_median": 60.0, "up_bytes_median": 900.0, "mode_share": 0.9, "name_anomaly": None},
    score=0.8,
    alert=True,
)


def changed(**values):
    return replace(ONE, values={**ONE.values, **values})


def test_the_same_is_within():
    (pair,) = compared([ONE], [ONE])
    assert pair.within
    assert [value.difference for value in pair.values] == [0.0, 0.0, 0.0, None]
    assert list(differences([pair])) == []


@pytest.mark.parametrize(
    ("feature", "value", "within"),
    [
        ("gap_s_median", 61.2, True),
        ("gap_s_median", 61.3, False),
        ("up_bytes_median", 1000.0, True),
        ("up_bytes_median", 1001.0, False),
        ("mode_share", 0.88, True),
        ("mode_share", 0.87, False),
        ("name_anomaly", 0.0, False),
    ],
)
def test_a_value_outside_its_tolerance_is_told(feature, value, within):
    (pair,) = compared([ONE], [changed(**{feature: value})])
    assert pair.within is within
    assert [found.feature for _, found in differences([pair])] == ([] if within else [feature])


def test_tolerances_are_those_that_were_asked_for():
    assert (INTERVALS, SIZES, EXACT) == (0.02, 0.10, 0.0)
    assert TOLERANCES["gap_s_median"] == TOLERANCES["interval_regularity"] == INTERVALS
    assert TOLERANCES["up_bytes_sum"] == TOLERANCES["size_constancy"] == SIZES
    with pytest.raises(LookupError):
        compare("of no known kind", 1.0, 1.0)


@pytest.mark.parametrize("count", ["stacks", "streams"])
def test_counts_are_exact(count):
    assert [other for other in range(10) if compare(count, 5, other).within] == [5]
    assert compare(count, 0, 0).within


def test_a_group_on_one_side_only_differs():
    (pair,) = compared([ONE], [])
    assert not pair.within
    assert not pair.same_verdict
    assert pair.shown is ONE
    assert list(differences([pair])) == [(pair, None)]
    (quiet,) = compared([], [replace(ONE, alert=False)])
    assert quiet.same_verdict
    assert not quiet.within


def test_another_verdict_differs_although_every_value_is_within():
    (pair,) = compared([ONE], [replace(ONE, score=0.59, alert=False)])
    assert pair.outside == ()
    assert not pair.within
    assert list(differences([pair])) == [(pair, None)]


@pytest.mark.parametrize(("apart", "same"), [(0.0009, True), (0.0011, False)])
def test_scores_that_are_one_have_one_verdict_wherever_the_threshold_lies(apart, same):
    (pair,) = compared([ONE], [replace(ONE, score=ONE.score - apart, alert=False)])
    assert pair.same_verdict is same
    assert pair.within is same


def test_a_value_only_one_side_has_differs_and_groups_are_matched_by_key():
    more = changed(task_mixture=0.0)
    other = replace(ONE, peer="other.example")
    first, second = compared([other, ONE], [more, other])
    assert (first.shown.peer, first.within) == ("other.example", True)
    assert [value.feature for value in second.outside] == ["task_mixture"]


def relay(window, **windows):
    """An app whose worst window began at that hour; ``windows``: bytes into it by hour."""
    judged = {int(hour[1:]): {"way_in_bytes": float(into)} for hour, into in windows.items()}
    return replace(ONE, analytic="AN1702", values={"granted": 3.0, **judged[window]}, window=window, windows=judged)


def test_windows_that_are_as_bad_as_each_other_are_compared_with_themselves():
    (pair,) = compared([relay(1, h1=900, h2=50)], [relay(2, h1=910, h2=50)])
    assert [(value.feature, value.one, value.other) for value in pair.values] == [
        ("granted", 3.0, 3.0),
        ("way_in_bytes", 900.0, 910.0),
    ]
    assert pair.within


def test_a_window_that_differs_or_is_on_one_side_only_is_outside():
    (pair,) = compared([relay(1, h1=900, h2=50)], [relay(2, h1=500, h2=50)])
    assert [value.feature for value in pair.outside] == ["way_in_bytes"]
    (pair,) = compared([relay(1, h1=900)], [relay(2, h2=900)])
    assert [(value.feature, value.one, value.other) for value in pair.outside] == [("way_in_bytes", 900.0, None)]


def test_who_has_no_window_on_one_side_knows_no_value_of_it():
    asked = replace(ONE, analytic="AN1702", values={"granted": 3.0})
    (pair,) = compared([asked], [relay(2, h2=900)])
    assert [(value.feature, value.one, value.other) for value in pair.outside] == [("way_in_bytes", None, 900.0)]
