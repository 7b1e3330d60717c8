"""What may be compared, and with what."""

from dataclasses import replace

import pytest

from lab.gate.pairs import comparable, paired
from lab.gate.selection import Card

CELL = ("specimen", "full")


def of(card, baseline):
    return paired(card, baseline, card.incidents[CELL], baseline.incidents[CELL])


@pytest.fixture
def cards(gates):
    return Card(gates.card(gates.trials())), Card(gates.card(gates.trials()))


def test_the_same_run_pairs_with_itself(cards):
    found = of(*cards)
    assert (len(found.both), found.faults, found.same, found.other_seeds, found.new) == (24, (), True, False, 0)
    assert all(row["incident"] == old["incident"] for row, old in found.both)


def test_other_seeds_pair_by_kind(gates):
    found = of(Card(gates.card([*gates.trials(1), *gates.trials(2)])), Card(gates.card(gates.trials(3))))
    assert (len(found.both), found.other_seeds, found.same, found.new) == (24, True, False, 24)
    kinds = [(one["scenario"], one["behaviour"]) == (old["scenario"], old["behaviour"]) for one, old in found.both]
    assert all(kinds)


def test_common_seeds_pair_alone(gates):
    found = of(
        Card(gates.card([*gates.trials(1), *gates.trials(2)])), Card(gates.card([*gates.trials(2), *gates.trials(3)]))
    )
    assert (len(found.both), {row["seed"] for row, _ in found.both}, found.new) == (24, {2}, 24)
    assert found.same


def test_another_recording_is_not_the_same(cards):
    card, baseline = cards
    card.content["evidence"]["recordings"]["specimen-03-s1"] = "f" * 64
    found = of(card, baseline)
    assert (found.same, found.faults) == (False, ())


def test_what_the_baseline_has_must_be_there(gates):
    baseline, fewer = Card(gates.card(gates.trials())), Card(gates.card(gates.trials()[1:]))
    (fault,) = of(fewer, baseline).faults
    assert "1 scenarios of the baseline were not judged this time, such as specimen-00" in fault
    assert of(baseline, fewer).faults == ()
    assert of(baseline, fewer).new == 2
    deaf = [
        replace(gates.trials()[0], judged=("AN1702",), findings=gates.trials()[0].findings[1:]),
        *gates.trials()[1:],
    ]
    (fault,) = of(Card(gates.card(deaf)), baseline).faults
    assert "1 of the baseline were not judged" in fault


def test_a_scenario_that_changed_makes_the_baseline_stale(cards):
    card, baseline = cards
    card.content["evidence"]["scenarios"]["specimen-03"] = "f" * 64
    (fault,) = of(card, baseline).faults
    assert "stale baseline: 1 scenarios changed since, such as specimen-03" in fault


def test_stages_are_not_compared(gates):
    wire = Card(gates.card([replace(one, stage="wire") for one in gates.trials()]))
    assert "played on flows, this run on wire" in of(wire, Card(gates.card(gates.trials()))).faults[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"devices": 50}, "devices: the baseline has None, this run 50"),
        ({"learn_s": 86_400.0}, "learn_s"),
        ({"poison": 0.1}, "poison"),
        ({"novel": 0.5}, "novel: the baseline has None, this run 0.5"),
        ({"software": {"droidrange": "9.9"}}, "droidrange: the baseline was made with specimen, this run with 9.9"),
        ({"speed": 60.0}, "speed"),
    ],
)
def test_other_conditions_are_not_compared(cards, gates, change, said):
    card, baseline = cards
    assert comparable(card, baseline) == []
    content = {**card.content, "evidence": {**card.content["evidence"], **change}}
    changed = Card({**content, **change})
    assert said in comparable(changed, baseline)[0]
    result = gates.gate(changed, "recall no-loss", baseline=baseline)
    assert (result.exit_code, result.verdicts[0].status) == (3, "unjudged")
