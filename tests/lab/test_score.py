"""The scorecard: counts worked out by hand, and laws that hold for any findings."""

import dataclasses
import json
import random  # noqa: TID251 - shuffles test input only

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.score import LISTED_AT_MOST, score
from lab.truth import Background

SETTINGS = {"suite": "core", "seeds": 1, "budget": 0.001}


def card_of(*trials):
    return score(trials, **SETTINGS).to_json()


def cell(card, analytic="AN1793", detector="builtin", view="full"):
    return card["detectors"][detector]["views"][view]["analytics"][analytic]


def test_a_hit_and_a_false_alarm(make):
    wrong = make.finding(package="com.example.news", peer="feed.example", score=0.7)
    card = card_of(make.trial(make.finding(), wrong))
    found = cell(card)
    assert (found["incidents"], found["detected"], found["recall"]) == (1, 1, 1.0)
    assert (found["false_alarms"], found["false_alarms_per_device_day"], found["device_days"]) == (1, 0.5, 2.0)
    assert found["fa_ci"] == pytest.approx([0.0253 / 2, 5.5716 / 2], abs=1e-4)
    assert found["pr_auc"] == 1.0
    assert found["time_to_detect_s"] == {"p50": 7200.0, "p90": 7200.0, "n": 1}
    assert found["by_behaviour"]["http-poll"]["recall"] == 1.0
    assert found["by_category"]["news"]["false_alarms"] == 1
    assert found["by_category"]["news"]["recall"] is None
    assert [row["verdict"] for row in card["incidents"]] == ["detected"]
    assert card["incidents"][0]["reasons"][0]["text"] == "contacts come every 300 s"
    assert [(row["device"], row["package"], row["kind"]) for row in card["false_alarms"]] == [
        ("phone-01", "com.example.news", "benign")
    ]
    assert card["blind_spots"] == []


def test_a_near_miss_is_a_miss_with_a_score(make):
    card = card_of(make.trial(make.finding(alert=False, score=0.4)))
    assert cell(card)["recall"] == 0.0
    assert cell(card)["time_to_detect_s"] == {"p50": None, "p90": None, "n": 0}
    assert (card["incidents"][0]["verdict"], card["incidents"][0]["score"]) == ("missed", 0.4)
    assert [(row["behaviour"], row["why"]) for row in card["blind_spots"]] == [("http-poll", "missed")]


def test_what_the_view_does_not_show_is_no_miss_and_no_hit(make):
    name = make.incident().incident
    seen, hidden = card_of(make.trial()), card_of(make.trial(unseen=(name,)))
    numbers = ("incidents", "detected", "unseen", "recall")
    assert [cell(seen)[one] for one in numbers] == [1, 0, 0, 0.0]
    assert [cell(hidden)[one] for one in numbers] == [1, 0, 1, 0.0]
    assert [card["incidents"][0]["verdict"] for card in (seen, hidden)] == ["missed", "unseen"]
    assert [(card["blind_spots"][0]["why"], card["blind_spots"][0]["unseen"]) for card in (seen, hidden)] == [
        ("missed", 0),
        ("unseen", 1),
    ]
    found = card_of(make.trial(make.finding(), unseen=(name,)))  # found by what is no row of it: a hit all the same
    assert (cell(found)["detected"], cell(found)["unseen"], found["incidents"][0]["verdict"]) == (1, 0, "detected")


def test_what_has_no_incident_has_no_recall(make):
    card = card_of(make.trial(truth=make.truth()))
    assert (cell(card)["incidents"], cell(card)["recall"], cell(card)["recall_ci"]) == (0, None, None)
    assert cell(card)["pr_auc"] is None


def test_no_device_days_is_no_rate(make):
    card = card_of(make.trial(truth=make.truth(span=0)))
    assert (cell(card)["false_alarms_per_device_day"], cell(card)["fa_ci"]) == (None, None)


def test_the_other_analytic_pays_for_a_cross(make):
    card = card_of(make.trial(make.finding(analytic="AN1702", peer=None)))
    assert cell(card, "AN1702")["false_alarms"] == 1
    assert cell(card)["false_alarms"] == 0
    assert cell(card)["recall"] == 0.0
    assert card["false_alarms"][0]["kind"] == "cross"


def test_a_failed_trial_is_counted_and_scores_nothing(make):
    good = make.trial(make.finding())
    lost = make.trial(make.finding(), seed=2, status="failed", reason="ZeroDivisionError: by 0")
    with_it, without = card_of(good, lost), card_of(good)
    assert with_it["trials"] == {"scored": 1, "unsupported": 0, "failed": 1}
    assert with_it["unscored"][0]["reason"] == "ZeroDivisionError: by 0"
    assert cell(with_it).pop("trials") == {"scored": 1, "unsupported": 0, "failed": 1}
    assert cell(without).pop("trials") == {"scored": 1, "unsupported": 0, "failed": 0}
    assert {**cell(with_it), "trials": 0} == {**cell(without), "trials": 0}
    assert with_it["detectors"]["builtin"]["views"]["full"]["trials"]["failed"] == 1


def test_unsupported_everywhere_is_a_blind_spot_without_numbers(make):
    card = card_of(make.trial(status="unsupported", reason="this telemetry has no table 'exchanges'"))
    assert card["detectors"]["builtin"]["views"]["full"]["analytics"] == {}
    (spot,) = card["blind_spots"]
    assert (spot["why"], spot["incidents"], spot["unsupported_incidents"]) == ("unsupported", 0, 1)
    assert "exchanges" in spot["reason"]


def test_what_was_not_judged_is_neither_missed_nor_quiet(make):
    both = make.truth(make.incident(), make.incident(incident="r", analytic="AN1702", behaviour="socks-relay"))
    lookups = make.trial(make.finding(), truth=both, view="dns-only", judged=("AN1793",))
    card = card_of(lookups)
    told, untold = cell(card, view="dns-only"), cell(card, "AN1702", view="dns-only")
    assert (told["recall"], told["false_alarms"], told["device_days"]) == (1.0, 0, 2.0)
    assert untold["trials"] == {"scored": 0, "unsupported": 1, "failed": 0}
    assert {untold[name] for name in ("recall", "false_alarms", "false_alarms_per_device_day", "fa_ci", "pr_auc")} == {
        None
    }
    assert (untold["incidents"], untold["device_days"], untold["by_behaviour"]) == (0, 0.0, {})
    (spot,) = card["blind_spots"]
    assert (spot["analytic"], spot["why"], spot["incidents"], spot["unsupported_incidents"]) == (
        "AN1702",
        "unsupported",
        0,
        1,
    )
    assert spot["reason"] == "builtin judges no AN1702 on what this view shows"
    missed = card_of(dataclasses.replace(lookups, judged=("AN1793", "AN1702")))  # the control: judged, and missed
    assert (cell(missed, "AN1702", view="dns-only")["recall"], missed["blind_spots"][0]["why"]) == (0.0, "missed")


def test_device_days_are_those_of_the_trials_that_judged(make):
    card = card_of(make.trial(), make.trial(seed=2, judged=("AN1793",)))
    assert (cell(card)["device_days"], cell(card, "AN1702")["device_days"]) == (4.0, 2.0)
    assert cell(card, "AN1702")["trials"] == {"scored": 1, "unsupported": 1, "failed": 0}
    assert cell(card, "AN1702")["false_alarms"] == 0


def test_findings_of_what_was_not_judged_are_refused(make):
    with pytest.raises(ValueError, match="findings of AN1793, which it did not judge"):
        card_of(make.trial(make.finding(), judged=("AN1702",)))


def test_an_empty_suite_is_no_pass():
    card = score([], **SETTINGS)
    assert "nothing was scored" in card.refusal
    assert card.to_json()["trials"] == {"scored": 0, "unsupported": 0, "failed": 0}
    assert card.to_json()["detectors"] == {}


def test_what_never_ran_is_no_pass_however_the_controls_did(make):
    ran, idle = make.trial(detector="silent"), make.trial(status="unsupported", reason="no")
    assert score([ran], **SETTINGS).refusal is None
    assert "no evidence for builtin" in score([ran, idle], **SETTINGS).refusal
    assert score([ran, idle, make.trial(seed=2)], **SETTINGS).refusal is None
    assert "1 of 2 trials failed" in score([ran, make.trial(status="failed")], **SETTINGS).refusal


def test_a_trial_counts_once(make):
    with pytest.raises(ValueError, match="given twice"):
        card_of(make.trial(), make.trial())


def test_an_unknown_status_is_refused(make):
    with pytest.raises(ValueError, match="'passed'"):
        card_of(make.trial(status="passed"))


def test_controls_show_the_ends_of_the_scale(make):
    loud = [make.finding(score=1.0, detector="always"), make.finding(package="com.example.news", score=1.0)]
    card = card_of(make.trial(detector="silent"), make.trial(*loud, detector="always"))
    silent, always = cell(card, detector="silent"), cell(card, detector="always")
    assert (silent["recall"], silent["false_alarms"], silent["pr_auc"]) == (0.0, 0, 0.0)
    assert (always["recall"], always["false_alarms"], always["pr_auc"]) == (1.0, 1, 0.5)
    assert card["blind_spots"] == []  # a control is not a sensor


def test_long_lists_are_cut_but_counts_are_not(make):
    noise = [make.finding(peer=f"h{n}.example", package="com.example.news", score=n / 1000) for n in range(300)]
    card = card_of(make.trial(*noise))
    assert (cell(card)["false_alarms"], cell(card)["false_alarms_listed"]) == (300, LISTED_AT_MOST)
    assert [row["score"] for row in card["false_alarms"]] == sorted((n / 1000 for n in range(100, 300)), reverse=True)


def test_device_days_add_up_over_trials(make):
    card = card_of(make.trial(), make.trial(seed=2), make.trial(scenario="other"))
    assert card["detectors"]["builtin"]["views"]["full"]["device_days"] == 6.0


PACKAGES = st.sampled_from(["com.example.torch", "com.example.news", None])
CHANGES = st.fixed_dictionaries(
    {
        "package": PACKAGES,
        "peer": st.sampled_from(["api.vendor.example", "feed.example"]),
        "score": st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
        "alert": st.booleans(),
        "device": st.sampled_from(["phone-01", "10.88.0.11", "phone-02"]),
    }
)


@given(st.lists(st.lists(CHANGES, max_size=6), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_laws_of_every_scorecard(make, plans, shuffler: random.Random):
    trials = [make.trial(*(make.finding(**c) for c in plan), seed=seed) for seed, plan in enumerate(plans)]
    card = card_of(*trials)
    found = cell(card)
    assert found["recall_ci"][0] <= found["recall"] <= found["recall_ci"][1]
    low, high = found["fa_ci"]
    assert low <= found["false_alarms_per_device_day"] <= high
    assert found["incidents"] == len(plans)
    assert 0.0 <= found["pr_auc"] <= 1.0
    alerts = sum(c["alert"] for plan in plans for c in plan)
    assert found["detected"] + found["duplicates"] + found["false_alarms"] == alerts
    text = json.dumps(card, allow_nan=False)
    mixed = [dataclasses.replace(t, findings=tuple(shuffler.sample(t.findings, len(t.findings)))) for t in trials]
    assert json.dumps(card_of(*shuffler.sample(mixed, len(mixed))), allow_nan=False) == text


@given(st.lists(CHANGES, max_size=6), st.sampled_from([0.0, 0.5, 1.0]))
def test_a_false_alarm_never_raises_a_score(make, plan, value):
    findings = [make.finding(**changes) for changes in plan]
    false = make.finding(package="com.example.news", device="phone-02", peer="feed.example", score=value)
    before, after = cell(card_of(make.trial(*findings))), cell(card_of(make.trial(*findings, false)))
    assert after["recall"] == before["recall"]
    assert after["false_alarms_per_device_day"] > before["false_alarms_per_device_day"]
    assert after["pr_auc"] <= before["pr_auc"]


def test_recall_at_the_budget_is_what_no_dearer_threshold_gives(make):
    wrong = make.finding(package="com.example.news", score=0.8)
    found = make.trial(make.finding(score=0.7, alert=False), wrong)
    assert cell(card_of(found))["recall_at_budget"] == 0.0, "2 device-days at 0.001 a day allow none"
    dear = score([found], suite="core", seeds=1, budget=0.5).to_json()
    assert cell(dear)["recall_at_budget"] == 1.0
    assert cell(card_of(make.trial(make.finding(score=0.9), wrong)))["recall_at_budget"] == 1.0


def test_a_control_that_knows_one_thing_marks_an_easy_suite(make):
    clock = make.trial(make.finding(score=0.9, detector="timing-only"), detector="timing-only")
    (one, other) = card_of(clock, make.trial(make.finding(package="com.example.news", score=0.9)))["suite_too_easy"]
    assert (one["control"], one["metric"], one["value"], one["best"]) == ("timing-only", "pr_auc", 1.0, "builtin")
    assert other["metric"] == "recall_at_budget"


def test_alerts_on_a_background_cost_nothing_and_are_shown(make):
    truth = make.truth(make.incident(), background=Background())
    stranger = make.finding(device="192.168.7.23", score=0.99)
    card = score([make.trial(make.finding(), stranger, truth=truth)], suite="x", seeds=1, budget=1.0).to_json()
    plain = score([make.trial(make.finding())], suite="x", seeds=1, budget=1.0).to_json()
    assert [row["alerts"] for row in card.pop("background")] == [1]
    assert card == plain
    (strange,) = score([make.trial(stranger)], suite="x", seeds=1, budget=1.0).false_alarms
    assert strange["kind"] == "benign"
