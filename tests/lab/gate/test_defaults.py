"""What is asked where nobody wrote down anything: something that can be broken, or no pass."""

from dataclasses import replace

import pytest

from lab.gate.defaults import default_settings
from lab.gate.outcome import outcome
from lab.gate.selection import Card
from lab.gate.verdicts import judged


@pytest.fixture
def card(gates):
    trials = gates.trials()
    silent = [replace(one, detector="silent", findings=()) for one in trials]
    return Card(gates.card([*trials, *silent]))


def lines(card, baseline=None):
    return [one.text for one in default_settings(card, baseline).thresholds]


def exit_code(card, baseline=None):
    asked = default_settings(card, baseline)
    return outcome(asked, card, baseline, judged(asked, card, baseline)).exit_code


def test_better_than_every_control(card, gates):
    place = '{detector="specimen", view="full"}'
    assert lines(card) == [
        f"polling.pr_auc{place} > controls",
        f"relay.pr_auc{place} > controls",
        f"warn false_alarms_per_device_day{place} <= budget",
    ]
    assert exit_code(card) == 0
    deaf = [replace(one, findings=()) for one in gates.trials()]
    silent = [replace(one, detector="silent") for one in deaf]
    assert exit_code(Card(gates.card([*deaf, *silent]))) == 1


def test_the_same_recordings_are_compared_strictly(card, gates):
    assert [one.split()[-1] for one in lines(card, card)[3:]] == ["no-loss"] * 3
    assert exit_code(card, card) == 0
    other = Card(gates.card(gates.trials(2)))
    assert [one.split()[-1] for one in lines(card, other)[3:]] == ["no-regression"] * 3
    assert exit_code(card, other) == 0


def test_the_widest_view_is_held_to_limits(gates):
    two = [replace(one, view=view) for one in gates.trials() for view in ("netflow", "no-app")]
    assert all('view="no-app"' in line for line in lines(Card(gates.card(two))))


def test_nothing_to_ask_is_no_pass(gates):
    silent = [replace(one, detector="silent", findings=()) for one in gates.trials()]
    only = Card(gates.card(silent))
    assert lines(only) == []
    assert exit_code(only) == 3


def test_a_detector_with_a_comma_in_its_name_is_asked_for(gates):
    named = Card(gates.card([replace(one, detector="elastic:jitter=0.4,gate") for one in gates.trials()]))
    assert any('detector="elastic:jitter=0.4,gate"' in line for line in lines(named, named))
    asked = default_settings(named, named)
    assert {one.status for one in judged(asked, named, named) if one.threshold.kind == "no-loss"} == {"held"}
