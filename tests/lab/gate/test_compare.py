"""Comparisons with a baseline: what chance does to 200 pairs of runs, and what a real loss does."""

from dataclasses import replace

import numpy as np
import pytest

ALPHA = 0.05
BOTH = (
    "polling.recall no-regression",
    "relay.recall no-regression",
    "false_alarms_per_device_day no-regression",
    "time_to_detect_p90 no-regression",
)


def drawn(gates, seed, *, found=0.8, alarms=0.4):
    """A run under that seed of a detector that finds each incident by that chance, at any time, and errs sometimes."""
    rng = np.random.default_rng(seed)
    trials = []
    for one in gates.trials(seed):
        hits = [
            replace(hit, decided_at=hit.first_seen + int(rng.exponential(3600e6)))
            for hit in one.findings
            if rng.random() < found
        ]
        wrong = [
            replace(one.findings[0], package="com.example.news", uid=10103, peer=f"{number}.feed.example")
            for number in range(rng.poisson(alarms))
        ]
        trials.append(replace(one, findings=(*hits, *wrong)))
    return gates.card(trials)


def test_chance_breaks_the_gate_no_more_often_than_alpha(gates):
    runs = 200
    broken = sum(
        gates.gate(drawn(gates, 2 * pair), *BOTH, baseline=drawn(gates, 2 * pair + 1)).exit_code == 1
        for pair in range(runs)
    )
    assert broken <= ALPHA * runs


@pytest.mark.parametrize(("found", "alarms"), [(0.3, 0.4), (0.8, 3.0)])
def test_a_detector_that_became_worse_breaks_it_although_the_seeds_are_others(gates, found, alarms):
    result = gates.gate(drawn(gates, 1, found=found, alarms=alarms), *BOTH, baseline=drawn(gates, 2))
    assert result.exit_code == 1
    assert any("other seeds" in note for one in result.verdicts for note in one.notes)


def test_one_incident_lost_is_a_loss_but_may_be_chance(gates):
    before = gates.card(gates.trials())
    card = gates.card(gates.spoiled(gates.trials(), lost=[gates.scenario(4)]))
    loss, chance = (
        gates.gate(card, f"polling.recall {kind}", baseline=before) for kind in ("no-loss", "no-regression")
    )
    assert (loss.exit_code, chance.exit_code) == (1, 0)
    (one,) = loss.verdicts
    assert [(row.how, row.name, row.scenario) for row in one.named] == [
        ("lost", "phone-01/com.example.torch/http-poll", "specimen-04")
    ]
    assert one.named[0].command.startswith("droidrange run specimen-04 --seed 1 --stage flows --detector specimen")
    assert chance.verdicts[0].p == 0.5
    assert (one.measured.value, one.baseline.value, one.difference) == (11 / 12, 1.0, pytest.approx(-1 / 12))
    assert one.difference_ci[0] < -1 / 12 < one.difference_ci[1]


def test_what_was_gained_is_named_and_pays_for_nothing_lost(gates):
    first, second = (gates.card(gates.spoiled(gates.trials(), lost=[gates.scenario(n)])) for n in (1, 2))
    (one,) = gates.gate(second, "relay.recall no-loss", baseline=first).verdicts
    assert [row.scenario for row in one.named] == ["specimen-02"]
    assert [row.scenario for row in one.gained] == ["specimen-01"]
    assert one.status == "broken"


def test_an_alarm_more_is_named(gates):
    before, card = gates.card(gates.trials()), gates.card(gates.spoiled(gates.trials(), noise=[gates.scenario(7)]))
    (one,) = gates.gate(card, "false_alarms no-loss", baseline=before).verdicts
    assert (one.status, one.difference) == ("broken", 1.0)
    assert [(row.how, row.scenario) for row in one.named] == [("alarm", "specimen-07")]
    assert "com.example.news to 0.feed.example" in one.named[0].name
    assert gates.gate(before, "false_alarms no-loss", baseline=card).exit_code == 0


def test_alarms_that_the_scorecard_does_not_list_are_told_by_their_trial(gates):
    before = gates.card(gates.trials())
    card = gates.card(gates.spoiled(gates.trials(), noise=[gates.scenario(7)]))
    card["false_alarms"] = []
    (one,) = gates.gate(card, "false_alarms no-loss", baseline=before).verdicts
    assert (one.named[0].scenario, one.named[0].detail) == ("specimen-07", "1 alarms, were 0")


def test_later_is_a_loss(gates):
    late = [
        replace(one, findings=tuple(replace(f, decided_at=f.decided_at + 3600_000_000) for f in one.findings))
        for one in gates.trials()
    ]
    before, card = gates.card(gates.trials()), gates.card(late)
    for kind in ("no-loss", "no-regression"):
        (one,) = gates.gate(card, f"polling.time_to_detect_p90 {kind}", baseline=before).verdicts
        assert (one.status, one.difference) == ("broken", 3600.0)
        assert one.named[0].detail.startswith("after ")
        assert gates.gate(before, f"polling.time_to_detect_p90 {kind}", baseline=card).exit_code == 0


def test_on_the_same_recordings_half_a_second_is_a_loss(gates):
    late = [
        replace(one, findings=tuple(replace(f, decided_at=f.decided_at + 500_000) for f in one.findings))
        for one in gates.trials()
    ]
    before, card = gates.card(gates.trials()), gates.card(late)
    assert gates.gate(card, "time_to_detect_p90 no-loss", baseline=before).exit_code == 1
    assert gates.gate(before, "time_to_detect_p90 no-loss", baseline=before).exit_code == 0


def test_no_loss_wants_the_same_recordings(gates):
    (one,) = gates.gate(gates.card(gates.trials(1)), "recall no-loss", baseline=gates.card(gates.trials(2))).verdicts
    assert (one.status, "not those of the baseline" in one.reason) == ("unjudged", True)


def test_a_number_of_the_whole_suite_falls_or_not(gates):
    quiet, noisy = gates.card(gates.trials()), gates.card(gates.spoiled(gates.trials(), noise=[gates.scenario(0)]))
    assert gates.gate(quiet, "polling.pr_auc no-loss", baseline=quiet).exit_code == 0
    assert gates.gate(noisy, "polling.pr_auc no-loss", baseline=noisy).exit_code == 0
    (one,) = gates.gate(noisy, "polling.pr_auc no-loss", baseline=quiet).verdicts
    assert (one.status, one.difference < 0) == ("broken", True)
    assert [row.how for row in one.named] == ["alarm"]
    assert gates.gate(gates.card(gates.trials(2)), "polling.pr_auc no-loss", baseline=quiet).exit_code == 3


def test_notes_are_of_what_is_judged(gates):
    first, *others = gates.trials()
    hidden = [replace(first, findings=(), unseen=tuple(one.incident for one in first.truth.incidents)), *others]
    silent = [replace(first, findings=()), *others]
    (one,) = gates.gate(gates.card(hidden), "polling.recall no-loss", baseline=gates.card(silent)).verdicts
    assert (one.status, one.notes) == ("held", ("1 unseen, not counted",))
    (one,) = gates.gate(gates.card(silent), "polling.recall no-loss", baseline=gates.card(hidden)).verdicts
    assert (one.status, one.notes) == ("held", ())


def test_too_few_to_tell_is_said(gates):
    few = gates.card(gates.trials()[:3])
    (one,) = gates.gate(few, "polling.recall no-regression", baseline=few).verdicts
    assert one.status == "held"
    assert "3 were detected before: the loss of all would be chance" in one.notes[0]
    enough = gates.card(gates.trials()[:5])  # 2 ** -5 is below alpha
    assert gates.gate(enough, "polling.recall no-regression", baseline=enough).verdicts[0].notes == ()


def test_nothing_detected_in_both_has_no_delay_to_compare(gates):
    none = gates.card([replace(one, findings=()) for one in gates.trials()])
    (one,) = gates.gate(none, "time_to_detect_p90 no-loss", baseline=gates.card(gates.trials())).verdicts
    assert (one.status, "no delay can be compared" in one.reason) == ("unjudged", True)
