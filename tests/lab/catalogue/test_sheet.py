"""A sheet holds every setting, every exchange, and what a twin does otherwise."""

from __future__ import annotations

import json

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


def test_what_each_is_about_stands_first_even_where_its_app_is_in_both():
    pair = [load_scenario(find_scenario(name)) for name in ("moving-poll", "moving-8m-booking")]
    first, *rest = differences(*pair)
    assert first == {
        "what": "about",
        "here": "com.copper.wallet http-poll (AN1793)",
        "there": "com.lilac.booking periodic-sync (benign)",
        "subject": True,
    }
    assert "com.lilac.booking" not in {row["what"] for row in rest}


def test_what_one_lacks_is_said_and_no_cell_is_empty():
    rows = show("smoke-poll", 1)["differences"]["smoke-checkin"]
    assert "not there" in {row["there"] for row in rows}
    assert all(row["here"] and row["there"] for row in rows)


def test_look_ups_are_the_phones_own_and_no_app_of_the_library():
    bare, full = show("dns-poll-txt", 1), show("tunnelled-poll", 1)
    assert not any(row["background"] for row in bare["speakers"])
    assert {row["package"] for row in bare["speakers"] if row["system"]} == {"netd"}
    assert {row["package"] for row in full["speakers"] if row["system"]} == {"netd", "vpn"}
    apps = {(row["device"], row["package"]) for row in full["speakers"] if row["background"]}
    assert 0 < len(apps) <= full["devices"] * full["background_apps"]


def test_the_json_is_whole_and_plain():
    shown = show("relay-under-vpn", 1)
    assert json.loads(json.dumps(shown, allow_nan=False))["start"] == "2026-03-02T00:00:00.000000Z"
    assert {"state", "network", "background", "apps", "expectations", "differences", "strips", "speakers"} <= set(shown)
    assert {type(row["subject"]) for rows in shown["differences"].values() for row in rows} == {bool}


def test_only_unusual_conditions_are_named():
    ordinary = show("smoke-poll", 1)["network"]
    assert in_conditions(ordinary) == ""
    assert in_conditions(ordinary | {"loss": 0.02}) == "loss 0.02"


def test_a_file_elsewhere_finds_its_twin_in_its_own_folder(tmp_path):
    (tmp_path / "my-poll.toml").write_text(find_scenario("smoke-poll").read_text())
    twin = find_scenario("smoke-checkin").read_text().replace('twin_of = "smoke-poll"', 'twin_of = "my-poll"')
    (tmp_path / "my-checkin.toml").write_text(twin)
    for name, other in (("my-poll", "my-checkin"), ("my-checkin", "my-poll")):
        shown = show(str(tmp_path / f"{name}.toml"), 1)
        assert shown["twins"] == [other]
        assert list(shown["differences"]) == [other]
