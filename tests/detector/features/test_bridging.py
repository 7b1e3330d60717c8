"""The relay features: each between 0 and 1, and each told apart from what only looks alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.baseline import Deviation
from detector.features.baseline_deviation import KNOWN
from detector.features.bounded_difference import bounded_difference
from detector.features.bridged_anew import bridged_anew, vouched_anew
from detector.features.byte_conservation import FACTOR, byte_conservation
from detector.features.coincidence import coincidence
from detector.features.concurrency import concurrency
from detector.features.fan_out import fan_out, known_relief, newness, unrelated
from detector.features.pairing_lift import pairing_lift
from detector.features.setup_evidence import setup_evidence
from detector.features.size_agreement import size_agreement
from detector.features.stack_diversity import stack_diversity
from detector.features.unattended_share import unattended_share

amount = st.integers(1, 10**9)
share = st.floats(0, 1)


def one(*values):
    return [np.array([float(value)]) for value in values]


@given(amount, amount, amount, amount)
def test_conservation_is_a_share(a, b, c, d):
    (kept,) = byte_conservation(*one(a, b, c, d))
    assert 0 <= kept <= 1


@given(st.integers(1000, 10**6), st.integers(1000, 10**6), st.floats(1 / FACTOR + 0.01, FACTOR - 0.01))
def test_one_factor_for_both_ways_conserves_whatever_it_is(into, out, factor):
    (kept,) = byte_conservation(*one(factor * out, factor * into, into, out))
    assert kept == pytest.approx(1)


@pytest.mark.parametrize(
    "sums",
    [
        (300, 40, 50_000, 800),  # push: little in, nothing back
        (1e6, 1e6, 1e5, 5e3),  # a call beside browsing
        (5e4, 2e3, 9e5, 4e4),  # two sites of a browser
    ],
)
def test_what_is_not_conserved_is_told_apart(sums):
    assert byte_conservation(*one(*sums))[0] < 0.35


def test_nothing_is_conserved_where_nothing_was_carried():
    assert byte_conservation(*one(0, 5, 5, 5))[0] == 0


@given(st.integers(0, 200), st.floats(0, 1), st.floats(0, 1))
def test_lift_is_a_share_and_nought_at_chance(streams, paired, chance):
    n = float(streams)
    (lift,) = pairing_lift(*one(n * paired, n * chance, n))
    assert np.isnan(lift) == (streams == 0)
    assert streams == 0 or 0 <= lift <= 1
    assert streams == 0 or paired > chance or lift == 0


@given(st.integers(1, 200), share, share)
def test_more_streams_of_the_same_kind_are_more_evidence(streams, paired, chance):
    few, many = (coincidence(*one(n * paired, n * chance, n))[0] for n in (streams, 20 * streams))
    assert many >= few - 1e-9 or paired <= chance + 1 / streams


def test_chance_is_no_evidence():
    assert coincidence(*one(30, 30, 60))[0] == 0
    assert coincidence(*one(0, 0, 0))[0] == 0


@given(share, share)
def test_agreement_and_difference_are_shares(a, b):
    assert 0 <= size_agreement(*one(a, b))[0] <= 1
    assert 0 <= bounded_difference(*one(a, b))[0] <= 1
    assert size_agreement(*one(a, a))[0] == pytest.approx(0, abs=1e-9) or a == 1


def test_unknown_agreement_stays_unknown():
    assert np.isnan(size_agreement(*one(np.nan, 0.1))[0])
    assert np.isnan(size_agreement(*one(0.9, np.nan))[0])


@given(st.integers(0, 300))
def test_counts_score_no_less_when_larger(k):
    for feature in (fan_out, concurrency):
        assert 0 <= feature(*one(k))[0] <= feature(*one(k + 1))[0] <= 1
    assert np.isnan(stack_diversity(*one(0))[0])
    assert k == 0 or stack_diversity(*one(k))[0] <= stack_diversity(*one(k + 1))[0] <= 1


def test_known_destinations_are_related():
    nothing = float("nan")
    assert strange(0, nothing, nothing) == 1
    assert KNOWN < strange(2, nothing, nothing) < strange(1, nothing, nothing) < 1
    assert strange(0, 1, 1e9) == pytest.approx(0, abs=1e-6)
    assert known_relief(newness(*one(0.7)), 0.2)[0] == pytest.approx(0.2 + 0.8 * 0.675)


def strange(own_days, app_share, app_devices, category_share=float("nan"), category_apps=0.0):
    """How unrelated one destination is."""
    unknown = [np.full(1, np.nan)] * 2
    told = one(own_days, app_share, app_devices, category_share)
    return unrelated(Deviation(*told, *unknown, category_apps=one(category_apps)[0]))[0]


@given(st.integers(0, 60), share, st.integers(1, 500), st.integers(1, 500))
def test_what_a_device_did_itself_never_explains_as_much_as_many_others(days, part, few, more):
    assert strange(days, float("nan"), float("nan")) >= KNOWN, "an implant that was there goes on counting"
    assert strange(60, float("nan"), float("nan")) > strange(0, 1, 19)
    assert strange(days, part, few + more) <= strange(days, part, few) + 1e-12, "more devices vouch for no less"
    assert strange(0, 1, 1) > 0.5, "one other device is not everybody"
    assert strange(0, float("nan"), float("nan"), 1, 1) > 0.5 > strange(0, float("nan"), float("nan"), 1, 19)


@given(share, share, st.integers(0, 300))
def test_a_past_of_the_device_alone_lowers_and_never_blinds(own, now, many):
    here, there = one(own), one(np.nan)
    alone = vouched_anew(*here, *there, *one(0.0), *one(now))[0]
    assert KNOWN <= alone <= 1
    assert vouched_anew(*here, *one(0.0), *one(float(many)), *one(now))[0] == alone, (
        "who does not relay vouches for none"
    )
    fewer, more = (vouched_anew(*here, *one(own), *one(float(n)), *one(now))[0] for n in (many, many + 1))
    assert more <= fewer <= alone
    assert np.isnan(vouched_anew(*there, *there, *one(0.0), *one(now))[0])


@given(share, share, share)
def test_a_clearer_past_never_makes_a_bridge_newer_nor_a_clearer_bridge_older(past, now, more):
    new = bridged_anew(*one(past, now))[0]
    assert 0 <= new <= 1
    assert bridged_anew(*one(past + more, now))[0] <= new <= bridged_anew(*one(past, now + more))[0]
    assert now < 1e-6 or bridged_anew(*one(now, now))[0] == 0
    assert np.isnan(bridged_anew(*one(np.nan, now))[0])


def test_set_up_and_use_know_what_they_do_not_know():
    assert np.isnan(setup_evidence(*one(0, 0, np.nan))[0])
    assert setup_evidence(*one(0, 0, 1))[0] == 0.5
    assert setup_evidence(*one(0, 1, 0))[0] == 0.7
    assert np.isnan(unattended_share(*one(0, 0))[0])
