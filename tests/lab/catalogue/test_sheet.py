"""A sheet holds every setting, every exchange, and what a twin does otherwise."""

from __future__ import annotations

import pytest

from lab.catalogue.sheet import differences, in_conditions, show
from lab.scenario import find_scenario, load_scenario


@pytest.fixture(scope="module")
def shown():
    return show("smoke-poll", 3)


def test_strips_hold_every_exchange(shown):
    assert shown["speakers"]
    assert all(sum(row["strip"]) == row["exchanges"] for row in shown["speakers"])
    assert {row["analytic"] for row in shown["speakers"]} == {None, "AN1793"}


def test_every_setting_is_shown_with_its_default_and_source(shown):
    rows = [row for app in shown["apps"] for one in app["behaviours"] for row in one["settings"]]
    period = next(row for row in rows if row["name"] == "period")
    assert {"value", "default", "unit", "minimum", "maximum", "choices", "source"} <= set(period)
    labelled = [one for app in shown["apps"] for one in app["behaviours"] if one["analytic"]]
    assert [(one["kind"], one["technique"]) for one in labelled] == [("http-poll", "T1437")]


def test_the_twin_is_told_apart_and_drawn_below(shown):
    assert list(shown["differences"]) == ["smoke-checkin"]
    subject = shown["differences"]["smoke-checkin"][0]
    assert subject["subject"]
    assert subject["here"] != subject["there"]
    assert {row["scenario"] for row in shown["strips"]} == {"smoke-poll", "smoke-checkin"}


def test_a_twin_shows_what_it_imitates():
    shown = show("smoke-checkin", 1)
    assert shown["twin_of"] == "smoke-poll"
    assert list(shown["differences"]) == ["smoke-poll"]


def test_a_scenario_does_not_differ_from_itself():
    scenario = load_scenario(find_scenario("smoke-poll"))
    assert differences(scenario, scenario) == []


def test_a_file_elsewhere_finds_its_twin_on_the_shelf(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(find_scenario("smoke-checkin").read_text())
    shown = show(str(path), 1)
    assert (shown["name"], shown["suites"], shown["twins"]) == ("mine", [], ["smoke-poll"])


def test_only_unusual_conditions_are_named():
    ordinary = show("smoke-poll", 1)["network"]
    assert in_conditions(ordinary) == ""
    assert in_conditions(ordinary | {"loss": 0.02}) == "loss 0.02"
