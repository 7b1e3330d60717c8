"""Surge and succession: bounded, monotone, and silent where nothing is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.features.succession import succession
from detector.features.surge import surge

RATE = st.floats(0, 10_000)
SHARE = st.floats(0, 1)


def surged(here, usual):
    return float(surge(np.array([here]), np.array([usual]))[0])


def succeeded(missing, overlap, pause, octaves, seen=True):
    given = (np.array([float(one)]) for one in (missing, overlap, pause, octaves))
    return float(succession(*given, np.array([seen]))[0])


@given(RATE, RATE, RATE)
def test_more_contacts_never_lower_a_surge_and_a_busier_past_never_raises_it(here, usual, more):
    assert 0 <= surged(here, usual) <= surged(here + more, usual) <= 1
    assert surged(here, usual + more) <= surged(here, usual)


@given(RATE)
def test_twice_the_usual_is_nothing_and_eight_times_is_all(usual):
    usual = max(usual, 1.0)
    assert surged(2 * usual, usual) == 0
    assert surged(8.01 * usual, usual) == 1


def test_a_past_that_is_unknown_tells_nothing():
    assert np.isnan(surged(500.0, np.nan))


@given(RATE, SHARE, st.floats(0, 3), st.floats(-10, 10))
def test_a_succession_lies_between_0_and_1(missing, overlap, pause, octaves):
    assert 0 <= succeeded(missing, overlap, pause, octaves) <= 1
    assert succeeded(missing, overlap, pause, octaves) == succeeded(missing, overlap, pause, -octaves)


@given(RATE)
def test_whoever_still_speaks_was_not_succeeded(missing):
    assert succeeded(100, 0, 0, 0) > 0.99
    assert succeeded(missing, 0.5, 0, 0) == 0
    assert succeeded(0, 0, 0, 0) == 0
    assert succeeded(missing, 0, 2, 0) == 0
    assert succeeded(missing, 0, 0, 4) == 0
    assert succeeded(missing, 0, 0, 0, seen=False) == succeeded(missing, 0, 0, 0) * 0.75
