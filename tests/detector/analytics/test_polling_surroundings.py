"""What is known around contacts: tables that lack take away what only they tell, and what others do is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.analytics.polling_surroundings import Surroundings, others
from detector.baseline import learn
from detector.thresholds import load_thresholds

PORTS = load_thresholds().polling.ignored_ports
HOUR = 3600


def read(made):
    return Surroundings.read(made.telemetry(), PORTS)


def texts(column):
    return [column.text(k) for k in range(len(column.code))]


def test_each_table_that_lacks_takes_away_its_own_and_no_more(made):
    made.lookup(5, "a.example")
    made.flow(60, app_proto="tls", sni="b.example", name="b.example")
    made.exchange(1, 60, 10, 10)
    made.state(0, locked=True)
    whole = read(made)
    assert None not in (whole.flows, whole.lookups, whole.states, whole.exchanges, whole.flow_pairs, whole.lookup_pairs)
    assert whole.sni_seen
    assert set(whole.quiet) == {False, True}
    lacks = {
        "flows": {"flows", "flow_pairs"},
        "dns": {"lookups", "lookup_pairs"},
        "device_state": {"states"},
        "exchanges": {"exchanges"},
    }
    for table, gone in lacks.items():
        telemetry = made.telemetry()
        tables = {name: rows for name, rows in telemetry.tables.items() if name != table}
        left = Surroundings.read(replace(telemetry, tables=tables), PORTS)
        names = {name for other in lacks.values() for name in other}
        assert {name for name in names if getattr(left, name) is None} == gone
        assert set(left.quiet) == {looked_up for looked_up, said in ((False, "flows"), (True, "dns")) if said != table}
        assert left.sni_seen == (table != "flows")
        assert left.stacks[0].tolist() == ([] if table == "flows" else [False, False])


def test_without_any_table_nothing_is_known(made):
    nothing = read(made)
    assert (nothing.flow_pairs, nothing.lookup_pairs, nothing.exchanges) == (None, None, None)
    assert nothing.quiet == {}
    assert nothing.devices == 0
    assert nothing.span == (0, 86_400_000_000)


@pytest.mark.parametrize(
    ("flow", "seen"),
    [
        ({"app_proto": "tls", "sni": "a.example"}, True),
        ({"app_proto": "quic", "sni": "a.example"}, True),
        ({"app_proto": "tls"}, False),
        ({"app_proto": "http", "sni": "a.example"}, False),
        ({}, False),
    ],
)
def test_a_sensor_reads_names_if_it_has_read_one(made, flow, seen):
    made.flow(1)
    made.flow(2, **flow)
    assert read(made).sni_seen == seen


def test_quiet_hours_are_each_devices_own(made):
    for device, asleep in (("phone-01", 0), ("phone-02", 12)):
        made.polls([HOUR * h for h in range(24) if (h - asleep) % 24 >= 6], device=device)
    known = read(made)
    begins = dict(zip(known.flows.device.texts, known.quiet[False].tolist(), strict=True))
    assert begins == {"phone-01": 0, "phone-02": 12}


def test_a_row_of_a_pair_tells_its_destination_and_a_row_of_none_is_null(made):
    made.flow(1, name="a.site.example")
    made.flow(2, server="127.0.0.1")
    made.flow(3, server="198.18.0.4")
    assert texts(read(made).destination_of(np.arange(3), looked_up=False)) == ["site.example", None, "198.18.0.4"]
    made.lookup(4, "x.zone.example")
    assert texts(read(made).destination_of(np.array([0]), looked_up=True)) == ["zone.example"]


def test_a_category_comes_from_the_inventory_of_the_same_device(made):
    made.app(10_001, "com.example.torch", "Tools")
    made.app(10_002, "com.example.clock", None)
    for uid, device in ((10_001, "phone-01"), (10_001, "phone-02"), (10_002, "phone-01"), (None, "phone-01")):
        made.flow(1, uid=uid, device=device)
    known = read(made)
    found = {
        (known.flow_pairs.device.text(k), int(known.flow_pairs.uid[k])): text
        for k, text in enumerate(texts(known.categories(known.flow_pairs)))
    }
    lower = {("phone-01", 10_001): "tools", ("phone-02", 10_001): None}
    assert found == {**lower, ("phone-01", 10_002): None, ("phone-01", -1): None}


def test_protocols_need_a_category_that_was_learned(made):
    for device in ("phone-01", "phone-02"):
        made.polls(60.0 * np.arange(9), device=device, uid=10_001, package="com.example.torch", app_proto="mqtt")
    made.app(10_001, "com.example.torch", "tools")
    assert read(made).usual_protocols("tools") == frozenset(), "a survey does not count how apps speak"
    known = Surroundings.read(replace(made.telemetry(), baseline=learn(made.telemetry())), frozenset())
    assert known.usual_protocols("tools") == {"mqtt"}
    assert known.usual_protocols("games") == frozenset()


def test_without_a_baseline_the_telemetry_is_asked_and_nothing_is_new(made):
    made.flow(1, name="a.example", package="one")
    made.flow(2, name="a.example", package="one", device="phone-02")
    known = read(made)
    found = known.deviation(known.flow_pairs)
    assert known.baseline.itself
    assert np.isnan(found.own_days).all()
    assert np.isnan(found.fleet_new).all()
    assert found.fleet_share.tolist() == [1, 1]
    learned = Surroundings.read(replace(made.telemetry(), baseline=learn(made.telemetry())), PORTS)
    assert learned.deviation(learned.flow_pairs).own_days.tolist() == [1, 1]


def counted(made):
    """Of each device, package and destination the other devices and the other packages there."""
    pairs = read(made).flow_pairs
    devices, packages = others(pairs)
    who = zip(*(texts(column) for column in (pairs.device, pairs.package, pairs.destination)), strict=True)
    return dict(zip(who, zip(devices.tolist(), packages.tolist(), strict=True), strict=True))


def test_one_app_or_none_has_no_neighbour_to_ask(made):
    made.flow(1, package="one")
    made.flow(2, package=None, device="phone-02")
    assert all(np.isnan(packages) for _, packages in counted(made).values())
    made.flow(3, package="two", server="198.18.0.1")
    assert counted(made)["phone-01", "one", "198.18.0.9"] == (1, 0)
    assert counted(made)["phone-02", None, "198.18.0.9"] == (1, 1), "an unknown app is not the one"


who_where = st.tuples(st.integers(0, 2), st.sampled_from([None, "one", "two"]), st.integers(0, 2))


@given(rows=st.lists(who_where, min_size=1, max_size=12), order=st.randoms(use_true_random=False))
def test_neighbours_are_counted_as_one_would_by_hand(rows, order):
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    shuffled = list(rows)
    order.shuffle(shuffled)
    found, again = Made(), Made()
    for made, every in ((found, rows), (again, shuffled)):
        for k, (device, package, server) in enumerate(every):
            made.flow(k, device=f"phone-{device}", package=package, server=f"198.18.0.{server}")
    several = len({package for _, package, _ in rows} - {None}) > 1
    expected = {}
    for device, package, server in rows:
        there = [row for row in rows if row[2] == server]
        fellows = {row[0] for row in there} - {device}
        apps = {row[1] for row in there} - {package, None}
        expected[f"phone-{device}", package, f"198.18.0.{server}"] = (len(fellows), len(apps) if several else -1)
    for made in (found, again):
        told = {who: (n, -1 if np.isnan(apps) else apps) for who, (n, apps) in counted(made).items()}
        assert told == expected


def test_devices_are_those_of_this_telemetry_whatever_was_learned(made):
    for k in range(5):
        made.flow(k, device=f"phone-{k}")
    made.lookup(9, "a.example", device="phone-9")
    past = type(made)()
    past.flow(1, device="phone-0")
    learned = Surroundings.read(replace(made.telemetry(), baseline=learn(past.telemetry())), PORTS)
    assert (learned.baseline.devices, learned.devices) == (1, 6)
    assert read(made).devices == 6
