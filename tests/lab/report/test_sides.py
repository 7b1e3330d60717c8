"""Side by side: curves as the scorecard has them, and a matrix of who is blind to what."""

from lab.report.sides import blind, sides, views_of
from lab.score import score


def card(*trials):
    return score(trials, suite="c", seeds=1, budget=0.001).to_json()


def test_a_side_has_its_curve_its_costs_and_its_own_threshold(make):
    wrong = make.finding(package="com.example.news", peer="x.example", score=0.95)
    rows = sides(card(make.trial(make.finding(), wrong), make.trial(detector="silent")))
    assert [(row["detector"], row["analytic"], row["recall"], row["alarms"]) for row in rows] == [
        ("builtin", "AN1793", 1.0, 0.5),
        ("silent", "AN1793", 0.0, 0.0),
    ]
    assert rows[0]["curve"] == [[1.0, 0.5]]
    assert rows[0]["at"] == [1.0, 0.5]
    assert rows[1]["at"] is None
    assert rows[1]["curve"] == []


def test_a_scorecard_of_before_has_no_curve_and_is_shown_all_the_same(make):
    made = card(make.trial(make.finding()))
    del made["detectors"]["builtin"]["views"]["full"]["analytics"]["AN1793"]["pr_curve"]
    assert sides(made)[0]["curve"] == []


def test_blind_spots_stand_beside_what_is_found(make):
    name = make.incident().incident
    made = card(
        make.trial(make.finding()),
        make.trial(view="no-sni", unseen=(name,)),
        make.trial(detector="other"),
        make.trial(detector="other", view="no-sni", status="unsupported", reason="no names"),
    )
    found = blind(made, ["builtin", "other"])
    assert found.columns == (("builtin", ("full", "no-sni")), ("other", ("full", "no-sni")))
    assert found.rows == (("AN1793", "http-poll", ("", "unseen", "missed", "unsupported")),)
    assert views_of(made) == ["full", "no-sni"]


def test_nothing_blind_is_no_row(make):
    assert blind(card(make.trial(make.finding())), ["builtin"]).rows == ()
