"""The arithmetic of the score: weights, gate, relief, and that no factor can lower what it should raise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.command_polling import measured, scores
from detector.analytics.polling_score import (
    TIMING,
    applied_gate,
    effective_weights,
    scored,
    stretched,
    weighted_mean,
)
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
NAN = float("nan")
FACTORS = sorted({*LIMITS.product_weights, *LIMITS.points_weights, *LIMITS.anomaly_lift})
PAST = ("elsewhere", "surge", "own_places", "succession")
AROUND = ("known_domain", "gate", "prevalence", "fleet", "contacts", "explained", "baseline", *PAST)
share = st.one_of(st.just(NAN), st.floats(0, 1))
factors = st.fixed_dictionaries(
    {
        **dict.fromkeys((*FACTORS, *PAST), share),
        "known_domain": st.floats(0, 1),
        "gate": st.floats(0, 1),
        "prevalence": share,
        "fleet": st.integers(0, 1000),
        "contacts": st.integers(6, 1000),
        "explained": st.sampled_from([NAN, 0.0, 1.0]),
        "baseline": st.sampled_from([0.0, 1.0]),
    }
)


def columns(values):
    return {name: np.array([value], np.float64) for name, value in values.items()}


def mean(values):
    one = columns(values)
    return float(weighted_mean(one, effective_weights(one, LIMITS.product_weights))[0])


@given(values=factors)
def test_the_mean_stays_within_its_known_factors(values):
    known = [values[name] for name in LIMITS.product_weights if not np.isnan(values[name])]
    assert mean(values) == 0 if not known else min(known) - 1e-9 <= mean(values) <= max(known) + 1e-9


@given(values=factors, name=st.sampled_from(FACTORS), more=st.floats(0, 1))
def test_no_known_factor_lowers_the_score_by_rising(values, name, more):
    if np.isnan(values[name]):
        return
    raised = {**values, name: max(values[name], more)}
    before, after = (scores(columns(each), LIMITS)[0] for each in (values, raised))
    assert 0 <= before <= after + 1e-9 <= 1 + 1e-9


@given(values=factors, more=st.floats(0, 1))
def test_a_wider_gate_and_more_contacts_never_lower_the_score(values, more):
    wider = {**values, "gate": max(values["gate"], more), "contacts": values["contacts"] + int(100 * more)}
    assert scores(columns(wider), LIMITS)[0] >= scores(columns(values), LIMITS)[0] - 1e-9


@given(rows=st.lists(factors, min_size=2, max_size=5))
def test_rows_do_not_depend_on_each_other(rows):
    together = {name: np.array([row[name] for row in rows], np.float64) for name in rows[0]}
    apart = [scores(columns(row), LIMITS)[0] for row in rows]
    assert scores(together, LIMITS) == pytest.approx(apart, rel=1e-12)


def test_unknown_state_hands_its_weight_to_timing_only():
    values = dict.fromkeys(LIMITS.product_weights, 1.0) | {"background_use": NAN}
    weights = {name: weight[0] for name, weight in effective_weights(columns(values), LIMITS.product_weights).items()}
    assert sum(weights.values()) == pytest.approx(1)
    assert {name for name in weights if weights[name] > LIMITS.product_weights[name]} == set(TIMING)


@given(values=factors)
def test_what_everybody_does_never_alerts_once_it_was_learned(values):
    assert scores(columns({**values, "baseline": 1.0, "gate": 0.0, "surge": 0.0}), LIMITS)[0] < LIMITS.threshold


@given(values=factors, less=st.floats(0, 1))
def test_a_past_only_pardons_what_it_explains(values, less):
    values = {**values, "baseline": 1.0}
    before = scores(columns(values), LIMITS)[0]
    for name, by in (("surge", 1 - less), ("own_places", 1 - less), ("succession", less)):
        if not np.isnan(values[name]):
            milder = max(values[name], by) if name == "succession" else min(values[name], by)
            assert scores(columns({**values, name: milder}), LIMITS)[0] <= before + 1e-9


@pytest.mark.parametrize(("fleet", "gate", "least", "most"), [(0, 0.3, 1, 1), (1000, 0, 0, 0.05), (1000, 0.675, 1, 1)])
def test_without_a_baseline_a_fleet_is_asked_as_far_as_it_reaches(fleet, gate, least, most):
    around = dict.fromkeys(PAST, NAN) | {"known_domain": 0.0}
    one = {"gate": gate, "fleet": fleet, "prevalence": NAN, "baseline": 0.0, **around}
    assert least - 1e-9 <= applied_gate(columns(one), LIMITS)[0] <= most + 1e-9


@given(value=st.floats(0, 1), own=st.floats(0.001, 1), shared=st.floats(0.1, 0.9))
def test_a_stretched_score_reaches_the_shared_threshold_with_its_own(value, own, shared):
    found = stretched(np.array([value]), np.array([own]), shared)[0]
    assert 0 <= found <= 1
    assert (found >= shared) == (value >= own)


def judged(made, limits=LIMITS):
    found = measured(made.telemetry(), limits)
    assert len(found) == 1
    return {name: column[0] for name, column in found.columns.items()}, scored(found.columns, limits)


def test_equal_sizes_all_day_at_random_moments_stay_below_the_threshold(made, rng):
    made.polls(np.sort(rng.uniform(0, 86_000, 300)), up=200, down=150)
    factors, found = judged(made)
    assert factors["size_constancy"] > 0.95
    assert factors["hour_coverage"] > 0.94
    assert found.score < LIMITS.threshold


@pytest.mark.parametrize(("roles", "relieved"), [((), True), (("messenger",), True), (("browser",), False)])
def test_a_role_relieves_what_the_file_says_and_says_more_than_a_category(made, roles, relieved):
    made.polls(300.0 * np.arange(200), uid=10_001)
    _, plain = judged(made)
    made.app(10_001, "com.example.chat", "communication", roles=roles)
    _, found = judged(made)
    assert found.relief[0] == (LIMITS.role_relief["no_baseline"] if relieved else 0)
    assert found.product[0] == pytest.approx(plain.product[0] * (1 - found.relief[0]))


@pytest.mark.parametrize(("setting", "value"), [("app_state", "any"), ("device_lock_state", "any")])
def test_a_state_set_to_any_is_left_out(made, setting, value):
    made.state(0, locked=True)
    made.state(43_000, locked=False, foreground=5)
    made.polls(300.0 * np.arange(280), uid=10_001)
    with_state, _ = judged(made)
    without, _ = judged(made, limits=dataclasses.replace(LIMITS, **{setting: value}))
    name = "background_share" if setting == "app_state" else "lock_independence"
    assert not np.isnan(with_state[name])
    assert np.isnan(without[name])
