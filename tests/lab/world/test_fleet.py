"""The phones before they are compiled: what is shared, what the days before change of it and what they leave."""

import pytest

from lab.scenario import find_scenario, load_scenario
from lab.timeline import NAME_LOOKUP
from lab.world.fleet import FIRST_UID, Fleet
from lab.world.past import DAY, EARLIER, Past


@pytest.fixture(scope="module")
def fleet():
    return Fleet.of(load_scenario(find_scenario("roaming-4m-fleet")), 1)


@pytest.fixture(scope="module")
def before(fleet):
    return fleet.before(Past(3 * DAY))


def test_every_phone_has_apps_a_radio_and_a_name(fleet):
    count = fleet.scenario.devices
    assert [len(fleet.plans), len(fleet.radios), len(fleet.devices)] == [count] * 3
    assert len({device.name for device in fleet.devices}) == count
    assert fleet.kinds[-1] == NAME_LOOKUP
    assert len({uid for uid, _, _ in fleet.looks.values()}) == len(fleet.looks)
    assert min(uid for uid, _, _ in fleet.looks.values()) > FIRST_UID


def test_profiles_and_clocks_are_dealt_out_in_turns(fleet):
    names = fleet.scenario.phones.profiles
    assert fleet.profile(0) is fleet.profile(len(names))
    assert all(-DAY < fleet.calendar(number).midnight <= 0 for number in range(fleet.scenario.devices))


def test_the_days_before_are_of_the_same_phones(fleet, before):
    assert before.cast is fleet.cast
    assert (before.key, before.looks, before.kinds) == (fleet.key, fleet.looks, fleet.kinds)
    assert [one.mac for one in before.devices] == [one.mac for one in fleet.devices]
    assert (before.when, fleet.when) == (EARLIER, ())


def test_they_are_other_days(fleet, before):
    assert before.scenario.start + before.scenario.span == fleet.scenario.start
    assert [one.since.tolist() for one in before.radios] != [one.since.tolist() for one in fleet.radios]
    assert {one.attachments[0].since for one in before.devices if one.attachments} == {before.scenario.start}
    assert before.calendar(0).today == fleet.calendar(0).today - 3


def test_asking_for_them_changes_nothing(fleet):
    known = fleet.devices
    fleet.before(Past(DAY))
    assert fleet.devices == known
    assert fleet.past is None
