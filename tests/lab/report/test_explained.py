"""Explanations as a person reads them."""

from __future__ import annotations

import pytest

from lab.report.explained import OUTCOMES, print_explained

ABOUT = {"devices": ["phone-01"], "package": "com.example.torch", "peers": ["c2.example"], "analytic": "AN1793"}
FACTORS = [
    {"name": "clock", "value": 0.41, "weight": 0.3, "contribution": 0.123, "expected": "below 0.5"},
    {"name": "state", "value": None, "weight": 0.3, "contribution": None, "expected": ""},
]
ANSWER = {
    "input": "x",
    "detector": "builtin",
    "view": "full",
    "incident": "phone-01/torch/poll",
    "analytic": "AN1793",
    "outcome": "below",
    "explains": True,
    "about": ABOUT,
    "seen": {"flows": 1, "exchanges": 2, "lookups": 0},
    "text": "scored 0.5, below 0.6",
    "score": 0.5,
    "threshold": 0.6,
    "factors": FACTORS,
    "counterfactual": {"text": "clock 0.7 instead of 0.41 would have fired"},
    "together": [],
    "findings": [],
}
REASON = {"feature": "ts_score", "value": 0.9, "expected": "below 0.7", "weight": 1.0, "text": "a clock"}
FINDING = {"alert": False, "score": 0.33, "peer": "c2.example", "reasons": [REASON]}


@pytest.fixture
def shown(capsys):
    def show(*answers):
        print_explained(answers)
        return " ".join(capsys.readouterr().out.split())

    return show


def test_it_names_who_what_became_of_it_every_factor_and_the_smallest_change(shown):
    told = shown(ANSWER)
    assert told.startswith(
        "phone-01/torch/poll: AN1793 by builtin, view full below the threshold scored 0.5, below 0.6"
    )
    assert "1 flow, 2 exchanges, 0 look-ups" in told
    assert "clock 0.41 0.3 0.123 below 0.5" in told
    assert "unknown: state" in told
    assert told.endswith("smallest change: clock 0.7 instead of 0.41 would have fired")


def test_changes_that_only_help_together_stand_in_one_line(shown):
    told = shown({**ANSWER, "counterfactual": None, "together": [{"text": "a 1"}, {"text": "b 2"}]})
    assert told.endswith("only together: a 1; b 2")


def test_a_detector_that_cannot_explain_shows_its_reasons(shown):
    mute = {**ANSWER, "explains": False, "text": None, "factors": None, "counterfactual": None, "detector": "rita"}
    told = shown({**mute, "findings": [FINDING], "incident": None})
    assert told.startswith("phone-01/com.example.torch/c2.example: AN1793 by rita")
    assert "rita cannot explain itself; what it found stands below" in told
    assert "near miss, score 0.33, c2.example ts_score 0.9 (below 0.7): a clock" in told
    assert "it found nothing here" in shown({**mute, "outcome": "silent"})


def test_an_exception_is_told_and_what_is_not_judged_is_said(shown):
    reason = {**REASON, "feature": "exception", "text": "documented exception 1"}
    assert "documented exception 1" in shown({**ANSWER, "findings": [{**FINDING, "reasons": [REASON, reason]}]})
    assert "does not judge AN1793 here" in shown({**ANSWER, "text": None, "factors": None, "outcome": "silent"})


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_words(shown, outcome):
    assert OUTCOMES[outcome] in shown({**ANSWER, "outcome": outcome})


def test_hostile_names_do_not_steer_the_terminal_and_nothing_is_said_of_nothing(shown):
    assert "\x1b[2J" not in shown({**ANSWER, "incident": "a\x1b[2J", "text": "b\x1b[2J"})
    assert "nothing to explain" in shown()
