"""The arithmetic of the score: weights, relief, and that no factor can lower what it should raise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.polling_evidence import survey
from detector.analytics.polling_score import TIMING, effective_weights, judge, weighted_mean
from detector.contacts import Merging, flow_contacts, outbound_rows
from detector.inventory import Installed
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
share = st.one_of(st.none(), st.floats(0, 1))
factors = st.fixed_dictionaries(dict.fromkeys(LIMITS.weights, share))


@given(values=factors)
def test_the_mean_stays_within_its_known_factors(values):
    known = [value for value in values.values() if value is not None]
    score = weighted_mean(values, effective_weights(values, LIMITS.weights))
    assert score == 0 if not known else min(known) - 1e-9 <= score <= max(known) + 1e-9


@given(values=factors, name=st.sampled_from(sorted(LIMITS.weights)), more=st.floats(0, 1))
def test_no_known_factor_lowers_the_score_by_rising(values, name, more):
    if values[name] is None:
        return
    raised = {**values, name: max(values[name], more)}
    before, after = (weighted_mean(each, effective_weights(each, LIMITS.weights)) for each in (values, raised))
    assert after >= before - 1e-9


def test_unknown_state_hands_its_weight_to_timing_only():
    values = dict.fromkeys(LIMITS.weights, 1.0) | {"background_use": None}
    weights = effective_weights(values, LIMITS.weights)
    assert sum(weights.values()) == pytest.approx(1)
    assert {name for name in weights if weights[name] > LIMITS.weights[name]} == set(TIMING)


def judged(made, app=None, limits=LIMITS):
    known = survey(made.telemetry())
    rows = outbound_rows(known.flows, None, frozenset())
    (contacts,) = flow_contacts(known.flows, rows, None, Merging((2.0,), 6))
    return judge(contacts, app, known, limits)


def test_equal_sizes_all_day_at_random_moments_stay_below_the_threshold(made, rng):
    made.polls(np.sort(rng.uniform(0, 86_000, 300)), up=200, down=150)
    found = judged(made)
    assert found.factors["size_constancy"] > 0.95
    assert found.factors["hour_coverage"] > 0.95
    assert found.score < LIMITS.threshold


def test_a_role_relieves_exactly_what_the_file_says(made):
    made.polls(300.0 * np.arange(200))
    mail = Installed("com.example.mail", "mail", sanctioned=False, roles=frozenset())
    assert judged(made, mail).score == pytest.approx(judged(made).score * (1 - LIMITS.role_relief))


def test_a_role_says_more_than_a_category(made):
    made.polls(300.0 * np.arange(200))
    plain = judged(made).score
    messenger = Installed("com.example.chat", "communication", sanctioned=False, roles=frozenset({"messenger"}))
    browser = dataclasses.replace(messenger, roles=frozenset({"browser"}))
    assert judged(made, messenger).score == pytest.approx(plain * (1 - LIMITS.role_relief))
    assert judged(made, browser).score == pytest.approx(plain)


@pytest.mark.parametrize(("setting", "value"), [("app_state", "any"), ("device_lock_state", "any")])
def test_a_state_set_to_any_is_left_out(made, setting, value):
    made.state(0, locked=True)
    made.state(43_000, locked=False, foreground=5)
    made.polls(300.0 * np.arange(280), uid=10_001)
    with_state = judged(made)
    without = judged(made, limits=dataclasses.replace(LIMITS, **{setting: value}))
    name = "background_share" if setting == "app_state" else "lock_independence"
    assert with_state.state[name] is not None
    assert without.state[name] is None
