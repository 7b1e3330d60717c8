"""Plans: what a scenario says of itself."""

from __future__ import annotations

from lab.authoring.plans import TECHNIQUES, Background
from lab.scenario import find_scenario, load_scenario


def test_a_scenario_names_its_analytics_and_kinds_once_and_in_order():
    scenario = load_scenario(find_scenario("https-poll-5m"))
    assert scenario.analytics == ("AN1793",)
    assert "http-poll" in scenario.kinds
    assert list(scenario.kinds) == sorted(set(scenario.kinds))
    assert all(analytic in TECHNIQUES for analytic in scenario.analytics)


def test_an_app_is_there_all_the_time_and_a_phone_has_no_others_unless_asked():
    scenario = load_scenario(find_scenario("https-poll-5m"))
    assert scenario.background == Background() == Background(0, (), ())
    assert {(app.installed, app.removed, app.moves) for app in scenario.apps} == {(0, None, None)}
