"""Settings of each incident once; the cost of each scored trial, for each analytic it judged."""

from lab.score import score
from lab.scoring.ledger import judgements, played
from lab.scoring.outcomes import outcomes


def test_settings_stand_once_for_an_incident(make):
    truth = make.truth(make.incident(settings={"period": 300.0, "tls": True, "hosts": (1, 2), "odd": {"x"}}))
    trials = [make.trial(truth=truth, detector=name) for name in ("builtin", "silent")]
    trials.append(make.trial(status="failed", truth=None, seed=2))
    (row,) = played(trials)
    assert row == {
        "scenario": "polling-plain",
        "seed": 1,
        "stage": "wire",
        "incident": "phone-01/com.example.torch/http-poll",
        "settings": {"hosts": [1, 2], "odd": "{'x'}", "period": 300.0, "tls": True},
    }


def test_cost_is_counted_where_the_analytic_was_judged(make):
    wrong = make.finding(package="com.example.news", peer="feed.example")
    quiet = make.finding(package="com.example.news", peer="b.example", alert=False)
    noisy = make.trial(make.finding(), wrong, quiet, judged=("AN1793",))
    calm, lost = make.trial(seed=2), make.trial(seed=3, status="failed")
    strays = [stray for one in (noisy, calm) for stray in outcomes(one)[1]]
    rows = judgements([noisy, calm, lost], strays)
    assert [(row["seed"], row["analytic"], row["device_days"], row["false_alarms"]) for row in rows] == [
        (1, "AN1793", 2.0, 1),
        (2, "AN1702", 2.0, 0),
        (2, "AN1793", 2.0, 0),
    ]


def test_the_scorecard_holds_both(make):
    card = score([make.trial(make.finding())], suite="core", seeds=1, budget=0.001).to_json()
    assert (len(card["played"]), len(card["judgements"]), card["evidence"]) == (1, 2, {})
