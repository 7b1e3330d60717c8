"""Policy: a role excuses the ways of relaying it explains, and severity grows with what was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.relay_policy import Circumstances, Shape, allowed_score, excuse, severity
from detector.inventory import Installed
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().relay
MANY = 20


def app(*roles):
    return Installed("com.example.torch", "tools", sanctioned=True, roles=frozenset(roles))


@pytest.mark.parametrize(
    ("role", "shape", "excused"),
    [
        ("relay", Shape("dialled", MANY), True),
        ("relay", Shape("far", MANY), True),
        ("tethering", Shape("nearby", MANY), True),
        ("tethering", Shape("far", MANY), False),
        ("tethering", Shape("dialled", 1), False),
        ("casting", Shape("nearby", 1), True),
        ("casting", Shape("nearby", MANY), False),
        ("remote_access", Shape("dialled", 1), True),
        ("remote_access", Shape("far", MANY), False),
        ("vpn", Shape("dialled", MANY), False),
        ("vpn", Shape("dialled", MANY, requested=0.2), False),
        ("vpn", Shape("dialled", MANY, requested=0.9), True),
        ("browser", Shape("dialled", 1), False),
    ],
)
def test_a_role_excuses_what_it_explains(role, shape, excused):
    why = excuse(app(role), [shape], LIMITS, known=False)
    assert (why is not None) is excused
    assert why is None or role in why


def test_every_way_in_must_be_explained_and_a_listed_app_may_do_anything():
    both = [Shape("nearby", 1), Shape("dialled", 1)]
    assert excuse(app("casting"), both, LIMITS, known=False) is None
    listed = replace(LIMITS, allowed_app_list=frozenset({"com.example.torch"}))
    assert "AllowedAppList" in (excuse(app(), both, listed, known=False) or "")
    assert excuse(None, both, listed, known=True) is None


@pytest.mark.parametrize(("sanctioned", "known", "excused"), [(1, 1, True), (1, 0, False), (0, 1, False)])
def test_an_approval_covers_what_was_known_and_neither_suffices_alone(sanctioned, known, excused):
    one = replace(app(), sanctioned=bool(sanctioned))
    assert (excuse(one, [Shape("far", MANY)], LIMITS, known=bool(known)) is not None) is excused


@pytest.mark.parametrize(("role", "way", "excused"), [("remote_access", "far", True), ("tethering", "far", False)])
def test_a_role_with_a_known_past_covers_how_far_it_goes_and_not_another_way_in(role, way, excused):
    one = replace(app(role), sanctioned=False)
    assert excuse(one, [Shape(way, MANY)], LIMITS, known=False) is None, "control: of an unknown past"
    assert (excuse(one, [Shape(way, MANY)], LIMITS, known=True) is not None) is excused


NOTHING = Circumstances(granted=False, carried_out=False, bridged=True, unattended=None, setup=None, novelty=None)


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        ({}, "low"),
        ({"unattended": 1.0}, "medium"),
        ({"unattended": 1.0, "setup": 1.0}, "medium"),
        ({"novelty": 0.0}, "low"),
        ({"novelty": 1.0}, "medium"),
        ({"novelty": 1.0, "unattended": 1.0}, "high"),
        ({"granted": True, "bridged": False}, "medium"),
        ({"granted": True, "bridged": False, "carried_out": True}, "high"),
        ({"granted": True}, "high"),
        ({"granted": True, "novelty": 1.0}, "high"),
        ({"granted": True, "novelty": 0.35}, "medium"),
        ({"novelty": 0.35, "unattended": 1.0, "setup": 1.0}, "medium"),
    ],
)
def test_severity_comes_of_combinations(seen, level):
    assert severity(replace(NOTHING, **seen)) == level


share = st.floats(0, 1)


@given(share, share, share, share)
def test_what_is_allowed_never_stands_among_what_alerts_and_keeps_its_order(score, more, threshold, relief):
    limits = replace(LIMITS, threshold=threshold, allowed_relief=relief)
    low, high = (allowed_score(one, limits) for one in sorted((score, more)))
    assert low <= high <= threshold
    assert allowed_score(score, limits) <= score


def test_a_granted_request_that_is_allowed_stands_below_the_threshold():
    assert LIMITS.handshake_score * (1 - LIMITS.allowed_relief) > LIMITS.threshold, (
        "control: relief alone is too little"
    )
    assert allowed_score(LIMITS.handshake_score, LIMITS) < LIMITS.threshold
