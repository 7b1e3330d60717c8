"""Changes: values, direction and chance, each in both directions; the chances agree with scipy's."""

import pytest
from scipy.stats import binomtest

from lab.comparing.changes import TESTED, TOLD, changes
from lab.comparing.overlap import common


def between(made, before=None, now=None):
    found = changes(common(made.card(**before or {}), made.card(**now or {})))
    return {(one.analytic, one.metric): one for one in found}


def test_nothing_changed(made):
    found = between(made)
    assert set(found) == {(analytic, metric) for analytic in ("AN1793", "AN1702") for metric in (*TESTED, *TOLD)}
    assert {(one.difference, one.better, one.significant, one.reason) for one in found.values()} == {
        (0.0, None, False, "")
    }
    assert {one.p for one in found.values()} == {1.0, None}


@pytest.mark.parametrize("turned", [False, True])
def test_lost_and_found(made, turned):
    how = [{}, {"lost": range(8)}]
    found = between(made, *(how[::-1] if turned else how))["AN1793", "recall"]
    assert found.p == pytest.approx(binomtest(8, 8, 0.5).pvalue)
    assert (found.better, found.significant) == (turned, True)
    assert found.difference == pytest.approx((1 if turned else -1) * 8 / 12)
    low, high = found.difference_ci
    assert low <= found.difference <= high
    flipped = found.gained if turned else found.lost
    assert [one.scenario for one in flipped] == [f"specimen-{number:02d}" for number in range(8)]
    assert flipped[0].command.startswith("droidrange run specimen-00 --seed 1 ")
    assert (found.lost if turned else found.gained) == ()


def test_few_flips_are_chance(made):
    found = between(made, {"lost": [1]}, {"lost": [0]})["AN1793", "recall"]
    assert (found.p, found.better, found.significant) == (1.0, None, False)
    assert [len(found.lost), len(found.gained)] == [1, 1]
    one = between(made, {}, {"lost": [0]})["AN1793", "recall"]
    assert (one.better, one.significant) == (False, False)


@pytest.mark.parametrize("turned", [False, True])
def test_alarms(made, turned):
    how = [{}, {"noise": range(10)}]
    found = between(made, *(how[::-1] if turned else how))["AN1793", "false_alarms_per_device_day"]
    assert (found.better, found.significant) == (turned, True)
    named = found.gained if turned else found.lost
    assert {one.how for one in named} == {"gone" if turned else "alarm"}
    assert len(named) == 10


@pytest.mark.parametrize("turned", [False, True])
def test_delays(made, turned):
    how = [{}, {"late": range(12)}]
    found = between(made, *(how[::-1] if turned else how))["AN1702", "time_to_detect_p50"]
    assert abs(found.difference) == pytest.approx(3600.0)
    assert (found.better, found.significant) == (turned, True)


def test_what_was_never_detected_has_no_delay(made):
    found = between(made, {"lost": range(12)}, {"lost": range(12)})["AN1702", "time_to_detect_p50"]
    assert (found.p, found.better) == (None, None)
    assert found.reason.startswith("nothing of it was detected in both")


def test_numbers_of_a_whole_suite_are_told_only_of_the_same(made):
    assert ("AN1793", "pr_auc") not in between(made, {"count": 6}, {})
    assert between(made, {}, {"lost": [0]})["AN1793", "pr_auc"].better is False


def test_json(made):
    import json

    row = between(made, {}, {"lost": range(8)})["AN1793", "recall"].to_json()
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row["lost"][0]["how"] == "lost"
