"""Scenario files: every fault at once and in its place, and every file on disk loads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ScenarioError
from lab.scenario import (
    find_scenario,
    load_scenario,
    load_suite,
    parse_scenario,
    scenario_names,
    scenarios_folder,
    suite_names,
    suite_scenarios,
)

GOOD = """
question = "Is it seen?"
span = "2h"
devices = 3
start = 2026-03-02T19:00:00Z
[[app]]
package = "com.meadow.weather"
category = "weather"
roles = ["mail"]
on = 2
[[app.behaviour]]
kind = "http-poll"
label = "AN1793"
period = "5m"
[[expect]]
behaviour = "http-poll"
contacts = { at_least = 20 }
"""
BAD = """
question = "This asks nothing."
span = "2 hours"
devices = 0
devises = 3
[state]
profile = "astronaut"
[[app]]
package = "Weather"
category = "weather"
[[app.behaviour]]
kind = "http-poll"
label = "AN9999"
perod = "5m"
[[app]]
package = "com.meadow.other"
category = "tools"
on = 0
[[app.behaviour]]
kind = "http-pol"
[[app.behaviour]]
kind = "http-poll"
jitter = 3
host = "93.184.216.34"
[[app.behaviour]]
label = "AN1793"
[[expect]]
behaviour = "http-poll"
contacts = { atleast = 3 }
"""


def parse(text):
    return parse_scenario(text.encode(), name="x", place="scenarios/polling/x.toml")


def faults(text):
    with pytest.raises(ScenarioError) as raised:
        parse(text)
    return raised.value.faults


def test_a_good_file_becomes_values():
    scenario = parse(GOOD)
    assert (scenario.span, scenario.devices, scenario.start) == (7_200_000_000, 3, 1_772_478_000_000_000)
    app = scenario.apps[0]
    assert (app.label, app.on, app.roles, app.sanctioned) == ("Weather", 2, ("mail",), False)
    assert (app.behaviours[0].label, app.behaviours[0].behaviour.period) == ("AN1793", 300.0)
    assert scenario.expectations[0].bounds == {"contacts": (20.0, None)}
    assert (scenario.analytics, scenario.kinds, scenario.twin_of) == (("AN1793",), ("http-poll",), "")
    assert len(scenario.sha256) == 64


@pytest.mark.parametrize(
    "expected",
    [
        "question: found 'This asks nothing.', expected one sentence that ends with",
        "span: found '2 hours', expected a duration",
        "devices: found 0",
        "unknown field 'devises'; did you mean 'devices'?",
        "state: profile: unknown profile 'astronaut'; known are driver, kiosk, night-nurse, office-worker, spare, student",
        "app 1: package: found 'Weather'",
        "app 1, behaviour 1: label: found 'AN9999'",
        "app 1, behaviour 1: unknown setting 'perod'; did you mean 'period'?",
        "app 2: on: found 0",
        "app 2, behaviour 1: unknown kind 'http-pol'; known are",
        "did you mean 'http-poll'?",
        "app 2, behaviour 2: jitter: found 3, expected from 0 to 1",
        "app 2, behaviour 2: host: '93.184.216.34' is a routable destination",
        "app 2, behaviour 3: field 'kind' is missing",
        "expect 1, contacts: unknown field 'atleast'; did you mean 'at_least'?",
    ],
)
def test_one_run_names_every_fault_in_its_place(expected):
    found = faults(BAD)
    assert all(fault.startswith("scenarios/polling/x.toml: ") for fault in found)
    assert any(expected in fault for fault in found), found


def test_faults_between_tables_are_found():
    twice = GOOD.replace("on = 2", "on = 7") + '[[app]]\npackage = "com.meadow.weather"\ncategory = "tools"\n'
    found = faults(twice.replace('behaviour = "http-poll"', 'behaviour = "dns-poll"'))
    assert any("app 1: on: found 7, but there are 3 devices" in fault for fault in found)
    assert any("app 2: package 'com.meadow.weather' stands twice" in fault for fault in found)
    assert any("expect 1: no app here has the behaviour 'dns-poll'" in fault for fault in found)


def test_a_category_is_one_of_google_plays():
    found = faults(GOOD.replace('category = "weather"', 'category = "wether"'))
    assert any("unknown category 'wether'; did you mean 'weather'?" in fault for fault in found)


@pytest.mark.parametrize("text", ["question = \n", "a = 1\na = 2\n", "[[app"])
def test_broken_toml_says_line_and_column(text):
    (fault,) = faults(text)
    assert "not TOML" in fault
    assert "line" in fault


def test_bytes_that_are_no_text_are_a_fault():
    with pytest.raises(ScenarioError, match="not TOML"):
        parse_scenario(b"\xff\xfe", name="x", place="x.toml")


def test_a_start_needs_an_offset():
    (fault,) = faults(GOOD.replace("19:00:00Z", "19:00:00"))
    assert "start: " in fault
    assert "expected a time with an offset" in fault


@pytest.mark.parametrize("wrong", ['app = "x"', "app = [1]", "app = []", "[[app]]\nbehaviour = [3]"])
def test_tables_of_the_wrong_shape_are_faults_not_crashes(wrong):
    assert faults(f'question = "Is it seen?"\nspan = "2h"\ndevices = 1\n{wrong}\n')


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_loads_and_asks(name):
    scenario = load_scenario(find_scenario(name))
    assert scenario.name == name
    assert scenario.expectations
    malicious = {scenario.twin_of} - {""}
    assert malicious <= set(scenario_names())


def test_the_core_suite_is_large_enough_and_balanced():
    name, scenarios = suite_scenarios("core")
    assert name == "core"
    assert len(scenarios) >= 10
    assert all(scenario.span == 86_400_000_000 and scenario.devices >= 3 for scenario in scenarios)
    malicious = [scenario for scenario in scenarios if scenario.analytics]
    assert {one.twin_of for one in scenarios} >= {one.name for one in malicious}
    assert {analytic for one in malicious for analytic in one.analytics} == {"AN1793", "AN1702"}
    infected = [(app.on, one.devices) for one in malicious for app in one.apps if any(p.label for p in app.behaviours)]
    assert sum(on < devices for on, devices in infected) >= 5, "most have clean phones, so that one can be told"
    assert {on for on, _ in infected} == {1, 2, 3}, "how often an app is installed says nothing"


def test_a_twin_is_installed_as_often_as_what_it_imitates():
    by_name = {scenario.name: scenario for scenario in suite_scenarios("core")[1]}
    for twin in (one for one in by_name.values() if one.twin_of):
        original = by_name[twin.twin_of]
        (imitated,) = (app for app in original.apps if any(plan.label for plan in app.behaviours))
        others = {app.package: app for app in original.apps if app is not imitated}
        (imitator,) = (app for app in twin.apps if app.package not in others)
        assert (imitator.on, len(imitator.behaviours)) == (imitated.on, len(imitated.behaviours))
        for app in twin.apps:
            if app is not imitator:
                assert app == others[app.package], "nothing else differs"


def test_malicious_and_twin_live_in_the_same_world():
    _, scenarios = suite_scenarios("core")
    by_name = {scenario.name: scenario for scenario in scenarios}
    for twin in scenarios:
        if twin.twin_of:
            shared = {app.package for app in twin.apps} & {app.package for app in by_name[twin.twin_of].apps}
            assert len(shared) == len(twin.apps) - 1
            assert 6 <= len(shared) <= 12


def test_an_unknown_name_answers_with_the_known():
    with pytest.raises(ScenarioError, match="unknown scenario 'https-pol-5m'; did you mean 'https-poll-5m'") as raised:
        find_scenario("https-pol-5m")
    assert "droidrange scenario list shows all" in str(raised.value)
    assert len(str(raised.value)) < 250, "near names only, not all of them"
    with pytest.raises(ScenarioError, match=r"unknown suite 'cor'; did you mean 'core'\?; known are .*core, .*smoke"):
        load_suite("cor")
    with pytest.raises(ScenarioError, match=r"nor is there a suite 'nothing'; known are .*core, .*smoke"):
        suite_scenarios("nothing")


@pytest.mark.parametrize("name", ["none/such", "none.toml"])
def test_a_path_that_is_not_there_is_no_unknown_name(name):
    with pytest.raises(FileNotFoundError, match="no such scenario file"):
        find_scenario(name)


def test_a_folder_is_no_scenario_and_says_what_to_name(tmp_path):
    with pytest.raises(ScenarioError, match=r"found a folder, expected a scenario; name its files, as in .*/\*\.toml"):
        find_scenario(f"{tmp_path}/")


def test_suites_and_scenarios_are_found_by_path(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert find_scenario(str(path)) == path
    assert suite_scenarios(str(path))[0] == "mine"
    suite = tmp_path / "all.toml"
    suite.write_text('question = "Are they?"\nscenarios = ["smoke-poll"]\n')
    name, scenarios = suite_scenarios(str(suite))
    assert (name, [one.name for one in scenarios]) == ("all", ["smoke-poll"])
    suite.write_text('question = "Are they?"\nscenarios = ["smoke-pol", "x"]\n')
    with pytest.raises(ScenarioError, match="unknown scenario 'smoke-pol'; did you mean 'smoke-poll'") as raised:
        load_suite(str(suite))
    assert len(raised.value.faults) == 2


def test_a_suite_names_each_scenario_once(tmp_path):
    suite = tmp_path / "all.toml"
    suite.write_text('question = "Are they?"\nscenarios = ["smoke-poll", "smoke-checkin", "smoke-poll", "smoke-pol"]\n')
    with pytest.raises(ScenarioError) as raised:
        suite_scenarios(str(suite))
    assert len(raised.value.faults) == 2
    assert "all.toml: scenario 'smoke-poll' stands 2 times" in raised.value.faults


def test_every_suite_loads():
    assert {"core", "live", "smoke"} <= {*suite_names()}
    assert all(load_suite(name).question.endswith("?") for name in suite_names())


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_file_is_a_scenario_error_or_still_a_scenario(data):
    text = GOOD
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(begin + 12, len(text))))
        other = data.draw(
            st.sampled_from(["", "[", "]", '"', "1", "-1", "true", "\n", "{}", "[]", "=", "5m", "x = 1\n"])
        )
        text = text[:begin] + other + text[end:]
    try:
        assert parse(text).question.endswith("?")
    except ScenarioError as fault:
        assert fault.faults  # noqa: PT017 - either outcome is fine, a crash is not


def test_scenarios_of_an_installed_wheel_are_found(tmp_path, monkeypatch):
    folder = tmp_path / "lab" / "_scenarios" / "mine"
    folder.mkdir(parents=True)
    (folder / "only.toml").write_text(GOOD)
    monkeypatch.setattr("lab.shelf.__file__", str(tmp_path / "lab" / "shelf.py"))
    assert scenarios_folder() == tmp_path / "lab" / "_scenarios"
    assert scenario_names() == ["only"]
    assert suite_names() == []
