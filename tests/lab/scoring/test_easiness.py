"""A suite is too easy where a control that knows one thing does nearly as well as the best detector under test."""

import pytest

from lab.score import CONTROLS, KNOWING
from lab.scoring.easiness import too_easy


def found(**aps):
    """Detectors of a scorecard, by name with _ for -: the AP and the recall at the budget of AN1793 under full."""
    cells = {name: dict(zip(("pr_auc", "recall_at_budget"), two, strict=True)) for name, two in aps.items()}
    return {
        name.replace("_", "-"): {"views": {"full": {"analytics": {"AN1793": cell}}}} for name, cell in cells.items()
    }


def easy(**aps):
    return [(row["control"], row["metric"], row["best"]) for row in too_easy(found(**aps), KNOWING, CONTROLS)]


def test_a_control_that_stays_below_says_nothing():
    assert easy(builtin=(0.5, 0.4), timing_only=(0.4, 0.3), rarity_only=(0.0, 0.0)) == []


@pytest.mark.parametrize("control", KNOWING)
def test_a_control_that_equals_the_best_is_told(control):
    known = {control.replace("-", "_"): (0.5, 0.3)}
    assert easy(builtin=(0.5, 0.4), worse=(0.1, 0.1), **known) == [(control, "pr_auc", "builtin")]
    assert easy(builtin=(0.4, 0.3), worse=(0.45, 0.1), **known) == [
        (control, "pr_auc", "worse"),
        (control, "recall_at_budget", "builtin"),
    ]


@pytest.mark.parametrize(("value", "told"), [(0.71, False), (0.73, True), (0.79, True), (0.95, True)])
def test_nearly_as_good_is_too_good_from_nine_tenths_on(value, told):
    clock = (value, 0.1)
    assert easy(builtin=(0.8, 0.9), timing_only=clock) == [("timing-only", "pr_auc", "builtin")] * told


def test_nothing_is_no_success_and_nobody_no_rival():
    assert easy(builtin=(0.0, 0.0), timing_only=(0.0, 0.0)) == []
    assert easy(timing_only=(0.9, 0.9), silent=(0.0, 0.0), always=(0.1, 0.0)) == []
    assert easy(builtin=(None, None), timing_only=(0.9, 0.9)) == [], "it could not judge there"
    assert easy(builtin=(0.5, 0.5), timing_only=(None, None)) == []
