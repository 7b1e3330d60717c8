"""A twin lives in the world of what it imitates, and a malicious scenario promises what it labels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.catalogue.nearby import imitators
from lab.catalogue.pairs import lone_faults, pair_faults, pair_notice
from lab.network import Network
from lab.scenario import find_scenario, load_all, load_scenario, load_suite
from lab.shelf import shelf


def loaded(name):
    return load_scenario(find_scenario(name))


@pytest.fixture
def pair():
    return loaded("smoke-checkin"), loaded("smoke-poll")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"span": 60_000_000}, "span: found 1m, expected "),
        ({"devices": 99}, "devices: found 99, expected "),
        ({"start": 0}, "start: found 1970-01-01"),
        ({"network": Network(loss=0.05)}, "network: loss: found 0.05, expected 0.0"),
    ],
)
def test_a_twin_in_another_world_is_a_fault(pair, changes, word):
    twin, original = pair
    (fault,) = pair_faults(replace(twin, **changes), original)
    assert fault.startswith(f"twin_of 'smoke-poll': {word}")


def test_other_phones_and_another_background_are_another_world(pair):
    twin, original = pair
    twin = replace(
        twin,
        phones=replace(twin.phones, profiles=("driver",)),
        background=replace(twin.background, apps=twin.background.apps + 1),
    )
    assert [fault.split(": ")[1:3] for fault in pair_faults(twin, original)] == [
        ["state", "profiles"],
        ["background", "apps"],
    ]


def test_bundled_pairs_are_pairs():
    scenarios = {one.name: one for suite in ("core", "smoke") for one in load_all(load_suite(suite).scenarios)}
    pairs = [(one, scenarios[one.twin_of]) for one in scenarios.values() if one.twin_of]
    assert len(pairs) > 5
    assert [fault for pair in pairs for fault in pair_faults(*pair)] == []
    assert [fault for one in scenarios.values() for fault in lone_faults(one)] == []
    known = imitators(shelf())
    assert all(one.name in known for one in scenarios.values() if one.analytics)


def test_no_protocol_in_common_is_worth_a_notice(pair):
    assert pair_notice(*pair) == ""
    assert "no protocol in common" in pair_notice(pair[0], loaded("dns-poll-txt"))


def test_who_labels_must_promise(pair):
    _, original = pair
    assert lone_faults(original) == []
    (fault,) = lone_faults(replace(original, expectations=()))
    assert "every malicious scenario needs one" in fault
    other = replace(original.expectations[0], behaviour="web-browsing", package="")
    assert lone_faults(replace(original, expectations=(other,)))
    assert lone_faults(replace(pair[0], expectations=())) == []
