"""What is counted of a telemetry: by whom, to which domain, on which days, and what is left out."""

from __future__ import annotations

import numpy as np

from detector.contacts import Flows, Merging, crowd_of, flow_pairs, outbound_rows
from detector.learned.gathering import categories_of, gathered

DAY_S = 86_400


def rows(part):
    """Every row in words: device, package, destination, days, contacts."""
    table = part.contacted
    columns = zip(table.device, table.package, table.destination, table.days, table.contacts, strict=True)
    return [
        (part.devices[d], None if p < 0 else part.packages[p], part.destinations[t], int(days).bit_count(), int(n))
        for d, p, t, days, n in columns
    ]


def test_contacts_are_counted_by_domain_and_day(made):
    for second in (10, 11, 13.5, DAY_S + 10, 5 * DAY_S):
        made.flow(second, package="app", name=f"h{second}.site.example")
    assert rows(gathered(made.telemetry())) == [("phone-01", "app", "site.example", 3, 4)]


def test_days_of_different_blocks_are_different_rows(made):
    made.flow(0, name="a.example")
    made.flow(64 * DAY_S, name="a.example")
    part = gathered(made.telemetry())
    assert part.contacted.block.tolist() == [0, 1]
    assert part.contacted.days.tolist() == [1, 1]
    assert part.contacted.first.tolist() == [0, 64 * DAY_S * 1_000_000]


def test_an_address_without_a_name_stays_an_address(made):
    made.flow(0, server="198.18.0.77")
    made.flow(9, server="2001:db8::7")
    assert gathered(made.telemetry()).destinations == ("198.18.0.77", "2001:db8::7")


def test_what_a_proxy_was_asked_for_is_the_destination(made):
    made.flow(0, name="proxy.example", proxy="connect", proxy_server="server", proxy_target="far.away.example:443")
    made.flow(9, name="proxy.example", proxy="connect", proxy_server="client", proxy_target="no.such.example:443")
    assert gathered(made.telemetry()).destinations == ("away.example", "proxy.example")


def test_who_calls_in_and_what_goes_to_nobody_is_left_out(made):
    made.flow(0, inbound=True, device="10.88.0.9", server="10.88.0.9")
    made.flow(1, server="224.0.0.251", proto="udp")
    made.flow(2, server="127.0.0.1")
    made.flow(3, proto="icmp")
    part = gathered(made.telemetry())
    assert part.devices == part.destinations == ()
    assert len(part.contacted.device) == len(part.habits.value) == 0


def test_exchanges_of_a_long_flow_are_its_contacts(made):
    number = made.flow(0, lasts_s=3600, name="socket.example")
    for k in range(12):
        made.exchange(number, 300 * k, 50, 80)
    made.flow(4000, lasts_s=3600, name="silent.example")
    assert [(row[2], row[4]) for row in rows(gathered(made.telemetry()))] == [
        ("silent.example", 1),
        ("socket.example", 12),
    ]


def test_look_ups_are_of_the_device_and_of_the_app_that_sent_them(made):
    made.lookup(5, "w.asked.example", package="netd")
    made.add("dns", flow=99, time=7, client="10.88.0.3", server="198.18.0.53", qname="x.far.example", qtype="A")
    found = rows(gathered(made.telemetry()))
    assert ("phone-01", "netd", "asked.example", 1, 1) in found
    assert ("10.88.0.3", None, "far.example", 1, 1) in found


def test_look_ups_alone_are_enough(made):
    made.add("dns", flow=1, time=7, client="10.88.0.3", server="198.18.0.53", qname="x.far.example", qtype="A")
    assert rows(gathered(made.telemetry())) == [("10.88.0.3", None, "far.example", 1, 1)]


def test_destinations_are_those_that_polling_judges(made):
    for k in range(8):
        made.flow(60 * k, name="a.b.example", server="198.18.0.1")
        made.flow(60 * k + 20, server="198.18.0.2")
        made.flow(60 * k + 40, name="p.example", proxy="socks5", proxy_server="server", proxy_target="[2001:db8::1]:80")
    telemetry = made.telemetry()
    flows = Flows.read(telemetry["flows"])
    pairs = flow_pairs(flows, outbound_rows(flows, None, frozenset()))
    judged = crowd_of(pairs, None, Merging((2.0,), 2)).destination
    assert sorted(judged.texts[code] for code in judged.code) == list(gathered(telemetry).destinations)


def test_a_package_is_of_the_category_that_most_devices_say(made):
    made.app(1, "app", "Tools")
    made.app(2, "app", "games")
    made.app(3, "app", "tools")
    made.app(4, "tie", "b")
    made.app(5, "tie", "a")
    made.app(6, "none", None)
    assert categories_of(made.telemetry()["packages"]) == {"app": "tools", "tie": "a"}
    assert categories_of(None) == {}


def test_the_days_of_many_random_flows(made, rng):
    seconds = np.sort(rng.uniform(0, 30 * DAY_S, 400))
    for second in seconds:
        made.flow(float(second), package=f"app{int(second) % 3}", name=f"x.d{int(second) % 5}.example")
    for _, package, destination, days, _ in rows(gathered(made.telemetry())):
        mine = [s for s in seconds if f"app{int(s) % 3}" == package and f"d{int(s) % 5}.example" == destination]
        assert days == len({int(s // DAY_S) for s in mine})
