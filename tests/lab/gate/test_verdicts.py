"""Held, broken, unjudged or idle: each threshold for each detector and view."""

from dataclasses import replace

import pytest


@pytest.fixture(scope="module")
def card(gates):
    """Eleven of twelve polls found, all relays, two false alarms in 24 device-days."""
    noisy = gates.spoiled(gates.trials(), noise=[gates.scenario(0), gates.scenario(1)])
    return gates.card([replace(noisy[0], findings=noisy[0].findings[1:]), *noisy[1:]])


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("polling.recall >= 0.9", "held"),
        ("polling.recall >= 92%", "broken"),
        ("relay.recall >= 1", "held"),
        ("polling.recall > 0.5", "held"),
        ("false_alarms <= 2", "held"),
        ("false_alarms < 2", "broken"),
        ("false_alarms_per_device_day <= 0.05", "broken"),
        ("false_alarms_per_device_day <= budget", "broken"),
        ("relay.false_alarms_per_device_day <= budget", "held"),
        ("polling.recall{period<=30s} >= 0.7", "broken"),
        ("polling.recall{period>30s} >= 1", "held"),
        ("time_to_detect_p90 <= 30m", "held"),
        ("time_to_detect_p90 <= 15m", "broken"),
        ("contacts_to_detect_p50 <= 200", "held"),
        ("contacts_to_detect_p50 <= 2", "broken"),
        ("incidents >= 24", "held"),
        ("incidents >= 25", "broken"),
        ("device_days >= 3000", "broken"),
        ("relay.recall{view=netflow} >= 1", "unjudged"),
    ],
)
def test_limits(gates, card, line, status):
    found = gates.gate(card, line)
    assert [one.status for one in found.verdicts] == [status]
    assert found.exit_code == {"held": 0, "broken": 1, "unjudged": 3}[status]


def test_what_broke_it_is_named(gates, card):
    recall, alarms, late = (
        gates.gate(card, line).verdicts[0]
        for line in ("polling.recall >= 1", "false_alarms <= 0", "time_to_detect_p90 <= 15m")
    )
    assert [(row.how, row.scenario) for row in recall.named] == [("missed", "specimen-00")]
    assert [(row.how, row.scenario) for row in alarms.named] == [("alarm", "specimen-00"), ("alarm", "specimen-01")]
    assert {row.how for row in late.named} == {"slower"}
    assert {row.scenario for row in late.named} == {gates.scenario(number) for number in range(6, 12)}


def test_levels(gates, card):
    warned = gates.gate(card, "warn polling.recall >= 1", "relay.recall >= 1")
    assert (warned.exit_code, [one.status for one in warned.verdicts]) == (0, ["broken", "held"])
    off = gates.gate(card, "off polling.recall >= 1", "relay.recall >= 1")
    assert (off.exit_code, off.verdicts[0].status) == (0, "idle")
    assert gates.gate(card, "off polling.recall >= 1").exit_code == 3
    assert gates.gate(card, "polling.recall >= 1", "recall{colour=red} >= 0.1").exit_code == 3


def test_by_bound_wants_the_interval_to_hold(gates, card):
    value, bound = (gates.gate(card, "polling.recall >= 0.8", by=by).verdicts[0] for by in ("value", "bound"))
    assert (value.status, bound.status) == ("held", "broken")
    assert "interval reaches beyond" in value.notes[0]
    assert gates.gate(card, "polling.recall >= 0.5", by="bound").exit_code == 0
    assert gates.gate(card, "relay.false_alarms_per_device_day <= 0.001", by="bound").exit_code == 1


def test_a_patch_is_judged_by_what_is_new(gates, card):
    old = gates.card(gates.trials()[1:])
    (new,) = gates.gate(card, "patch polling.recall >= 0.5", baseline=old).verdicts
    assert (new.status, new.measured.n, new.named[0].scenario) == ("broken", 1, "specimen-00")
    (cost,) = gates.gate(card, "patch false_alarms <= 0", baseline=old).verdicts
    assert [row.scenario for row in cost.named] == ["specimen-00"]
    idle = gates.gate(card, "patch polling.recall >= 0.5", baseline=card)
    assert (idle.verdicts[0].status, idle.exit_code) == ("idle", 3)
    assert gates.gate(card, "patch polling.recall >= 0.5", "recall >= 0.5", baseline=card).exit_code == 0


def test_controls_are_a_limit(gates):
    trials = gates.trials()
    silent = [replace(one, detector="silent", findings=()) for one in trials]
    always = [replace(one, detector="always") for one in trials]
    better = gates.gate(gates.card([*trials, *silent]), 'polling.recall{detector="specimen"} > controls')
    assert (better.exit_code, better.verdicts[0].limit) == (0, 0.0)
    assert gates.gate(gates.card([*trials, *silent, *always]), "polling.pr_auc > controls").exit_code == 1
    assert gates.gate(gates.card([*trials, *silent]), "false_alarms <= controls").exit_code == 0
    polls = [replace(one, truth=replace(one.truth, incidents=one.truth.incidents[:1])) for one in trials]
    polls = [replace(one, findings=one.findings[:1]) for one in polls]
    (none,) = gates.gate(gates.card(polls), "relay.pr_auc >= 0.5").verdicts
    assert (none.status, none.reason) == ("unjudged", "no incident of it was judged here")
    assert "no control" in gates.gate(gates.card(trials), "polling.pr_auc > controls").verdicts[0].reason


def test_a_baseline_is_needed_and_its_detectors_too(gates, card):
    assert gates.gate(card, "recall no-loss").exit_code == 3
    renamed = gates.card([replace(one, detector="other") for one in gates.trials()])
    found = gates.gate(card, "recall no-regression", baseline=renamed)
    assert {(one.detector, one.status) for one in found.verdicts} == {("specimen", "unjudged"), ("other", "unjudged")}


def test_a_limit_is_about_this_run_alone(gates, card):
    more = gates.card([*gates.trials(), *(replace(one, detector="other") for one in gates.trials())])
    found = gates.gate(card, "polling.recall >= 0.9", baseline=more)
    assert [(one.detector, one.status) for one in found.verdicts] == [("specimen", "held")]


def test_the_view_that_shows_nothing_has_nothing_to_judge(gates):
    hidden = [
        replace(one, findings=(), unseen=tuple(i.incident for i in one.truth.incidents)) for one in gates.trials()
    ]
    card = gates.card(hidden)
    (one,) = gates.gate(card, "polling.recall >= 0.5").verdicts
    assert (one.status, one.reason) == ("unjudged", "this view shows none of its 12 incidents")
    assert gates.gate(card, "polling.recall_of_all >= 0.5").exit_code == 1


def test_detected_before_and_hidden_now_is_lost(gates):
    hidden = [
        replace(one, findings=(), unseen=tuple(i.incident for i in one.truth.incidents)) for one in gates.trials()
    ]
    found = gates.gate(gates.card(hidden), "polling.recall no-loss", baseline=gates.card(gates.trials()))
    assert (found.exit_code, len(found.verdicts[0].named)) == (1, 12)
