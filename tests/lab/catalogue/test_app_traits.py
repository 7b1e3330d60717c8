"""What is read off a timeline about apps and phones: no column without its meaning."""

from collections import Counter
from dataclasses import replace

import pytest

from detector.contract import SCHEMAS
from lab.catalogue.app_traits import DRAWN, MANNERS, app_rows
from lab.scenario import compile_scenario, find_scenario, load_scenario, parse_scenario

HOUR = 3_600_000_000


def evening(name):
    scenario = load_scenario(find_scenario(name))
    short = replace(scenario, span=HOUR, start=scenario.start + 19 * HOUR)
    return scenario, compile_scenario(short, 1)


@pytest.fixture(scope="module")
def poll():
    return evening("https-poll-5m")


def test_every_app_has_a_row_and_only_the_labelled_is_malicious(poll):
    scenario, timeline = poll
    rows = list(app_rows(scenario, timeline))
    assert len(rows) == sum(app.on for app in scenario.apps)
    assert Counter(row.package for row in rows if row.malicious) == {"com.orchard.torch": 2}
    assert {row.pair for row in rows} == {"https-poll-5m"}
    (mail,) = (row.traits for row in rows if row.package == "com.quill.mail")
    assert (mail["category"], mail["role"], mail["roles"], mail["on how many devices"]) == (
        "communication",
        "mail",
        1,
        1,
    )
    assert (mail["package name length"], mail["words of the package"], mail["label length"]) == (14, 3, 4)


def test_a_background_app_has_its_own_plan():
    text = """question = "Who is there?"\nspan = "1h"\ndevices = 2\n[background]\napps = 9
[[app]]\npackage = "com.orchard.torch"\ncategory = "tools"\ninstalled = "10m"
[[app.behaviour]]\nkind = "http-poll"\n"""
    scenario = parse_scenario(text.encode(), name="x", place="x.toml")
    rows = list(app_rows(scenario, compile_scenario(scenario, 1)))
    assert len(rows) == 20
    assert [row.traits["installed late"] for row in rows if row.package == "com.orchard.torch"] == [True, True]
    assert len({row.traits["behaviours"] for row in rows}) > 1


def test_a_phone_has_addresses_and_a_first_contact_has_a_phase(poll):
    scenario, timeline = poll
    (torch, *_) = (row.traits for row in app_rows(scenario, timeline) if row.malicious)
    device = timeline.devices[torch["device"]]
    assert torch["MAC, last octet"] == int(device.mac[-2:], 16)
    assert torch["gateway's MAC, last octet"] == int(device.gateway_mac[-2:], 16)
    assert 0 <= torch["first contact"] < 400
    assert 0 <= torch["phase"] < 1.5
    silent = [row.traits for row in app_rows(scenario, timeline) if row.traits["first contact"] is None]
    assert all(row["phase"] is row["first client port"] is None for row in silent)


def test_the_situation_is_that_of_the_scenario(poll):
    scenario, timeline = poll
    network = replace(scenario.network, loss=0.02, mtu=1400)
    there = replace(scenario, start=scenario.start + 25 * HOUR, network=network)
    (row, *_) = app_rows(there, timeline)
    (other, *_) = app_rows(scenario, timeline)
    assert (row.traits["loss"], row.traits["MTU"]) == (0.02, 1400)
    assert row.traits["start, day"] == other.traits["start, day"] + 1
    assert row.traits["start, hour"] == pytest.approx((other.traits["start, hour"] + 1) % 24)


def test_drawn_traits_and_manners_are_traits(poll):
    known = {name for row in app_rows(*poll) for name in row.traits}
    assert known >= DRAWN | MANNERS


def test_every_column_of_the_inventory_is_a_trait(poll):
    """Who adds a column to the inventory (an installer, a version) says here by which trait it is judged."""
    judged = {"device": "device", "uid": "uid", "package": "package name length", "label": "label length"}
    judged |= {"category": "category", "sanctioned": "sanctioned", "roles": "role"}
    assert set(judged) == set(SCHEMAS["packages"].names)
    (row, *_) = app_rows(*poll)
    assert set(judged.values()) <= set(row.traits)
