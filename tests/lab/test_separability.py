"""A malicious scenario beside its benign twin, by hand."""

from lab.score import score


def parted(make, *trials):
    return score(trials, suite="core", seeds=1, budget=0.001).to_json()["separability"]


def twin(make, *findings, **changes):
    return make.trial(*findings, scenario="sync-twin", truth=make.truth(twin_of="polling-plain"), **changes)


def test_auc_of_incidents_over_the_twins_devices(make):
    quiet = make.finding(device="10.88.0.12", package=None, score=0.95, alert=False)
    (row,) = parted(make, make.trial(make.finding(score=0.9)), twin(make, quiet, make.finding(score=0.2)))
    assert (row["scenario"], row["twin"], row["analytic"]) == ("polling-plain", "sync-twin", "AN1793")
    assert (row["auc"], row["n"]) == (0.5, {"incidents": 1, "twin_devices": 2})


def test_what_nobody_mentions_scores_nothing(make):
    (row,) = parted(make, make.trial(), twin(make))
    assert row["auc"] == 0.5  # silence tells nothing apart


def test_no_row_without_a_scored_twin(make):
    assert parted(make, make.trial(make.finding())) == []
    assert parted(make, make.trial(make.finding()), twin(make, status="failed")) == []


def test_no_row_where_one_side_was_not_judged(make):
    assert len(parted(make, make.trial(), twin(make))) == 1
    assert parted(make, make.trial(), twin(make, judged=("AN1702",))) == []
    assert parted(make, make.trial(judged=("AN1702",)), twin(make)) == []
