"""Sweeps: what is turned, what is turned alike, and every wrong value at its key."""

import pytest

from lab.authoring.varied import LONGEST, axis_of, swept
from lab.errors import ScenarioError
from lab.scenario import load_all

PAIR = ("https-poll-5m", "https-checkin-5m")


@pytest.fixture(scope="module")
def pair():
    return load_all(PAIR)


def behaviours(scenario, kind):
    return [plan.behaviour for app in scenario.apps for plan in app.behaviours if plan.kind == kind]


def others(scenario, package):
    return [app for app in scenario.apps if app.package != package]


@pytest.mark.parametrize(
    "key", ["polling.jitter", "app.torch.behaviour.jitter", "app.com.orchard.torch.behaviour.jitter"]
)
def test_one_setting_is_turned_and_nothing_else(pair, key):
    found = swept(pair[:1], [f"{key}=0,0.9"])
    assert [behaviours(one, "http-poll")[0].jitter for one in found.scenarios] == [0.0, 0.9]
    for one in found.scenarios:
        assert others(one, "com.orchard.torch") == others(pair[0], "com.orchard.torch")
        assert (one.span, one.devices, one.phones) == (pair[0].span, pair[0].devices, pair[0].phones)
    assert found.axes == ({"name": key, "unit": "", "values": [0.0, 0.9]},)


def test_twins_are_turned_alike_and_stay_twins(pair):
    found = swept(pair, ["polling.jitter=0.1,0.5", "polling.period=30s,1h"])
    assert len(found.scenarios) == 8
    by_name = {one.name: one for one in found.scenarios}
    twins = [one for one in found.scenarios if one.twin_of]
    assert len(twins) == 4
    for twin in twins:
        (guilty,) = behaviours(by_name[twin.twin_of], "http-poll")
        (imitates,) = [
            plan.behaviour for app in twin.apps if app.package == "com.cobalt.warden" for plan in app.behaviours
        ]
        assert (imitates.period, imitates.flex) == (guilty.period, guilty.jitter)
        assert others(twin, "com.cobalt.warden") == others(pair[1], "com.cobalt.warden")


def test_what_a_twin_cannot_follow_stays_and_is_told(pair):
    found = swept(pair, ["polling.dga=day", "polling.period=1s"])
    assert found.unlike == (
        "https-checkin-5m: periodic-sync has no setting 'dga'",
        "https-checkin-5m: period: found 1, expected from 5 to 604800 s",
    )
    (twin,) = [one for one in found.scenarios if one.twin_of]
    (imitates,) = [app for app in twin.apps if app.package == "com.cobalt.warden"]
    assert imitates.behaviours[0].behaviour.period == 300.0
    assert swept(pair, ["polling.period=30m"]).unlike == ()


def test_what_is_held_out_stays_so_in_every_cell():
    """Under another name nothing becomes what one may tune by."""
    found = swept(load_all(["imap-poll-drafts"]), ["polling.period=10m,20m"])
    assert {one.varied_from for one in found.scenarios} == {"imap-poll-drafts"}


def test_every_cell_has_a_name_and_a_hash_of_its_own(pair):
    found = swept(pair, ["polling.jitter=0.1,0.5", "polling.period=30s,1h"]).scenarios
    assert len({one.name for one in found}) == len({one.sha256 for one in found}) == 8
    assert "https-poll-5m.jitter-0.1.period-30s" in {one.name for one in found}
    assert all(len(one.name) <= LONGEST for one in found)


def test_what_was_turned_makes_each_cell_again(pair):
    found = swept(pair, ["polling.jitter=0.1,0.5", "polling.period=30s,1h"]).scenarios
    again = [one for turned in dict.fromkeys(one.turned for one in found) for one in swept(pair, turned).scenarios]
    assert again == list(found)


def test_durations_are_in_seconds_and_numbers_in_order(pair):
    period, jitter = swept(pair, ["polling.period=1h,30s,5m", "polling.jitter=0.5,0"]).axes
    assert (period["unit"], period["values"]) == ("s", [30.0, 300.0, 3600.0])
    assert jitter["values"] == [0.0, 0.5]
    (law,) = swept(pair, ["polling.law=uniform,exponential"]).axes
    assert law["values"] == ["uniform", "exponential"]


def test_what_has_not_what_is_turned_is_left_out_and_named(pair):
    scenarios = (*pair, *load_all(["ordinary-day", "socks-relay"]))
    found = swept(scenarios, ["polling.jitter=0.1"])
    assert found.left_out == ("ordinary-day", "socks-relay")
    assert len(found.scenarios) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["polling.jitter"], "expected polling.SETTING"),
        (["polling.jitter=0.1,"], "expected polling.SETTING"),
        (["jitter=0.1"], "found the key 'jitter'"),
        (["poling.jitter=0.1"], "found the key 'poling.jitter'"),
        (["polling.jiter=0.1"], "unknown setting 'jiter'; did you mean 'jitter'"),
        (["polling.jitter=0.1,0.1"], "found 0.1 twice"),
        (["polling.jitter=1.5"], r"polling.jitter=1.5: jitter: found 1.5, expected from 0 to 1, in https-poll-5m"),
        (["polling.jitter=much"], "jitter: found 'much', expected a number"),
        (["polling.period=30"], "expected a duration such as '30s'"),
        (["polling.period=8d"], "expected from 1 to 604800 s"),
        (["polling.law=cobalt"], "expected one of"),
        (["polling.tls=yes"], "expected true or false"),
        (["polling.up=1.5"], "expected a whole number"),
        (["relay.delay=1s"], "no labelled behaviour of that name"),
        (["app.spy.behaviour.jitter=0.1"], "no labelled behaviour of that name"),
        (["polling.jitter=0.1", "polling.jitter=0.2"], "one or two different keys"),
        (["polling.jitter=0", "polling.period=1m", "polling.up=500"], "one or two different keys"),
    ],
)
def test_what_cannot_be_turned_is_refused_at_its_key(pair, asked, said):
    with pytest.raises(ScenarioError, match=said):
        swept(pair, asked)


def test_all_wrong_values_are_listed_at_once(pair):
    with pytest.raises(ScenarioError) as told:
        swept(pair, ["polling.jitter=2,0.5,3", "polling.period=1x"])
    assert len(told.value.faults) == 3


def test_an_axis_reads_texts_as_they_are():
    assert axis_of("app.com.orchard.torch.behaviour.period=30s, 5m").texts == ("30s", "5m")
