"""Columns of flows: which rows count as opened to somebody, and whom they were opened to."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.columns import NULL, Codes, whole
from detector.contract import SCHEMAS
from detector.flow_columns import LENGTH_BYTES, LONG_FLOW_US, Flows, destinations, hosts, moments, outbound_rows
from detector.lookups import read_lookups

PORTS = frozenset({123, 5353})


def flows_of(made):
    return Flows.read(made.telemetry()["flows"])


def kept(made):
    tables = made.telemetry().tables
    flows = Flows.read(tables["flows"])
    lookups = read_lookups(tables["dns"], flows) if "dns" in tables else None
    return outbound_rows(flows, lookups, PORTS).tolist()


def whom(made):
    flows = flows_of(made)
    column = destinations(flows, np.arange(len(flows.flow)))
    return [column.text(k) for k in range(len(flows.flow))]


def test_what_is_null_stays_unknown_and_is_no_zero(made):
    made.flow(1, uid=None, bytes_up=None, server_port=None, inbound=None)
    one = flows_of(made)
    assert [column[0] for column in (one.uid, one.up, one.port)] == [NULL] * 3
    assert one.inbound[0] == 0, "whoever a sensor does not name the server of is its client"
    assert [column.text(0) for column in (one.package, one.name, one.app_proto, one.target)] == [None] * 4
    assert one.time.tolist() == [1_000_000]


def test_an_empty_table_has_no_rows():
    empty = Flows.read(pa.Table.from_pylist([], schema=SCHEMAS["flows"]))
    assert len(empty.time) == 0
    assert outbound_rows(empty, None, PORTS).tolist() == []
    assert len(destinations(empty, np.zeros(0, np.int64)).code) == 0


@pytest.mark.parametrize(
    ("target", "host"),
    [("a.example:443", "a.example"), ("192.0.2.1:80", "192.0.2.1"), ("[2001:db8::1]:443", "2001:db8::1"), ("a", "a")],
)
def test_a_target_loses_its_port(target, host):
    assert hosts(Codes(np.array([0, NULL]), [target])).text(0) == host
    assert hosts(Codes(np.array([0, NULL]), [target])).text(1) is None


@pytest.mark.parametrize(
    ("flow", "counted"),
    [
        ({}, True),
        ({"proto": "udp", "app_proto": "quic"}, True),
        ({"proto": "udp", "server_port": 123}, False),
        ({"proto": "tcp", "server_port": 123}, True),  # the port alone hides nothing
        ({"proto": "icmp"}, False),
        ({"proto": None}, False),
        ({"inbound": True}, False),
        ({"server": "127.0.0.1"}, False),
        ({"server": "ff02::fb"}, False),
        ({"server": "192.168.1.255"}, False),
        ({"server": "192.168.1.254"}, True),
        ({"server": None, "name": "a.example"}, False),
    ],
)
def test_a_row_counts_if_the_device_opened_it_to_somebody(made, flow, counted):
    made.flow(1)
    made.flow(2, **flow)
    assert kept(made) == ([0, 1] if counted else [0])


@pytest.mark.parametrize(
    ("proto", "bytes_up", "left"),
    [
        ("udp", 60, False),
        ("udp", 6000, False),  # of UDP the dns table tells anything
        ("tcp", 60 + LENGTH_BYTES, False),
        ("tcp", 61 + LENGTH_BYTES, True),  # a byte more than the look-up explains
    ],
)
def test_look_ups_are_left_to_dns_but_no_stream_that_said_more(made, proto, bytes_up, left):
    made.lookup(1, "a.example")
    made.rows["flows"][0] |= {"proto": proto, "bytes_up": bytes_up}
    assert kept(made) == ([0] if left else [])
    del made.rows["dns"]
    assert kept(made) == [0], "without a dns table nobody else tells it"


def test_a_destination_is_what_a_proxy_was_asked_for_else_the_name_else_the_address(made):
    asked = {"proxy": "connect", "proxy_target": "w.bad.example:443", "name": "proxy.site.example"}
    made.flow(1, **asked, proxy_server="server")
    made.flow(2, **asked, proxy_server="client")  # somebody else asked this device
    made.flow(3, **asked, proxy_server=None)
    made.flow(4, name="W.Site.Example.")
    made.flow(5, server="198.18.0.7")
    made.flow(6, **{**asked, "proxy_target": None}, proxy_server="server")
    assert whom(made) == ["bad.example", *["site.example"] * 3, "198.18.0.7", "site.example"]


def test_a_name_and_an_address_that_read_alike_are_one_destination(made):
    made.flow(1, name="198.18.0.9", server="198.18.0.1")
    made.flow(2, server="198.18.0.9")
    flows = flows_of(made)
    assert len(np.unique(destinations(flows, np.arange(2)).code)) == 1


KINDS = [
    {},
    {"name": "a.x.example"},
    {"name": "b.x.example", "server": "198.18.0.1"},
    {"inbound": True},
    {"proto": "udp", "server_port": 5353},
    {"proxy": "connect", "proxy_server": "server", "proxy_target": "z.example:1"},
    {"server": "224.0.0.1"},
]


@given(order=st.permutations(range(len(KINDS))), few=st.integers(1, len(KINDS)))
def test_each_row_is_read_by_itself_in_any_order(order, few):
    from tests.detector.conftest import Made  # a fixture would be shared between examples

    def told(numbers):
        one = Made()
        for k in numbers:
            one.flow(k, flow=k, **KINDS[k])
        flows, rows = flows_of(one), kept(one)
        column = destinations(flows, np.array(rows, np.int64))
        return {int(flows.flow[row]): column.text(k) for k, row in enumerate(rows)}

    every, some = told(range(len(KINDS))), told(order[:few])
    assert set(every) == {0, 1, 2, 5}
    assert some == {k: text for k, text in every.items() if k in order[:few]}


def test_a_long_flow_stands_for_its_exchanges_alone_and_a_short_one_for_itself(made):
    for lasts in (LONG_FLOW_US + 1, LONG_FLOW_US + 1, LONG_FLOW_US):
        made.flow(0, lasts_s=lasts / 1e6)
    for flow in (2, 0, 0, 7):
        made.exchange(flow, 1, 10, 10)
    flows, exchanges = (made.telemetry()[name] for name in ("flows", "exchanges"))
    found = moments(*(whole(flows[name]) for name in ("flow", "start", "end")), exchanges)
    assert [part.tolist() for part in vars(found).values()] == [[1, 2], [0, 0], [1, 2]]
