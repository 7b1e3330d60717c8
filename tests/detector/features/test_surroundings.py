"""State, naming, DNS, role and prevalence features: known extremes, order, and unknown kept apart from nought."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.features.background_share import background_share
from detector.features.dns_tunnel import dns_tunnel
from detector.features.evidence import evidence
from detector.features.lock_independence import lock_independence
from detector.features.lock_preference import lock_preference
from detector.features.name_anomaly import Naming, name_anomaly
from detector.features.name_entropy import name_entropy
from detector.features.prevalence import prevalence
from detector.features.protocol_role import protocol_role


@given(locked=st.integers(0, 500), unlocked=st.integers(0, 500))
def test_independence_ignores_which_state_is_which(locked, unlocked):
    one = lock_independence(locked, unlocked, 40_000, 40_000)
    assert one == lock_independence(unlocked, locked, 40_000, 40_000)
    assert one is None or 0 <= one <= 1


def test_lock_features_separate_timers_people_and_hiders():
    timer, person, hider = (80, 20), (2, 98), (100, 0)
    scores = [lock_independence(*who, 80_000, 20_000) for who in (timer, person, hider)]
    assert scores == [1.0, pytest.approx(0.0051, abs=1e-3), 0.0]
    assert [lock_preference(*who, 80_000, 20_000) for who in (timer, hider)] == [0.5, 1.0]


@pytest.mark.parametrize("feature", [lock_independence, lock_preference])
def test_a_lock_state_hardly_seen_is_unknown(feature):
    assert feature(50, 0, 80_000, 300) is None
    assert feature(5, 0, 80_000, 10_000) is None


@given(flags=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30))
def test_background_share_counts_only_what_is_known(flags):
    background, known = (np.array([flag[k] for flag in flags], bool) for k in (0, 1))
    share = background_share(background, known)
    assert (share is None) == (not known.any())
    assert share is None or share == pytest.approx(np.mean(background[known]))


def test_name_anomaly_takes_the_worst_known_fact():
    assert name_anomaly(Naming(None, None, None, "")) is None
    assert name_anomaly(Naming(no_sni=None, never_resolved=True, other_name=None, label="")) == 0.5
    assert name_anomaly(Naming(no_sni=True, never_resolved=True, other_name=True, label="")) == 0.9


@pytest.mark.parametrize("label", ["google", "connectivitycheck", "microsoftonline", "weather-service", "bbc"])
def test_names_people_chose_are_not_random(label):
    assert name_entropy(label) == 0


def test_random_letters_are(rng):
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789"))
    assert np.mean([name_entropy("".join(rng.choice(letters, 16))) for _ in range(100)]) > 0.3


@given(n=st.integers(10, 60), length=st.integers(1, 60))
def test_dns_tunnel_rises_with_label_length_and_odd_types(n, length):
    names = [f"{k:0{length}d}" for k in range(n)]
    plain, odd = dns_tunnel(names, ["A"] * n), dns_tunnel(names, ["TXT"] * n)
    assert 0 <= plain <= odd <= 1


def test_the_same_names_again_are_no_tunnel():
    assert dns_tunnel(["www", "api"] * 50, ["TXT"] * 100) == 0
    assert dns_tunnel(["a" * 60] * 9, ["TXT"] * 9) is None


def test_roles_and_unknown_roles():
    assert protocol_role(["tls", "imap"], frozenset()) == 0.5
    assert protocol_role(["imap"], None) is None
    assert protocol_role([], frozenset()) is None


@given(of=st.integers(1, 1000), apps=st.integers(0, 20))
def test_prevalence_grows_with_others(of, apps):
    scores = [prevalence(k, of, apps) for k in range(of + 1)]
    assert scores == sorted(scores)
    assert 0 <= scores[0] <= scores[-1] < 1


def test_two_other_phones_prove_little_a_fleet_much():
    assert prevalence(2, 2, None) < 0.1
    assert prevalence(900, 1000, None) > 0.8


def test_evidence_grows_towards_one():
    grown = [evidence(n) for n in range(200)]
    assert grown == sorted(grown)
    assert grown[0] == 0
    assert grown[-1] > 0.999
