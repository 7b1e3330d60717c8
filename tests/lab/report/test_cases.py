"""Cases: one for each incident, detector and view, also where there is no score."""

from collections import Counter

from lab.report.cases import STATUSES, cells, counted, seeds, stray


def test_every_ending_is_a_case(exports):
    found = exports.cases(exports.card())
    assert counted(found) == {"detected": 13, "missed": 2, "unseen": 2, "unsupported": 3, "failed": 3}
    assert set(STATUSES) == {case.status for case in found}


def test_each_incident_is_one_case_and_a_lost_trial_is_one_too(exports):
    found = exports.cases(exports.card())
    places = Counter((case.scenario, case.incident) for case in found)
    assert set(places.values()) == {1}
    assert [case.scenario for case in found if not case.incident] == ["specimen-05"]
    assert len(found) == 2 * 11 + 1


def test_a_case_says_why_and_how_to_play_it_again(exports):
    by_scenario = {(case.scenario, case.analytic): case for case in exports.cases(exports.card())}
    missed = by_scenario["specimen-00", "AN1793"]
    assert missed.headline == "missed: best score 0.40, no alert that counts"
    assert missed.told == ["period_s 300 (no one period): equal gaps"]
    assert missed.command.startswith(
        "droidrange run specimen-00 --seed 1 --stage flows --detector specimen --view full"
    )
    assert by_scenario["specimen-00", "AN1702"].why == "nothing was said of it"
    assert by_scenario["specimen-01", "AN1702"].headline == "failed: crashed"
    assert by_scenario["specimen-02", "AN1793"].headline == "unsupported: no sockets"
    assert by_scenario["specimen-03", "AN1702"].why == "the detector cannot judge AN1702 on what this view shows"
    assert by_scenario["specimen-05", ""].name == "trial of specimen-05"
    assert by_scenario["specimen-06", "AN1793"].headline == "detected after 16 min, score 0.90"


def test_controls_are_no_cases_unless_there_is_nothing_else(exports):
    card = exports.clean()
    card["detectors"]["silent"] = card["detectors"]["specimen"]
    assert cells(card) == [("specimen", "full")]
    del card["detectors"]["specimen"]
    assert cells(card) == [("silent", "full")]


def test_words(exports):
    card = exports.card()
    assert seeds(card) == "1 seed"
    assert seeds({"seeds": 2}) == "2 seeds"
    assert stray(card["false_alarms"][0]) == "phone-01/com.example.news to api.vendor.example"
    assert stray({"device": "phone-01", "package": None, "peer": None}) == "phone-01/unknown"
