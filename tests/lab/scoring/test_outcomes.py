"""One trial in rows: times, contacts and what a left-over finding blames."""

import pytest

from lab.scoring.outcomes import category_of, outcomes, unscorable
from lab.truth import Background


def test_contacts_are_counted_only_where_truth_gives_each(make):
    name = make.incident().incident
    times = tuple(make.START + hour * make.HOUR for hour in (0, 1, 5))
    ((known,), _) = outcomes(make.trial(make.finding(), truth=make.truth(make.incident(), contacts={name: times})))
    assert known.contacts_to_detect == 2
    ((fewer,), _) = outcomes(
        make.trial(make.finding(), truth=make.truth(make.incident(), contacts={name: times[:1]}))
    )  # one of three
    assert fewer.contacts_to_detect is None
    ((missed,), _) = outcomes(make.trial(truth=make.truth(make.incident(), contacts={name: times})))
    assert missed.contacts_to_detect is None


def test_a_decision_before_the_start_took_no_time(make):
    ((outcome,), _) = outcomes(make.trial(make.finding(decided_at=make.START - make.HOUR)))
    assert outcome.time_to_detect_s == 0.0


def test_the_best_finding_may_be_a_later_one(make):
    better = make.finding(score=0.95, decided_at=make.START + 9 * make.HOUR)
    ((outcome,), strays) = outcomes(make.trial(better, make.finding()))
    assert (outcome.best, outcome.duplicates, strays) == (better, 1, [])
    assert outcome.to_json()["time_to_detect_s"] == 7200.0


def test_a_stray_gets_the_name_behind_its_address(make):
    (_, (stray,)) = outcomes(make.trial(make.finding(device="10.88.0.12", package=None, peer="feed.example")))
    assert (stray.device, stray.category) == ("phone-02", None)
    (_, (stray,)) = outcomes(make.trial(make.finding(device="10.88.0.12", package="com.example.news")))
    assert (stray.device, stray.category) == ("phone-02", "news")


def test_an_app_that_truth_does_not_know_has_no_category(make):
    assert category_of(make.truth(), "phone-01", "com.example.ghost") is None


def test_no_truth_no_outcome(make):
    with pytest.raises(ValueError, match="without truth"):
        outcomes(make.trial(truth=None))


def test_alerts_on_a_background_are_counted_apart(make):
    truth = make.truth(make.incident(), background=Background())
    hosts = ("192.168.7.23", "192.168.7.23", "192.168.7.24")
    alerts = [make.finding(device=host, decided_at=make.START + k) for k, host in enumerate(hosts)]
    quiet = make.finding(device="192.168.7.99", alert=False)
    trial = make.trial(make.finding(), *alerts, quiet, truth=truth)
    (outcome,), strays = outcomes(trial)
    assert (outcome.verdict, strays) == ("detected", [])
    (row,) = unscorable(trial)
    assert (row["analytic"], row["alerts"], row["devices"], row["detector"]) == ("AN1793", 3, 2, "builtin")
    assert unscorable(make.trial(*alerts)) == []
