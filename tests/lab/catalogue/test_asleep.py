"""What is heard in deep Doze is counted against how long that is, of labelled words where there are any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.catalogue.asleep import DEEP, FEWEST, Heard, auc, heard
from lab.scenario import compile_scenario, load_all


@pytest.fixture(scope="module")
def timeline():
    (scenario,) = load_all(["https-poll-5m"])
    return compile_scenario(scenario, 1)


def test_an_app_that_pays_no_heed_to_doze_has_one(timeline):
    states = timeline.states
    half = np.arange(0, timeline.span, timeline.span // 48) + timeline.start
    ours = replace(
        states,
        **{name: np.resize(column, len(half)) for name, column in vars(states).items()},
    )
    ours = replace(ours, time=half, device=np.zeros(len(half), dtype=np.int32))
    power = np.where(np.arange(len(half)) % 2, DEEP, 0).astype(np.int32)
    found = list(heard(replace(timeline, states=replace(ours, power=power))))
    steady = [row.ratio for row in found if row.malicious]
    assert len(steady) == 1
    shifted = list(heard(replace(timeline, states=replace(ours, power=power[::-1].copy()))))
    other = [row.ratio for row in shifted if row.malicious]
    assert steady[0] + other[0] == pytest.approx(2.0, abs=0.05), "what is not in one half is in the other"


def test_a_phone_that_never_sleeps_deeply_says_nothing(timeline):
    awake = replace(timeline, states=replace(timeline.states, power=np.zeros_like(timeline.states.power)))
    assert list(heard(awake)) == []
    assert FEWEST > 1


def test_the_auc_counts_ties_half_and_keeps_to_the_parts():
    rows = [Heard("m", "a", True, 1.0), Heard("b", "a", False, 1.0), Heard("b", "other", False, 0.0)]
    assert auc(rows) == 0.75
    assert auc(rows, {"b": frozenset({"a"})}) == 0.5
    assert auc(rows, {"b": frozenset({"other"})}) == 1.0
