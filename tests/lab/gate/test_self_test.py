"""Fifty planted regressions of ten kinds: each breaks the gate, which names it; one that is not caught is exit 3."""

import dataclasses

import pytest

from lab.errors import EvidenceError, ScenarioError
from lab.gate.planting import KINDS, plant, targets
from lab.gate.selection import Card
from lab.gate.self_test import SelfTest, caught, gate_between, self_test

TARGETS = 5


@pytest.mark.parametrize("kind", KINDS)
def test_every_planted_regression_is_caught_and_named(gates, kind):
    trials = [*gates.trials(1), *gates.trials(2)]
    baseline = Card(gates.card(trials))
    chosen = targets(trials)
    for target in chosen[:: len(chosen) // TARGETS][:TARGETS]:
        planted = plant(kind, trials, target)
        found = caught(planted, gate_between(Card(gates.card(planted.trials)), baseline))
        assert (found.exit_code, found.caught) == (1, True), found
        assert (found.scenario, found.seed) == (target.trial.scenario, target.trial.seed)


def test_there_are_ten_kinds_and_fifty_in_all():
    assert (len(KINDS), len(KINDS) * TARGETS) == (10, 50)


def test_the_self_test_itself_exits_1():
    found = self_test()
    assert (found.exit_code, len(found.rows)) == (1, 10)
    assert list(found.lines())[-1] == "self-test: 10 of 10 planted regressions broke the gate and were named"
    assert all(row["caught"] for row in found.to_json()["planted"])


def test_what_passes_unnoticed_is_no_evidence(gates):
    found = self_test()
    blind = dataclasses.replace(found.rows[0], exit_code=0, by="")
    assert SelfTest((blind, *found.rows[1:])).exit_code == 3
    assert "NOT CAUGHT (exit 0)" in next(SelfTest((blind,)).lines())
    assert SelfTest(()).exit_code == 3


def test_a_break_that_names_somebody_else_is_not_caught(gates):
    trials = gates.trials()
    planted = plant(next(iter(KINDS)), trials, targets(trials)[0])
    outcome = gate_between(Card(gates.card(planted.trials)), Card(gates.card(trials)))
    assert caught(planted, outcome).caught
    assert not caught(dataclasses.replace(planted, scenario="specimen-11"), outcome).caught


def test_a_scorecard_alone_holds_no_findings_to_spoil(tmp_path):
    with pytest.raises(ScenarioError, match="give a run folder"):
        self_test(tmp_path / "scorecard.json")


def test_a_damaged_card_is_refused(gates):
    card = gates.card(gates.trials())
    card["incidents"].pop()
    with pytest.raises(EvidenceError):
        gate_between(Card(card), Card(gates.card(gates.trials())))
