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


def told(make, view="full", *, package="com.example.guard", mine=(), scenario=None):
    """The inventory words of a pair whose twin has one app of its own, sanctioned and with a role."""
    words = {("phone-01", package): ("role vpn", "sanctioned"), ("phone-01", "com.example.news"): ("role mail",)}
    calm = make.truth(twin_of="polling-plain", packages={("phone-01", package): (1, "tools")}, vouched=words)
    ill = make.truth(make.incident(), vouched={("phone-01", "com.example.torch"): mine})
    (row,) = parted(
        make, make.trial(truth=ill, view=view), make.trial(scenario="sync-twin", truth=scenario or calm, view=view)
    )
    return row["inventory"]


def test_a_row_says_what_the_inventory_tells_apart(make):
    assert told(make) == ["role vpn", "sanctioned"]
    assert told(make, package="com.example.torch") == []  # the same app in both: no help
    assert told(make, mine=("role vpn",)) == ["sanctioned"]  # the guilty app has that role too
    assert told(make, scenario=make.truth(twin_of="polling-plain")) == []  # an inventory without a good word


def test_a_view_without_apps_gets_no_help_from_the_inventory(make):
    assert told(make, "no-state") == ["role vpn", "sanctioned"]
    assert told(make, "netflow") == []
