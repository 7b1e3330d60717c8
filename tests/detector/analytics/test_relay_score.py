"""The score: between 0 and 1, rising with each factor, silent where a gate is shut, and never zero for unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.relay_score import scores
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
FACTORS = ("bridge_correlation", "pairing_lift", "byte_conservation", "size_agreement", "bounded_difference")
CONTEXT = ("fan_out", "stack_diversity", "setup_evidence", "concurrency", "unattended_share", "novelty")
SURE = dict.fromkeys((*FACTORS, *CONTEXT, "sustained"), 1.0) | {"nats": 90.0, "expected_by_chance": 0.0}
SURE |= {"streams": 40.0, "destinations": 20.0, "anew": float("nan")}


def score(**changed):
    return float(scores({name: np.array([value]) for name, value in (SURE | changed).items()}, LIMITS)[0])


def test_a_sure_relay_scores_one():
    assert score() == pytest.approx(1)


@pytest.mark.parametrize("name", ["byte_conservation", "sustained", "nats"])
def test_no_bridge_without_conservation_time_or_evidence(name):
    assert score(**{name: 0.0}) < LIMITS.threshold / 2


def test_no_bridge_without_timing():
    assert score(bridge_correlation=0.0, pairing_lift=0.0) < LIMITS.threshold / 2
    assert score(bridge_correlation=0.0, pairing_lift=1.0, expected_by_chance=40.0) < LIMITS.threshold / 2


@given(st.sampled_from((*FACTORS, *CONTEXT, "sustained")), st.floats(0, 1), st.floats(0, 1))
def test_more_of_a_factor_never_scores_less(name, one, other):
    low, high = sorted((one, other))
    assert score(**{name: low}) <= score(**{name: high}) + 1e-12


@pytest.mark.parametrize("name", [*FACTORS, *CONTEXT])
def test_unknown_is_no_zero_and_no_more_than_sure(name):
    assert score(**{name: 0.0}) <= score(**{name: float("nan")}) <= score() + 1e-12


def test_few_streams_and_one_destination_score_nothing_unless_set_up_was_seen():
    assert score(streams=LIMITS.fewest_streams - 1.0) == 0
    assert score(destinations=1.0, setup_evidence=0.0) == score(destinations=1.0, setup_evidence=float("nan")) == 0
    assert score(destinations=1.0, setup_evidence=0.5) > 0


def test_foreground_counts_only_if_required():
    free = replace(LIMITS, foreground_state_required=False)
    columns = {name: np.array([value]) for name, value in (SURE | {"unattended_share": 0.0}).items()}
    assert scores(columns, free)[0] == pytest.approx(1)
    assert scores(columns, LIMITS)[0] == pytest.approx(LIMITS.attended_floor)


def test_what_it_always_did_is_no_news_wherever_it_goes():
    assert score(anew=0.0) == score(anew=0.0, novelty=0.0) == pytest.approx(LIMITS.known_floor)


def test_what_it_never_did_is_news_wherever_it_goes():
    assert score(anew=1.0, novelty=0.0) == score(anew=1.0, novelty=float("nan")) == pytest.approx(1)
    assert score(novelty=0.0) == pytest.approx(LIMITS.known_floor), "control: nobody knows what it did"


def test_a_user_excuses_half_of_what_the_app_never_did_before():
    attended = score(unattended_share=0.0)
    assert attended < score(unattended_share=0.0, anew=1.0) == pytest.approx((1 + LIMITS.attended_floor) / 2)
    assert score(unattended_share=0.0, anew=0.0) == pytest.approx(attended * LIMITS.known_floor)
    assert score(unattended_share=0.8, anew=1.0) > score(unattended_share=0.0, anew=1.0)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_newer_the_higher(one, other, used):
    low, high = sorted((one, other))
    assert score(anew=low, unattended_share=used) <= score(anew=high, unattended_share=used) + 1e-12
