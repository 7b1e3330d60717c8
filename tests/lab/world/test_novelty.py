"""What imitates an implant may be as new as one, to a phone or to the whole fleet: by draws that know neither poison nor the present."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from lab.scenario import compile_scenario, enlarged, load_all, parse_scenario, scenario_names
from lab.world.past import DAY, EVERYWHERE, NOVEL, Past

HALF = 0.5  # large, so that a few hundred draws tell
FLEET = EVERYWHERE * HALF  # as new to the whole fleet
REST = (HALF - FLEET) / (1 - FLEET)  # of those that are not, phone by phone
LEARN = Past(DAY // 8, novel=HALF)
TWIN = """question = "Is what imitates an implant there before?"
span = "2h"
devices = 3
twin_of = "https-poll-5m"
[[app]]
package = "com.orchard.torch"
category = "tools"
[[app.behaviour]]
kind = "http-poll"
period = "7m"
[[app.behaviour]]
kind = "http-poll"
period = "11m"
[[app.behaviour]]
kind = "periodic-sync"
[[app]]
package = "com.river.reader"
category = "news-and-magazines"
[[app.behaviour]]
kind = "http-poll"
period = "9m"
[[expect]]
behaviour = "http-poll"
package = "com.orchard.torch"
contacts = { at_least = 2 }
"""


@pytest.fixture(scope="module")
def twin():
    return parse_scenario(TWIN.encode(), name="twin", place="twin.toml")


def dormant(scenario, learn=LEARN, phones=200, seed=1):
    """(phone, package, position) of every behaviour that has not begun."""
    names = [f"phone-{number:02d}" for number in range(1, phones + 1)]
    return {
        (name, plan.package, position)
        for name in names
        for plan in learn.apps((seed, scenario.name), scenario.apps, name, scenario.alike)
        for position, one in enumerate(plan.behaviours)
        if one.dormant
    }


PHONES, SEEDS = 20, 200


@pytest.fixture(scope="module")
def shares(twin):
    """(SEEDS, 2) on how many of the phones each of the two polls has not begun."""
    found = []
    for seed in range(SEEDS):
        rows = dormant(twin, phones=PHONES, seed=seed)
        assert {row[1] for row in rows} <= {"com.orchard.torch"}
        found.append([sum(row[2] == place for row in rows) for place in (0, 1)])
    return np.array(found)


def test_so_much_of_what_imitates_is_new_on_a_phone_as_was_asked_and_half_of_that_to_the_whole_fleet(shares):
    everywhere = shares == PHONES
    assert everywhere.mean(axis=0) == pytest.approx(FLEET, abs=5 * (FLEET * (1 - FLEET) / SEEDS) ** 0.5)
    assert shares.mean() / PHONES == pytest.approx(HALF, abs=0.08)
    assert shares[~everywhere].mean() / PHONES == pytest.approx(REST, abs=0.04)
    assert shares[~everywhere].std() < 3 * (REST * (1 - REST) * PHONES) ** 0.5  # phones draw for themselves


def test_each_behaviour_is_new_or_not_for_itself(shares):
    both = (shares == PHONES).all(axis=1).mean()
    assert both == pytest.approx(FLEET**2, abs=0.08)


def test_unless_asked_one_in_a_hundred_is_new(twin):
    rows = [dormant(twin, Past(DAY // 8), PHONES, seed) for seed in range(SEEDS)]
    places = 2 * PHONES * SEEDS
    assert sum(map(len, rows)) / places == pytest.approx(NOVEL, abs=0.009)  # those that are new to all come in twenties
    assert NOVEL == 0.01
    assert rows == [dormant(twin, Past(DAY // 8, novel=NOVEL), PHONES, seed) for seed in range(SEEDS)]


def test_none_and_all_may_be_new_and_more_keeps_what_less_had(twin):
    found = [dormant(twin, Past(DAY // 8, novel=share), PHONES) for share in (0.0, 0.2, 0.5, 0.9, 1.0)]
    assert [len(found[0]), len(found[-1])] == [0, 2 * PHONES]
    assert all(less <= more for less, more in pairwise(found))
    assert found[1] < found[3]


def test_poison_changes_nothing_of_it_and_nothing_of_poison(twin):
    found = [dormant(twin, replace(LEARN, poison=share)) for share in (0.0, 0.3, 1.0)]
    assert found[0]
    assert found[0] == found[1] == found[2]
    apps = tuple(
        replace(app, behaviours=tuple(replace(one, label="AN1793") for one in app.behaviours)) for app in twin.apps
    )
    labelled = replace(twin, apps=apps)
    poisoned = replace(LEARN, poison=0.3)
    assert dormant(labelled, poisoned) == dormant(replace(labelled, twin_of=""), poisoned)


def test_without_a_twin_nothing_unlabelled_is_new(twin):
    """The negative control: what is new above is so because it imitates."""
    assert dormant(replace(twin, twin_of="")) == set()
    assert dormant(replace(twin, expectations=())) == set()


def test_what_has_not_begun_meets_nobody_and_the_present_is_as_ever(twin):
    wide = replace(twin, devices=8, apps=tuple(replace(app, on=8) for app in twin.apps))
    now, before, again = (compile_scenario(wide, 1, past) for past in (None, LEARN, LEARN))
    assert 0 < len(dormant(wide, phones=8)) < 16
    assert [polls(now), polls(before)] == [{f"phone-{n:02d}": 2 for n in range(1, 9)}, expected(wide)]
    assert polls(again) == polls(before)
    alone = compile_scenario(replace(wide, twin_of="", expectations=()), 1)
    assert now.conversations.start.tolist() == alone.conversations.start.tolist()


def expected(scenario):
    gone = dormant(scenario, phones=scenario.devices)
    names = [f"phone-{number:02d}" for number in range(1, scenario.devices + 1)]
    left = {name: 2 - sum(row[0] == name for row in gone) for name in names}
    return {name: count for name, count in left.items() if count}


def polls(timeline):
    """How many hosts the look-alike's polls meet on each phone."""
    said, kind = timeline.conversations, timeline.behaviours.index("http-poll")
    rows = set(zip(said.app.tolist(), said.behaviour.tolist(), said.host.tolist(), strict=True))
    met = [
        timeline.devices[timeline.apps[app].device].name
        for app, what, _ in rows
        if what == kind and timeline.apps[app].package == "com.orchard.torch"
    ]
    return {name: met.count(name) for name in sorted(set(met))}


def test_twins_are_as_rare_as_what_they_imitate_in_a_fleet_of_any_size():
    written = load_all(scenario_names())
    pairs = 0
    for devices in (None, 2, 20):
        known = {one.name: one for one in enlarged(written, devices)}
        for twin in (one for one in known.values() if one.twin_of):
            assert counts(twin, {row[0] for row in twin.alike}) == counts(known[twin.twin_of], None), twin.name
            pairs += 1
    assert pairs >= 3 * 108


def counts(scenario, packages):
    """(phones with it, all phones) of these apps or else of the labelled ones, and of all others: ascending."""
    chosen = [
        any(one.label for one in app.behaviours) if packages is None else app.package in packages
        for app in scenario.apps
    ]
    found = [[], []]
    for app, mine in zip(scenario.apps, chosen, strict=True):
        found[mine].append((app.on, scenario.devices))
    return [sorted(one) for one in found]


def test_a_twin_that_grew_would_be_seen(twin):
    """The negative control: an app on all phones that nothing proves to be a look-alike is on all of them still."""
    (large,) = enlarged([twin], 20)
    assert [app.on for app in large.apps] == [3, 20]
    (grown,) = enlarged([replace(twin, expectations=())], 20)
    assert counts(grown, {"com.orchard.torch"}) != counts(large, {"com.orchard.torch"})
