"""What became of a group, in words and numbers that come from the score itself."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from detector.columns import Codes
from detector.counterfactual import Limits
from detector.explanation import About, Witnessed
from detector.scored_groups import ScoredGroups, nobody

US = 1_000_000
ABOUT = About("AN1793", ("phone-01",), None, "com.example.torch", ("c2.example",), 0, 100 * US)
SEEN = Witnessed(flows=9, exchanges=0, lookups=0)


def scores(columns):
    known = np.where(np.isnan(columns["state"]), 0.5, columns["state"])
    return columns["gate"] * (0.6 * columns["clock"] + 0.4 * known)


def groups(**changes):
    """Three groups: the app's with c2.example and with a host below it, and another app's."""
    values = {
        "device": Codes(np.zeros(3, np.int64), ["phone-01"]),
        "uid": np.array([1, 1, 2]),
        "package": Codes(np.array([0, 0, 1]), ["com.example.torch", "com.example.news"]),
        "peer": Codes(np.array([0, 1, 0]), ["c2.example", "a.c2.example"]),
        "first": np.zeros(3, np.int64),
        "last": np.full(3, 50 * US),
        "columns": {
            "gate": np.array([0.8, 0.2, 1.0]),
            "clock": np.array([0.9, 1.0, 1.0]),
            "state": np.array([np.nan, 0.1, 1.0]),
        },
        "scores": scores,
        "threshold": 0.7,
        "limits": dict.fromkeys(("gate", "clock", "state"), Limits(0, 1)),
        "fewest": 6,
        "expected": {"gate": "near 0"},
        "weights": {"clock": 0.6},
    }
    return ScoredGroups(**{**values, **changes})


def test_of_several_groups_the_one_that_scored_most_is_explained():
    found = groups().explain(ABOUT, SEEN)
    assert (found.outcome, found.threshold) == ("below", 0.7)
    assert found.score == pytest.approx(0.8 * (0.54 + 0.2))
    assert found.text == (
        "com.example.torch on phone-01 to c2.example, of 2 groups meant the one that scored most, "
        "scored 0.592, below 0.7"
    )


def test_factors_carry_what_the_score_would_lose_and_unknown_is_none():
    factors = {one.name: one for one in groups().explain(ABOUT, SEEN).factors}
    assert list(factors) == ["gate", "clock", "state"]
    assert factors["gate"].contribution == pytest.approx(0.592)
    assert factors["clock"].contribution == pytest.approx(0.8 * 0.54)
    assert (factors["state"].value, factors["state"].contribution) == (None, None)
    assert (factors["gate"].expected, factors["gate"].weight, factors["clock"].weight) == ("near 0", None, 0.6)


def test_the_counterfactual_fires_when_it_is_tried():
    found = groups().explain(ABOUT, SEEN).counterfactual
    assert (found.factor, found.before) == ("gate", 0.8)
    assert groups().explain(ABOUT, SEEN).together == ()
    assert found.after == pytest.approx(0.7 / 0.74)
    columns = {name: column.copy() for name, column in groups().columns.items()} | {"gate": np.array([found.after] * 3)}
    again = groups(columns=columns).explain(replace(ABOUT, peers=("c2.example",)), SEEN)
    assert again.outcome == "alert"
    assert found.text.startswith("gate 0.9459 instead of 0.8 would have fired")


def test_what_no_single_factor_mends_is_said():
    found = groups(threshold=0.99).explain(ABOUT, SEEN)
    assert found.counterfactual is None
    assert "no change of one factor alone" in found.text
    assert {one.factor for one in found.together} == {"gate", "clock", "state"}
    changed = {one.factor: np.array([one.after]) for one in found.together}
    assert scores(changed)[0] >= 0.99
    assert groups(threshold=1.1).explain(ABOUT, SEEN).together == ()


def test_an_alert_and_an_excuse_have_no_counterfactual():
    low = groups(threshold=0.3)
    assert low.explain(ABOUT, SEEN).outcome == "alert"
    excused = replace(low, excuse=lambda row: "on a list" if row == 0 else None).explain(ABOUT, SEEN)
    assert (excused.outcome, excused.counterfactual) == ("excused", None)
    assert excused.text.endswith("is excused: on a list")


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [(Witnessed(0, 0, 0), "unseen"), (Witnessed(2, 5, 0), "too-few"), (Witnessed(2, 6, 0), "not-grouped")],
)
def test_where_there_is_no_group_it_says_why(seen, outcome):
    found = groups().explain(replace(ABOUT, package="com.example.other"), seen)
    assert (found.outcome, found.score, found.factors) == (outcome, None, ())
    if outcome == "too-few":
        assert (found.counterfactual.before, found.counterfactual.after) == (5, 6)
    else:
        assert found.counterfactual is None


def test_it_is_plain_json():
    told = groups(uid=np.full(3, -1), package=nobody(3)).explain(ABOUT, SEEN).to_json()
    assert json.loads(json.dumps(told, allow_nan=False))["about"]["peers"] == ["c2.example"]
    assert "an unknown app on phone-01" in told["text"]


def test_a_key_of_several_peers_answers_for_those_without_a_group_of_their_own():
    rotating = Codes(np.array([0, 1, 1]), ["c2.example", "*rare*"])
    one = groups(peer=rotating, merged="*rare*")
    assert one.explain(ABOUT, SEEN).score == pytest.approx(0.592)
    other = one.explain(replace(ABOUT, peers=("gone.example",)), SEEN)
    assert other.score == pytest.approx(0.2 * 0.64)
    assert replace(one, merged=None).explain(replace(ABOUT, peers=("gone.example",)), SEEN).outcome == "not-grouped"
