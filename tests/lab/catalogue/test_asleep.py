"""What is heard in deep Doze is counted against how long that is, of labelled words where there are any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lab.catalogue.asleep import FEWEST, Heard, auc, heard
from lab.scenario import compile_scenario, load_all


@pytest.fixture(scope="module")
def timeline():
    (scenario,) = load_all(["https-poll-5m"])
    return compile_scenario(scenario, 1)


def of_spare_phones(*, exempt):
    """What is heard of the torch on two phones that lie about, where its owner exempted it or did not."""
    (scenario,) = load_all(["https-poll-5m"])
    torch = [replace(app, exempt=exempt, on=2) for app in scenario.apps if app.package == "com.orchard.torch"]
    quiet = replace(scenario, devices=2, apps=tuple(torch), background=replace(scenario.background, apps=0))
    spare = replace(quiet, phones=replace(quiet.phones, profiles=("spare",)))
    return [row.ratio for row in heard(compile_scenario(spare, 1)) if row.malicious]


def test_an_app_that_pays_no_heed_to_doze_has_one():
    assert of_spare_phones(exempt=True) == pytest.approx([1.0, 1.0], abs=0.1)


def test_an_app_that_doze_cuts_off_has_none():
    assert of_spare_phones(exempt=False) == [0.0, 0.0]


def test_a_phone_that_never_sleeps_deeply_says_nothing(timeline):
    awake = replace(timeline, states=replace(timeline.states, power=np.zeros_like(timeline.states.power)))
    assert list(heard(awake)) == []
    assert FEWEST > 1


def test_the_auc_counts_ties_half_and_keeps_to_the_parts():
    rows = [Heard("m", "a", True, 1.0), Heard("b", "a", False, 1.0), Heard("b", "other", False, 0.0)]
    assert auc(rows) == 0.75
    assert auc(rows, {"b": frozenset({"a"})}) == 0.5
    assert auc(rows, {"b": frozenset({"other"})}) == 1.0
