"""Contacts out of flows and exchanges: grouping, merging, and the scale that does not blur."""

from __future__ import annotations

import numpy as np
import pytest

from detector.contacts import RARE, Flows, Merging, crowd_of, flow_pairs, lookup_pairs, outbound_rows
from detector.lookups import read_lookups

MERGING = Merging((2.0, 0.3), 6)


def contacts(made, merging=MERGING):
    tables = made.telemetry().tables
    flows = Flows.read(tables["flows"])
    lookups = read_lookups(tables["dns"], flows) if "dns" in tables else None
    rows = outbound_rows(flows, lookups, frozenset({123}))
    crowds = [crowd_of(flow_pairs(flows, rows), tables.get("exchanges"), merging)]
    crowds += [crowd_of(lookup_pairs(lookups), None, merging)] if lookups else []
    return [crowd.one(k) for crowd in crowds for k in range(len(crowd))]


def test_a_burst_of_connections_is_one_contact(made):
    for minute in range(10):
        made.polls(60 * minute + np.array([0, 0.5, 1.9]), up=100, down=1000)
    (one,) = contacts(made)
    assert len(one) == 10
    assert set(one.up) == {300}
    assert set(one.down) == {3000}
    assert one.merge_gap_s == 2.0
    assert len(one.rows) == 30


def test_fast_polls_are_read_on_the_finer_scale(made):
    made.polls(np.arange(40) * 1.0)
    (one,) = contacts(made)
    assert (len(one), one.merge_gap_s) == (40, 0.3)


def test_a_scale_that_would_make_its_own_regularity_is_refused(made, rng):
    made.polls(np.cumsum(rng.uniform(0.4, 0.6, 300)))
    assert contacts(made) == []


def test_hosts_of_one_domain_are_one_destination_and_apps_are_apart(made):
    for k in range(12):
        made.flow(60 * k, name=f"h{k}.site.example", server=f"198.18.0.{k}", uid=10_001 + k % 2)
    found = contacts(made)
    assert [(one.destination, one.uid, len(one)) for one in found] == [
        ("site.example", 10_001, 6),
        ("site.example", 10_002, 6),
    ]


def test_bytes_are_kept_when_exchanges_take_over(made):
    long = made.flow(0, lasts_s=600, up=9999, down=9999, name="a.example")
    for k in range(9):
        made.exchange(long, 60 * k, 10 + k, 100)
    made.polls(601 + 60 * np.arange(4), name="b.a.example", up=7, down=70)
    (one,) = contacts(made)
    assert one.up.tolist() == [10 + k for k in range(9)] + [7] * 4


def test_a_proxy_is_looked_through(made):
    for k in range(8):
        made.flow(
            60 * k, server="10.88.0.3", proxy="connect", proxy_server="server", proxy_target="www.bad.example:443"
        )
    (one,) = contacts(made)
    assert one.destination == "bad.example"


def test_what_a_device_is_asked_to_reach_is_not_its_destination(made):
    for k in range(8):
        made.flow(
            60 * k, server="198.18.0.4", proxy="socks5", proxy_server="client", proxy_target="www.bad.example:443"
        )
    (one,) = contacts(made)
    assert one.destination == "198.18.0.4"


@pytest.mark.parametrize("count", [5, 6])
def test_few_contacts_are_not_looked_at(made, count):
    made.polls(60 * np.arange(count))
    assert len(contacts(made)) == (count >= 6)


def test_look_ups_are_grouped_by_domain_once_per_question(made):
    for k in range(10):
        for kind in ("A", "AAAA"):
            made.lookup(60 * k, f"n{k}.zone.example", qtype=kind)
    (one,) = contacts(made)
    assert (one.destination, len(one), one.looked_up) == ("zone.example", 10, True)


def test_prefixes_are_the_first_contacts_and_the_rows_begun_by_them(made):
    for minute in range(10):
        made.polls(60 * minute + np.array([0, 0.5]), name="a.example", up=100 + minute)
        made.flow(60 * minute + 20, name="b.example")
    flows = Flows.read(made.telemetry()["flows"])
    crowd = crowd_of(flow_pairs(flows, np.arange(len(flows.flow))), None, MERGING)
    taken = crowd.taken(np.array([1, 0, 0]), np.array([7, 3, 10]))
    assert taken.counts.tolist() == [7, 3, 10]
    assert taken.destination.of(np.arange(3)) == ["a.example", "b.example"]
    short, whole = taken.one(1), crowd.one(0)
    assert short.up.tolist() == whole.up[:3].tolist() == [200, 202, 204]
    assert short.rows.tolist() == whole.rows[:6].tolist()
    assert len(taken.one(0).rows) == 7


def test_rare_destinations_of_an_app_are_joined_in_time_order(made):
    for k in range(12):
        made.flow(60 * k, name=f"n{k}.made{k}.example", uid=10_001 + k % 2)
        made.flow(60 * k + 30, name="known.example", uid=10_001 + k % 2)
    flows = Flows.read(made.telemetry()["flows"])
    pairs = flow_pairs(flows, np.arange(len(flows.flow)))
    rare = np.array([text != "known.example" for text in pairs.destination.texts])[pairs.destination.code]
    crowd = crowd_of(pairs.by_app(rare), None, MERGING)
    assert [crowd.one(k).destination for k in range(2)] == [RARE, RARE]
    assert sorted(crowd.uid.tolist()) == [10_001, 10_002]
    assert crowd.counts.tolist() == [6, 6]
    assert (np.diff(crowd.one(0).times) == 120e6).all()


def test_no_flows_are_no_contacts(made):
    made.flow(1)
    flows = Flows.read(made.telemetry()["flows"])
    assert len(crowd_of(flow_pairs(flows, np.zeros(0, np.int64)), None, MERGING)) == 0
