"""Groups gather the contacts of one app with one destination, exchange by exchange where a sensor sees them."""

from __future__ import annotations

import pyarrow as pa

from detector.contract import SCHEMAS, Telemetry
from lab.authoring.from_capture_groups import groups_of

SECOND = 1_000_000
FLOW = {
    "device": "phone",
    "inbound": False,
    "proto": "tcp",
    "server": "198.18.0.1",
    "server_port": 443,
    "app_proto": "tls",
    "name": "a.example",
    "bytes_up": 900,
    "bytes_down": 3_000,
    "client": "10.88.0.2",
}


def table(name, rows):
    return pa.Table.from_pylist(rows, schema=SCHEMAS[name])


def flows(*changes):
    return table("flows", [FLOW | {"flow": number} | change for number, change in enumerate(changes)])


def exchange(flow, second, up=100, down=200):
    return {"flow": flow, "start": second * SECOND, "end": second * SECOND, "bytes_up": up, "bytes_down": down}


def telemetry(**tables):
    return Telemetry(tables, span=(0, 3600 * SECOND))


def test_a_contact_is_an_exchange_and_near_ones_are_one():
    spoken = [exchange(0, second) for second in (0, 1, 60, 120)] + [exchange(1, 180)]
    (group,) = groups_of(
        telemetry(flows=flows({"start": 0}, {"start": 180 * SECOND}), exchanges=table("exchanges", spoken))
    )
    assert group.times.tolist() == [0, 60 * SECOND, 120 * SECOND, 180 * SECOND]
    assert group.up.tolist() == [200, 100, 100, 100]
    assert (group.flows, group.peer, group.protocol, group.whole_flows) == (2, "a.example", "tls", False)


def test_without_exchanges_a_flow_is_a_contact_and_unknown_bytes_stay_unknown():
    (group,) = groups_of(telemetry(flows=flows({"start": 60 * SECOND}, {"start": 0, "bytes_up": None})))
    assert group.times.tolist() == [0, 60 * SECOND]
    assert group.up.tolist() == [-1, 900]
    assert group.whole_flows


def test_apps_and_destinations_are_apart_and_what_comes_in_is_left_out():
    said = flows(
        {"start": 0, "package": "a.b"},
        {"start": 0, "package": "c.d"},
        {"start": 0, "name": None},
        {"start": 0, "inbound": True},
        {"start": 0, "app_proto": "dns"},
    )
    found = groups_of(telemetry(flows=said))
    assert sorted((one.package or "", one.peer) for one in found) == [
        ("", "198.18.0.1"),
        ("a.b", "a.example"),
        ("c.d", "a.example"),
    ]


def test_pings_of_a_websocket_are_no_contacts():
    rows = [exchange(0, second, 6, 2) for second in range(30, 600, 60)] + [exchange(0, second) for second in (0, 300)]
    said = telemetry(flows=flows({"start": 0, "app_proto": "websocket"}), exchanges=table("exchanges", rows))
    (group,) = groups_of(said)
    assert (len(group.times), group.ping_s) == (2, 60.0)


def test_look_ups_that_nobody_follows_are_contacts_with_their_zone():
    names = [f"x{number}.far.example" for number in range(3)] + ["a.example"]
    rows = [
        {
            "flow": number,
            "time": number * 60 * SECOND,
            "client": "10.88.0.2",
            "qname": name,
            "qtype": "TXT",
            "bytes_up": 50,
        }
        for number, name in enumerate(names)
    ]
    asked = flows(*({"start": 0, "app_proto": "dns", "name": None} for _ in names), {"start": 0})
    zones = {
        one.peer: one for one in groups_of(telemetry(flows=asked, dns=table("dns", rows))) if one.protocol == "dns"
    }
    assert set(zones) == {"far.example"}
    assert (zones["far.example"].device, zones["far.example"].qtype) == ("phone", "TXT")
    assert zones["far.example"].down.tolist() == [-1, -1, -1]
    (alone,) = groups_of(telemetry(dns=table("dns", rows[:3])))
    assert alone.device == "10.88.0.2"


def test_nothing_gives_nothing():
    assert groups_of(telemetry(flows=flows(), exchanges=table("exchanges", []), dns=table("dns", []))) == []
    assert groups_of(telemetry()) == []
