"""The suites of days and weeks: every malicious scenario beside its twin in the same world, and enough honest days."""

from __future__ import annotations

from lab.scenario import load_all, load_suite, scenarios_folder, suite_scenarios

DAY = 86_400_000_000


def members(folder):
    """The scenarios of a folder that last a day or more."""
    found = load_all(path.stem for path in (scenarios_folder() / folder).glob("*.toml"))
    return {one.name: one for one in found if one.span >= DAY}


def test_the_full_suite_has_every_scenario_but_the_smallest_and_the_weeks():
    every = members("polling") | members("relay") | members("benign")
    assert set(load_suite("full").scenarios) == every.keys()
    days = [one for one in every.values() if one.span <= 3 * DAY]
    malicious = sum(bool(one.analytics) for one in days)
    assert malicious >= 60
    assert len(days) - malicious >= 60


def test_relays_and_their_twins_live_in_the_same_world():
    relays, twins = members("relay"), members("benign")
    assert {*load_suite("relay").scenarios} <= {*load_suite("an1702").scenarios} <= relays.keys() | twins.keys()
    pairs = [(relays[twin.twin_of], twin) for twin in twins.values() if twin.twin_of in relays]
    assert {original.name for original, _ in pairs} == relays.keys()
    for original, twin in pairs:
        for what in ("span", "devices", "background", "phones", "network"):
            assert getattr(original, what) == getattr(twin, what), (twin.name, what)


def test_twins_of_relays_are_in_the_inventory_what_relays_are():
    """Counted over all pairs, for one pair says nothing: sanctioned or not, with a role or without."""
    relays, twins = members("relay"), members("benign")
    acting = {
        True: [app for one in relays.values() for app in one.apps if any(plan.label for plan in app.behaviours)],
        False: [
            app
            for one in twins.values()
            if one.twin_of in relays
            for app in one.apps
            if app.package not in {other.package for other in relays[one.twin_of].apps}
        ],
    }
    for what in ("sanctioned", "roles", "installed", "moves"):
        share = {bad: sum(bool(getattr(app, what)) for app in apps) / len(apps) for bad, apps in acting.items()}
        assert abs(share[True] - share[False]) <= 0.25, what
        assert all(0.0 < one < 0.6 for one in share.values()), what


def test_the_weeks_are_honest_and_long():
    _, weeks = suite_scenarios("benign-month")
    assert not any(one.analytics for one in weeks)
    months = [one for one in weeks if one.span >= 28 * DAY]
    assert [one.devices for one in months] == [1]
    assert all(3 * DAY <= one.span <= 7 * DAY and 3 <= one.devices <= 10 for one in weeks if one not in months)
    assert sum(one.span // DAY * one.devices for one in weeks) * 11 >= 3_000, "rule of three: none in 3000 is 1/1000"
