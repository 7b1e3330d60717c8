"""What became of a poller in AN1793, by the same columns and scores as the findings."""

from __future__ import annotations

import numpy as np
import pytest

from detector.analytics import polling_explained
from detector.analytics.command_polling import measured
from detector.analytics.polling_explained import changeable, polling_groups
from detector.analytics.polling_score import scores
from detector.contract import Telemetry, detector, view
from detector.explanation import About, witnessed
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
US = 1_000_000
DAY = 86_400
TORCH = {"uid": 10_001, "package": "com.example.torch", "name": "c2.example", "sni": "c2.example"}
ABOUT = About("AN1793", ("phone-01",), 10_001, "com.example.torch", ("c2.example",), 0, DAY * US)


def explained(telemetry, about=ABOUT):
    return polling_groups(telemetry, LIMITS).explain(about, witnessed(telemetry, about))


def noisy(made, rng, count=40):
    """Contacts at any time, of any size: below the threshold."""
    for time in np.sort(rng.uniform(0, DAY, count)):
        made.flow(float(time), up=int(rng.integers(300, 9000)), down=int(rng.integers(300, 90_000)), **TORCH)
    return made.telemetry()


def test_an_alert_is_explained_as_one(made):
    made.polls(300.0 * np.arange(280), **TORCH)
    telemetry = made.telemetry()
    (finding,) = (one for one in detector("builtin").detect(telemetry) if one.analytic == "AN1793")
    found = detector("builtin").explain(telemetry, ABOUT)
    assert (found.outcome, found.counterfactual) == ("alert", None)
    assert found.score == pytest.approx(finding.score, abs=1e-6)
    assert {one.name: one.text for one in found.factors}["interval_regularity"]


def test_the_gate_says_what_was_applied_beside_what_was_measured(made):
    """A lone phone without a baseline: the gate cannot tell (0.338), and shape alone judges (1)."""
    made.polls(300.0 * np.arange(280), **TORCH)
    (gate,) = (one for one in explained(made.telemetry()).factors if one.name == "gate")
    assert gate.value == pytest.approx(0.3375)
    assert "1 was applied" in gate.text


def test_one_telemetry_is_measured_once_and_another_anew(made, monkeypatch):
    made.polls(300.0 * np.arange(280), **TORCH)
    one, telemetry, counted = detector("builtin"), made.telemetry(), []
    monkeypatch.setattr(polling_explained, "measured", lambda *args: counted.append(1) or measured(*args))
    assert one.explain(telemetry, ABOUT) == one.explain(telemetry, ABOUT)
    assert len(counted) == 1
    one.explain(made.telemetry(), ABOUT)
    assert len(counted) == 2


def test_a_miss_is_explained_and_its_counterfactual_fires(made, rng):
    telemetry = noisy(made, rng)
    found = explained(telemetry)
    assert found.outcome == "below"
    changes = [found.counterfactual] if found.counterfactual else found.together
    columns = dict(measured(telemetry, LIMITS).columns)
    row = int(np.argmax(scores(columns, LIMITS)))
    one = {name: column[row : row + 1].copy() for name, column in columns.items()}
    assert scores(one, LIMITS)[0] == pytest.approx(found.score, abs=1e-12)
    for change in changes:
        one[change.factor][:] = change.after
    assert scores(one, LIMITS)[0] >= LIMITS.threshold - 1e-9


def test_the_factors_are_the_columns_and_carry_what_the_score_would_lose(made, rng):
    telemetry = noisy(made, rng)
    found = explained(telemetry)
    assert {one.name for one in found.factors} == set(measured(telemetry, LIMITS).columns)
    assert all(one.contribution is None or 0 <= one.contribution <= found.score for one in found.factors)
    assert {one.name for one in found.factors if one.value is None} >= {"background_use", "own_days"}


def test_what_may_change_is_what_the_score_is_made_of(made, rng):
    groups = polling_groups(noisy(made, rng), LIMITS)
    assert set(changeable(LIMITS)) <= set(groups.columns)
    for name, limits in changeable(LIMITS).items():
        ends = [{**groups.columns, name: np.full(len(groups.uid), end)} for end in (limits.low, limits.high)]
        moved = [groups.scores({**columns, "baseline": np.ones(len(groups.uid))}) for columns in ends]
        assert np.isfinite(moved).all()


def test_a_sanctioned_app_is_excused(made):
    made.polls(300.0 * np.arange(280), **TORCH)
    made.app(10_001, "com.example.torch", "tools", sanctioned=True)
    found = explained(made.telemetry())
    assert found.outcome == "excused"
    assert "sanctioned" in found.text


@pytest.mark.parametrize(("count", "outcome"), [(0, "unseen"), (3, "too-few")])
def test_where_nothing_is_judged_it_says_why(made, count, outcome):
    made.polls(300.0 * np.arange(20), uid=10_002, package="com.example.news", name="news.example")
    made.polls(300.0 * np.arange(count), **TORCH)
    found = explained(made.telemetry())
    assert (found.outcome, found.score) == (outcome, None)


def test_rows_that_make_no_contacts_are_told_apart(made):
    made.polls(300.0 + 0.1 * np.arange(50), **TORCH)
    assert explained(made.telemetry()).outcome == "not-grouped"


def test_it_answers_under_a_view_without_apps_and_without_any_group(made):
    made.polls(300.0 * np.arange(280), **TORCH)
    about = About("AN1793", ("phone-01", "10.88.0.2"), 10_001, "com.example.torch", ("c2.example",), 0, DAY * US)
    found = explained(view("no-app")(made.telemetry()), about)
    assert found.outcome in ("alert", "below")
    assert "an unknown app on 10.88.0.2" in found.text
    assert detector("builtin").explain(Telemetry({}, span=(0, 1)), about) is None
