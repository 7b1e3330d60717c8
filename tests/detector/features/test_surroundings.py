"""State, naming, DNS, role and prevalence features: known extremes, order, and unknown kept apart from nought."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.background_use import background_use
from detector.features.contact_rate import contact_rate
from detector.features.dns_tunnel import dns_tunnel
from detector.features.evidence import evidence
from detector.features.lock_independence import lock_independence
from detector.features.lock_preference import lock_preference
from detector.features.name_anomaly import name_anomaly
from detector.features.name_entropy import name_entropy
from detector.features.prevalence import prevalence
from detector.features.protocol_role import protocol_role
from detector.features.stack_first_use import solitary, stack_first_use

NAN = float("nan")


def row(*values):
    return [np.array([value], np.float64) for value in values]


@given(locked=st.integers(0, 500), unlocked=st.integers(0, 500))
def test_independence_ignores_which_state_is_which(locked, unlocked):
    (one,), (other,) = (lock_independence(*row(*who, 4e4, 4e4)) for who in ((locked, unlocked), (unlocked, locked)))
    assert one == pytest.approx(other, nan_ok=True)
    assert np.isnan(one) or 0 <= one <= 1


def test_lock_features_separate_timers_people_and_hiders():
    timer, person, hider = (80, 20), (2, 98), (100, 0)
    states = [np.array(side, float) for side in zip(timer, person, hider, strict=True)]
    spent = (np.full(3, 80_000.0), np.full(3, 20_000.0))
    assert lock_independence(*states, *spent) == pytest.approx([1.0, 0.0051, 0.0], abs=1e-3)
    assert lock_preference(*states, *spent)[[0, 2]].tolist() == [0.5, 1.0]
    use = background_use(lock_independence(*states, *spent), np.full(3, 0.9), lock_preference(*states, *spent))
    assert use[1] < 0.1 < 0.7 < min(use[0], use[2])


@pytest.mark.parametrize("feature", [lock_independence, lock_preference])
def test_a_lock_state_hardly_seen_is_unknown(feature):
    assert np.isnan(feature(*row(50, 0, 80_000, 300)))
    assert np.isnan(feature(*row(5, 0, 80_000, 10_000)))


def test_name_anomaly_takes_the_worst_known_fact():
    facts = np.array([[NAN] * 5, [NAN, 1, NAN, NAN, NAN], [1, 1, 1, NAN, 0.2], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0.3]])
    found = name_anomaly(*facts.T)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0.5, 0.9, 1.0, 0.3]


@pytest.mark.parametrize("label", ["google", "connectivitycheck", "microsoftonline", "weather-service", "bbc"])
def test_names_people_chose_are_not_random(label):
    assert name_entropy(label) == 0


def test_random_letters_are(rng):
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789"))
    assert np.mean([name_entropy("".join(rng.choice(letters, 16))) for _ in range(100)]) > 0.3


@given(n=st.integers(10, 60), length=st.integers(1, 60))
def test_dns_tunnel_rises_with_label_length_and_odd_types(n, length):
    every, lengths = np.array([0, n]), np.full(n, length)
    plain, odd = (dns_tunnel(np.arange(n), lengths, np.full(n, flag), every)[0] for flag in (False, True))
    assert 0 <= plain <= odd <= 1


def test_the_same_names_again_are_no_tunnel():
    odd = np.ones(109, np.bool_)
    name = np.append(np.tile([1, 2], 50), np.full(9, 3))
    found = dns_tunnel(name, np.full(109, 60), odd, np.array([0, 100, 109]))
    assert found[0] == 0
    assert np.isnan(found[1])


@given(of=st.integers(1, 1000), apps=st.integers(0, 20))
def test_prevalence_grows_with_others(of, apps):
    scores = prevalence(np.arange(of + 1.0), of, np.full(of + 1, float(apps))).tolist()
    assert scores == sorted(scores)
    assert 0 <= scores[0] <= scores[-1] < 1


def test_two_other_phones_prove_little_a_fleet_much():
    assert prevalence(*row(2), 2, *row(NAN))[0] < 0.1
    assert prevalence(*row(900), 1000, *row(NAN))[0] > 0.8


def test_evidence_grows_towards_one():
    grown = evidence(np.arange(200.0))
    assert (np.diff(grown) > 0).all()
    assert grown[0] == 0
    assert grown[-1] > 0.999


def test_a_protocol_nobody_expects_counts_by_its_share():
    assert protocol_role(np.array([0, 0]), np.array([1.0, 0.0]), 2).tolist() == pytest.approx([0.5, NAN], nan_ok=True)


def test_an_unknown_category_has_no_rate():
    assert np.isnan(contact_rate(np.array([NAN])))[0]


def test_a_stack_of_its_own_is_told_from_the_stack_of_the_app():
    app, ja4, whom = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, -1]), np.array([5, 6, 7, 7, 8])
    alone, known = solitary(app, ja4, whom)
    assert alone[known].tolist() == [False, False, True]
    assert known.tolist() == [True, True, True, False, False], (
        "app 1 has one destination with a JA4: nothing to compare"
    )
    assert stack_first_use(alone, known, np.array([0, 2, 3, 5])).tolist() == pytest.approx([0, 1, NAN], nan_ok=True)
