"""The ladder: widest view first, and no number where nothing was measured."""

from lab.report.ladder import ladder, subjects, twins
from lab.score import CONTROLS, score


def card_of(*trials):
    return score(trials, suite="core", seeds=1, budget=0.001).to_json()


def test_cells(make):
    steps = ladder(
        card_of(
            make.trial(make.finding(), view="no-app"),
            make.trial(make.finding()),
            make.trial(view="full", seed=2),
            make.trial(view="netflow", status="unsupported", reason="no"),
            make.trial(view="dns-only", status="failed", reason="no"),
            make.trial(view="no-sni", truth=make.truth()),
        ),
        "builtin",
    )
    assert steps.views == ("full", "no-app", "no-sni", "netflow", "dns-only")
    ((analytic, behaviour, rungs),) = steps.rows
    assert (analytic, behaviour) == ("AN1793", "http-poll")
    assert [rung.text for rung in rungs] == ["1/2", "1/1", "-", "cannot run", "failed"]
    assert [rung.heat for rung in rungs] == [5, 10, None, None, None]
    assert "1 of 2 incidents" in rungs[0].note
    assert [(analytic, [rung.text for rung in rungs]) for analytic, rungs in steps.costs] == [
        ("AN1793", ["0", "0", "0", "-", "-"])
    ]


def test_what_cannot_be_judged_is_no_miss_and_costs_no_number(make):
    card = card_of(make.trial(view="dns-only", judged=("AN1702",)), make.trial())
    steps = ladder(card, "builtin")
    assert steps.views == ("full", "dns-only")
    assert [rung.text for rung in steps.rows[0][2]] == ["0/1", "cannot run"]
    assert [rung.text for rung in steps.costs[0][1]] == ["0", "-"]


def test_recall_stands_above_its_price(make):
    wrong = make.finding(package="com.example.news", peer="feed.example")
    steps = ladder(card_of(make.trial(make.finding(), wrong)), "builtin")
    assert steps.costs[0][1][0].text == "0.5"
    assert steps.costs[0][1][0].note == "1 in 2 device-days, 95 % 0.0127 to 2.79"


def test_subjects_are_those_under_test(make):
    names = ("silent", "always", "zeta", "builtin")
    assert subjects(card_of(*(make.trial(detector=name) for name in names)), CONTROLS) == ["builtin", "zeta"]
    assert subjects(card_of(make.trial(detector="silent")), CONTROLS) == ["silent"]


def test_twins_stand_side_by_side(make):
    calm = make.truth(twin_of="polling-plain")
    card = card_of(
        make.trial(make.finding()),
        make.trial(make.finding(), view="netflow"),
        make.trial(make.finding(score=0.2), scenario="sync", truth=calm),
        make.trial(scenario="sync", truth=calm, view="netflow", status="failed"),
    )
    apart = twins(card, "builtin")
    ((scenario, twin, analytic, rungs),) = apart.rows
    assert (apart.views, scenario, twin, analytic) == (("full",), "polling-plain", "sync", "AN1793")
    assert [(rung.text, rung.heat) for rung in rungs] == [("1.00", 10)]
    assert "1 incidents against 2 devices" in rungs[0].note
    assert twins(card, "other").rows == ()


def test_twins_that_the_inventory_tells_apart_are_marked(make):
    def marked(**vouched):
        calm = make.truth(twin_of="polling-plain", packages={("phone-01", "com.example.vpn"): (1, "tools")}, **vouched)
        both = [
            trial
            for view in ("full", "no-app")
            for trial in (make.trial(make.finding(), view=view), make.trial(scenario="sync", truth=calm, view=view))
        ]
        return twins(card_of(*both), "builtin")

    helped = marked(vouched={("phone-01", "com.example.vpn"): ("sanctioned",)})
    assert [rung.text for rung in helped.rows[0][3]] == ["1.00*", "1.00"]
    assert helped.inventory == {("polling-plain", "sync"): "sanctioned"}
    assert [rung.text for rung in marked().rows[0][3]] == ["1.00", "1.00"]
    assert marked().inventory == {}
