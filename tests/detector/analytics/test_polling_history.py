"""The past of an app as columns: a pace that is kept or not, a vendor that moved, an implant that only comes along."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detector.analytics.polling_history import NAMES
from detector.analytics.polling_measured import is_rare, measured
from detector.baseline import learn
from detector.thresholds import load_thresholds

LIMITS = load_thresholds().polling
DAY = 86_400
APP = {"uid": 10_001, "package": "com.example.torch"}


def past(made, *, phones=1, **names):
    """A baseline of two days in which the app polls each name at so many seconds, on other phones other names."""
    days = type(made)()
    days.span_s = 2 * DAY
    for name, every in names.items():
        for phone in range(1, phones + 1):
            where = f"{name}.example" if phone == 1 else f"{name}{phone}.example"
            days.polls(np.arange(0, days.span_s, every), **APP, device=f"phone-{phone:02}", name=where)
    return learn(days.telemetry())


def columns(made, baseline, name="new.example"):
    found = measured(replace(made.telemetry(), baseline=baseline), LIMITS)
    (group,) = np.flatnonzero([found.destination.text(k) == name for k in range(len(found))]).tolist()
    return {each: float(column[group]) for each, column in found.columns.items()}


@pytest.mark.parametrize(("every", "least", "most"), [(600, 0, 0), (200, 0.2, 0.4), (60, 1, 1)])
def test_a_known_destination_vouches_for_its_pace_and_no_more(made, every, least, most):
    made.polls(np.arange(0, DAY, every), **APP, name="old.example")
    found = columns(made, past(made, old=600), "old.example")
    assert least <= found["surge"] <= most
    assert (found["usual_per_day"], found["per_day"]) == (pytest.approx(144), DAY // every)


@pytest.mark.parametrize("every", [0.9, 1.5, 2.5])
def test_a_fast_pace_is_held_against_itself_however_finely_it_is_judged(made, every):
    """A baseline counts what is closer than 2 s once; the analytic looks closer where that blurs."""
    hour = np.arange(0, 3600, every)
    days = type(made)()
    days.span_s = 2 * DAY
    days.polls(np.concatenate([hour, DAY + hour]), **APP, name="old.example")
    made.polls(hour, **APP, name="old.example")
    found = columns(made, learn(days.telemetry()), "old.example")
    assert found["contacts"] == len(hour)
    assert found["surge"] == 0
    assert found["per_day"] == pytest.approx(found["usual_per_day"])


def test_a_vendor_that_moves_is_succeeded_by_itself(made):
    made.polls(np.arange(0, 30_000, 300), **APP, name="old.example")
    made.polls(np.arange(30_000, DAY, 300), **APP, name="new.example")
    found = columns(made, past(made, old=300))
    assert found["succession"] == pytest.approx(1, abs=1e-3)
    assert columns(made, past(made, old=300), "old.example")["succession"] == 0


@pytest.mark.parametrize(
    ("begin", "every", "until"),
    [(30_000, 300, DAY), (30_000, 10, 30_000), (80_000, 300, 10_000)],
    ids=["the old one goes on", "at quite another rate", "long after it"],
)
def test_what_only_comes_along_succeeds_nobody(made, begin, every, until):
    made.polls(np.arange(0, until, 300), **APP, name="old.example")
    made.polls(np.arange(begin, DAY, every), **APP, name="new.example")
    assert columns(made, past(made, old=300))["succession"] < 0.5


def test_a_move_on_another_device_or_app_explains_nothing(made):
    made.polls(np.arange(0, 30_000, 300), **APP, name="old.example")
    made.polls(np.arange(30_000, DAY, 300), **APP, name="new.example")
    baseline = past(made, old=300)
    assert columns(made, baseline)["succession"] == pytest.approx(1, abs=1e-3), "control"
    for row in made.rows["flows"]:
        row["package"] = "com.example.other"
    assert np.isnan(columns(made, baseline)["succession"])
    for row in made.rows["flows"]:
        row["package"], row["device"] = APP["package"], "phone-02"
    assert np.isnan(columns(made, baseline)["succession"])


def test_an_app_that_always_finds_new_places_is_held_against_that(made):
    made.polls(np.arange(0, DAY, 600), **APP, name="new.example")
    habit = past(made, phones=2, blog=600, press=600, radio=600)
    assert columns(made, habit)["own_places"] == 0
    assert columns(made, past(made, blog=600, press=600, radio=600))["own_places"] == 1, "one phone makes no habit"
    assert columns(made, past(made, vendor=600))["own_places"] == 1


def test_rotating_names_are_held_against_all_strangers_together(made):
    for k, time in enumerate(np.arange(0, DAY, 300)):
        made.flow(float(time), **APP, name=f"n{k // 40}.made{k}.example")
    found = measured(replace(made.telemetry(), baseline=past(made, vendor=300)), LIMITS)
    (group,) = np.flatnonzero([is_rare(text or "") for text in map(found.destination.text, range(len(found)))]).tolist()
    assert found.columns["own_places"][group] == 1, "control: a vendor's app has no such habit"
    known = replace(made.telemetry(), baseline=past(made, phones=2, blog=600, press=600, radio=600))
    assert measured(known, LIMITS).columns["own_places"][group] == 0
    assert np.isnan(found.columns["surge"][group])


def test_without_a_learned_baseline_nothing_of_it_is_known(made):
    made.polls(np.arange(0, DAY, 300), **APP, name="new.example")
    found = measured(made.telemetry(), LIMITS)
    assert all(np.isnan(found.columns[name]).all() for name in NAMES)
