"""Incidents one by one: missed ones first, texts once, and no more than a page has room for."""

import json
import shlex

import pytest

from lab.report import drill
from lab.report.drill import cases, packed
from lab.report.strips import Strip
from lab.score import score

PLACE = ("polling-plain", 1, "full", "builtin", "phone-01/com.example.torch/http-poll")


@pytest.fixture
def card(make):
    trials = [make.trial(make.finding(score=0.3, alert=False)), make.trial(make.finding(), scenario="polling-other")]
    return score(trials, suite="c", seeds=1, budget=0.001).to_json()


def answer(**changes):
    factor = {"name": "regular", "value": 0.123456, "contribution": 0.2, "expected": "below 0.5"}
    row = {"outcome": "below", "text": "scored 0.3, below 0.6", "score": 0.3, "threshold": 0.6, "together": ()}
    row["factors"] = [factor, {**factor, "name": "idle", "contribution": 0.0}]
    return {**row, "counterfactual": {"text": "0.9 instead of 0.1 had fired"}, **changes}


def test_missed_ones_come_first_with_what_would_have_fired(card):
    first, second = cases(card, ["builtin"], {PLACE: answer()})
    assert first.about["verdict"] == "missed"
    assert first.why == "scored 0.3, below 0.6; 0.9 instead of 0.1 had fired"
    assert second.chips == [("builtin", [("full", "detected")])]
    assert second.why == "contacts come every 300 s" or "period_s" in second.why


def test_the_commands_are_one_word_each_to_a_shell(card):
    card["incidents"][0]["incident"] = "x'; rm -rf $(HOME) #"
    words = [word for one in cases(card, ["builtin"], {}) for word in shlex.split(one.again)]
    assert "x'; rm -rf $(HOME) #" in words


def test_an_answer_is_packed_with_the_factors_that_carry(card):
    made = packed(cases(card, ["builtin"], {PLACE: answer()}), (), {PLACE: answer()})
    (one,) = made["answers"]
    assert made["texts"][one[0]] == "scored 0.3, below 0.6"
    assert one[1:3] == [0.3, 0.6]
    assert one[3] == [[0, 0.1235, 0.2, 1]]
    assert made["factors"] == ["regular", "below 0.5"]
    assert made["cases"][0]["verdicts"][0][7:] == [0, []]
    assert made["cases"][1]["verdicts"][0][7] == -1


def test_a_strip_is_columns_and_sizes_are_thinned_and_counted(card):
    said = [(time, 10 + time, 20) for time in range(1000)]
    strip = Strip(*PLACE[:2], PLACE[4], 0, 86_400_000_000, [(0, 1)], sizes=said)
    one = packed(cases(card, ["builtin"], {}), [strip], {})["cases"][0]
    assert (one["sizes"], len(one["up"]), one["up"][-1]) == (1000, drill.SIZES_EACH, 1009)
    assert one["lanes"] == [[0, 1], [], [], []]


def test_answers_beyond_the_room_are_counted_and_those_to_missed_ones_stay(card, monkeypatch):
    monkeypatch.setattr(drill, "ANSWERS_AT_MOST", 1)
    other = ("polling-other", *PLACE[1:])
    told = {other: answer(text="found"), PLACE: answer()}
    made = packed(cases(card, ["builtin"], told), (), told)
    assert made["left_out"] == 1
    assert made["texts"][made["answers"][0][0]] == "scored 0.3, below 0.6"


def test_no_text_steers_a_terminal_or_a_reader(card):
    told = {PLACE: answer(text="a\u202eb\x1b[31m")}
    made = json.dumps(packed(cases(card, ["builtin"], told), (), told), ensure_ascii=False)
    assert "\u202e" not in made
    assert "\\u001b" not in made
