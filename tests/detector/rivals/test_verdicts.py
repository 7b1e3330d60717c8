"""Verdicts: the best window counts, the first that alerts decides, nothing is decided before it is seen."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.columns import Codes
from detector.rivals.pairs import Who
from detector.rivals.verdicts import Bar, Rated, Report, closing, decide
from detector.signature import Signature

BAR = Bar(0.6, 1.2)


def rated(*rows):
    """From (owner, score, first, last, decided)."""
    columns = list(zip(*rows, strict=True))
    score = np.array(columns.pop(1), float)
    owner, first, last, decided = (np.array(column, np.int64) for column in columns)
    return Rated(owner, score, first, last, decided)


def test_the_first_alert_decides_and_the_best_window_scores():
    (one,) = decide(rated((7, 0.4, 0, 1, 10), (7, 0.7, 10, 11, 20), (7, 1.1, 20, 21, 30), (7, 0.7, 30, 31, 40)), BAR)
    assert (one.owner, one.window, one.score, one.alert) == (7, 2, 1.1, True)
    assert (one.first, one.last, one.decided) == (10, 31, 20)


def test_a_near_miss_is_about_its_best_window_and_less_is_nothing():
    found = decide(rated((1, 0.29, 0, 1, 10), (2, 0.3, 0, 1, 10), (2, 0.5, 10, 11, 20)), BAR)
    assert [(one.owner, one.alert, one.first, one.decided) for one in found] == [(2, False, 10, 20)]


def test_a_weight_per_group_is_all_a_baseline_has_to_give():
    heavy = rated((0, 1.0, 0, 1, 2), (1, 1.0, 0, 1, 2)).weighed(np.array([1.0, 0.1]))
    assert [one.owner for one in decide(heavy, BAR)] == [0]


def test_a_finding_says_who_and_is_scaled():
    names = Codes(np.array([0]), ["phone-01"])
    report = Report(
        "AN1793", Who(names, np.array([-1]), Codes(np.array([-1]), []), names), Signature("x", "1", partial=True), BAR
    )
    (one,) = decide(rated((0, 0.6, 3, 4, 9)), BAR)
    found = report.finding(one, (), "a.example")
    assert (found.device, found.uid, found.package, found.peer) == ("phone-01", None, None, "a.example")
    assert (found.score, found.alert, found.severity, found.partial) == (0.5, True, "low", True)
    assert (found.first_seen, found.last_seen, found.decided_at) == (3, 4, 9)


def test_a_window_closes_with_the_telemetry():
    assert closing(np.array([0, 1, 2]), 100, 10, (100, 115)).tolist() == [110, 115, 121]


scores = st.tuples(st.integers(0, 4), st.floats(0, 1.2), st.integers(0, 9), st.integers(10, 19), st.integers(20, 99))


@settings(deadline=None)
@given(st.lists(scores, min_size=1, max_size=30))
def test_order_changes_nothing_and_one_group_gives_one_verdict(rows):
    found = decide(rated(*rows), BAR)
    assert len({one.owner for one in found}) == len(found)
    assert {one.owner for one in found if one.alert} == {row[0] for row in rows if row[1] >= BAR.alert}
    turned = decide(rated(*rows[::-1]), BAR)
    assert [(one.owner, one.score, one.alert) for one in found] == [(one.owner, one.score, one.alert) for one in turned]
    assert all(one.first <= one.decided for one in found)
