"""Which rows a threshold speaks of; what is not known of a row matches nothing."""

import pytest

from lab.gate.grammar import parse
from lab.gate.selection import Card, spoken

CELL = ("specimen", "full")


@pytest.fixture(scope="module")
def card(gates):
    return Card(gates.card([*gates.trials(1), *gates.trials(2)]))


@pytest.mark.parametrize(
    ("filters", "many"),
    [
        ("", 48),
        ("period<=5m", 24),
        ("period<5m", 12),
        ("period=30s|1h", 24),
        ("jitter>=0.2", 16),
        ("seed=2", 24),
        ("seed!=2", 24),
        ("behaviour=http-poll", 24),
        ("behaviour!=http-poll", 24),
        ("protocol=http", 24),
        ("protocol=socks|http", 48),
        ("protocol!=http", 24),
        ("device=phone-01, scenario=specimen-03", 2),
        ("contacts>=200", 48),
        ("held_out=false", 48),
        ("held_out=true", 0),
        ("held_out!=true", 48),
        ("category=tools", 48),
        ("colour=red", 0),
        ("colour!=red", 0),
        ("period=often", 0),
        ("period!=often", 48),
    ],
)
def test_filters(card, filters, many):
    assert len(card.met(parse(f"recall{{{filters}}} >= 0.5"), CELL)) == many


def test_the_analytic_is_a_filter_of_its_own(card):
    assert len(card.met(parse("polling.recall >= 0.5"), CELL)) == 24
    assert len(card.cost(parse("relay.false_alarms{scenario=specimen-01} <= 1"), CELL)) == 2


def test_controls_are_judged_only_by_name(gates):
    from dataclasses import replace

    trials = gates.trials()
    both = Card(gates.card([*trials, *(replace(one, detector="silent", findings=()) for one in trials)]))
    assert both.cells(parse("recall >= 0.5"), (), ()) == [CELL]
    assert both.cells(parse("recall{detector=silent} >= 0.5"), (), ()) == [("silent", "full")]
    assert both.cells(parse("recall >= 0.5"), ("other",), ()) == []
    assert both.cells(parse("recall >= 0.5"), (), ("netflow",)) == []
    assert both.cells(parse("recall{detector!=specimen} >= 0.5"), (), ()) == [("silent", "full")]


def test_what_can_be_filtered_by(card):
    assert {"period", "jitter", "protocol", "behaviour", "view", "scenario"} <= card.keys
    assert not {"reasons", "verdict", "score"} & card.keys
    assert "scenario" in Card({**card.content, "incidents": [], "played": []}).keys


def test_protocols_are_those_of_settings_and_kind():
    assert spoken("dns-poll", {"carrier": "dot"}) == {"dns", "poll", "dot"}
