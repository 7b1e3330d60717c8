"""Quantities compare as numbers, explain what counts against a limit, and refuse to be compared about nothing."""

import pytest

from lab.asserting.quantity import CardUnderTest
from lab.errors import EvidenceError
from lab.gate.specimen import DETECTOR, card_of, specimen

pytest_plugins = "pytester"


@pytest.fixture(scope="module")
def card():
    trials = specimen()
    from dataclasses import replace

    spoiled = [replace(one, findings=()) if one.scenario == "specimen-01" else one for one in trials]
    return CardUnderTest(card_of(spoiled), DETECTOR, "full")


def test_rows_are_chosen_and_measured_as_the_gate_does(card):
    assert card.recall() == pytest.approx(22 / 24)
    assert card.recall("polling", period_max="5m") == pytest.approx(5 / 6)
    assert card.recall("AN1793", period_max="30s") == 1
    assert card.recall("relay", behaviour="socks-relay", scenario_not="specimen-01") >= "100%"
    assert card.recall(scenario=("specimen-00", "specimen-01")) == 0.5
    assert card.false_alarms_per_device_day() <= 0.001
    assert "15m" < card.time_to_detect("AN1793") < "30m"
    assert card.time_to_detect(percentile=50) < card.time_to_detect()
    assert 0 < card.pr_auc("AN1793") <= 1
    assert card.quantity("incidents", "AN1702") == 12
    assert card.recall(scenario="specimen-01") != 1
    assert (card.recall() == "100%") is False


def test_a_limit_that_is_not_met_names_what_counts_against_it(card):
    lines = card.recall("AN1793", period_max="15m").explained(">=", 0.95)
    assert lines[0] == "AN1793.recall{period<=15m} >= 0.95 [specimen, full]"
    assert lines[1].startswith("measured 88.9 %")
    assert any("missed phone-01/com.example.torch/http-poll (specimen-01, seed 1)" in line for line in lines)
    assert any("droidrange run specimen-01 --seed 1 --stage flows --detector specimen" in line for line in lines)
    assert lines[2].startswith("missed phone-01/")  # flush with what was measured
    assert lines[3].startswith("    droidrange run ")
    slow = card.time_to_detect("AN1793").explained("<=", "20m")
    assert [line.split()[1] for line in slow if "slower" in line] == ["phone-01/com.example.torch/http-poll"]
    assert len(card.recall().explained("<=", 0.1)) == 2  # nothing counts against what was to be little
    assert len(card.recall().explained("==", pytest.approx(0.5))) == 2
    assert len(card.recall("relay", scenario="specimen-02").explained("!=", 1)) == 2
    assert len(card.recall("relay", scenario="specimen-02").explained("==", 0.5)) == 2  # none of it was missed


@pytest.mark.parametrize("compare", [lambda q: q >= 0, lambda q: q <= 1, lambda q: q == 1, lambda q: q != 1, float])
def test_nothing_can_be_said_of_nothing(card, compare):
    nothing = card.recall(scenario="specimen-99")
    with pytest.raises(EvidenceError, match="its filters match no incident"):
        compare(nothing)
    assert "match no incident" in repr(nothing)


def test_what_cannot_be_asked_is_refused(card):
    with pytest.raises(EvidenceError, match="no incident here has a perod"):
        card.recall(perod_max="15m")
    with pytest.raises(ValueError, match="unknown analytic"):
        card.recall("AN1")
    with pytest.raises(ValueError, match="cannot be filtered by period"):
        card.false_alarms_per_device_day(period_max="1h")
    with pytest.raises(ValueError, match="expected a duration"):
        assert card.time_to_detect() < "soon"
    with pytest.raises(TypeError, match="compare it with a limit"):
        assert card.recall()


def test_a_failing_assertion_is_explained(inner):
    found = inner(
        test="""
        def test_left(scorecard):
            assert scorecard("specimen", "deaf").recall("AN1793", period_max="15m") >= 0.9

        def test_right(scorecard):
            assert 0.9 <= scorecard("specimen", "deaf").recall("AN1793")

        def test_crashed(scorecard):
            assert scorecard("specimen", "crashing").recall() >= 0

        def test_absent(scorecard):
            assert scorecard("specimen", "absent").recall() >= 0

        def test_nothing(scorecard):
            assert scorecard("specimen", "good").recall(scenario="nowhere") <= 1
        """
    )
    found.assert_outcomes(failed=2, errors=2, skipped=1)
    found.stdout.fnmatch_lines(
        [
            "E * AN1793.recall{period<=15m} >= 0.9 ?deaf, full?*",
            "E *missed phone-01/*",
            "E *droidrange run specimen-00*",
        ]
    )
    found.stdout.fnmatch_lines(["*AN1793.recall >= 0.9 ?deaf, full?*"])
    found.stdout.fnmatch_lines(["*ERROR*test_crashed*", "*3 of 3 trials failed*"])
    assert len(inner.played()) == 4
