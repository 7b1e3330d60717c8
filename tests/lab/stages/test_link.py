"""Links come from hosts alone, and nothing leaves the lab's address space."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lab.errors import StageError
from lab.network import Network
from lab.stages.addresses import text_of
from lab.stages.link import ALLOWED_ZONES, LEAST_RTT_US, WINDOW, links_of, refuse_escape
from lab.timeline import Host
from lab.world.dual_stack import dual_stacked


def with_host(timeline, **changes):
    return dataclasses.replace(timeline, hosts=(dataclasses.replace(timeline.hosts[0], **changes), *timeline.hosts[1:]))


def links(timeline):
    return links_of(timeline, ["tcp"] * len(timeline.speeches))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "10.89.0.1", "10.0.0.1", "192.168.1.1", "198.20.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1",
     "2001:4860:4860::8888", "::1", "fe80::1", "198.18.0.256", "198.18.1", "", "0x0a580001", "localhost", "2001:db9::1"],
)  # fmt: skip
def test_forbidden_addresses_are_refused(tiny, address):
    refuse_escape(tiny)
    with pytest.raises(StageError, match="found address"):
        refuse_escape(with_host(tiny, address=address))
    devices = (dataclasses.replace(tiny.devices[0], address=address), *tiny.devices[1:])
    with pytest.raises(StageError, match="device phone-01"):
        refuse_escape(dataclasses.replace(tiny, devices=devices))


@pytest.mark.parametrize(
    "name", ["example.com", "example", "api.example.org", "xexample", "test", "a.example.", "8.8.8.8"]
)
def test_only_reserved_names_are_allowed(tiny, name):
    if name.rstrip(".").endswith(ALLOWED_ZONES):
        refuse_escape(with_host(tiny, name=name))
        return
    with pytest.raises(StageError, match="expected a name under"):
        refuse_escape(with_host(tiny, name=name))


@pytest.mark.parametrize(
    ("address", "mac"), [("239.255.255.250", "01:00:5e:7f:ff:fa"), ("224.0.0.251", "01:00:5e:00:00:fb")]
)
def test_a_group_is_spoken_to_at_its_own_mac_and_never_answers(timeline_of, talk, address, mac):
    asked = with_host(timeline_of([talk([(0, 100, 0, 0)])]), name="", address=address)
    refuse_escape(asked)
    made = links(asked)
    assert bytes(made.remote[0, :6].tolist()).hex(":") == mac
    assert made.remote[0, 6:].tolist() == [int(octet) for octet in address.split(".")]
    for talks in ([talk([(0, 100, 1, 0)])], [talk([(0, 100, 0, 0)], inbound=True)]):
        with pytest.raises(StageError, match="a multicast group speaks"):
            links(with_host(timeline_of(talks), name="", address=address))
    devices = (dataclasses.replace(asked.devices[0], address=address), *asked.devices[1:])
    with pytest.raises(StageError, match="device phone-01"):
        refuse_escape(dataclasses.replace(asked, devices=devices))


def test_an_address_as_its_own_name_is_a_literal(tiny):
    refuse_escape(with_host(tiny, name=tiny.hosts[0].address))


def test_links_do_not_depend_on_who_speaks(tiny):
    said = tiny.conversations
    other = dataclasses.replace(said, incident=np.full_like(said.incident, -1), behaviour=np.zeros_like(said.behaviour))
    relabelled = dataclasses.replace(tiny, conversations=other, incidents=())
    for name, column in vars(links(tiny)).items():
        assert np.all(column == getattr(links(relabelled), name)), name


def test_ipv6_goes_from_one_ipv6_address_to_another_in_shorter_segments(timeline_of, talk):
    timeline = timeline_of([talk([(0, 1, 1, 0)]), talk([(0, 1, 1, 0)], host=1)])
    dual = dual_stacked(dataclasses.replace(timeline, network=Network(ipv6=1.0)))
    made = links(dual)
    assert made.six.tolist() == [True, False]
    assert [text_of(row, made.book) for row in made.local] == [dual.devices[0].six, "10.88.3.4"]
    assert [text_of(row, made.book) for row in made.remote] == [dual.hosts[0].address, "198.19.200.1"]
    assert made.mss[0] <= 1440
    assert not links(timeline).six.any()


def test_a_network_adds_to_the_round_trip_and_cuts_segments_shorter(timeline_of, talk):
    timeline = timeline_of([talk([(0, 1, 1, 0)], start=n) for n in range(200)])
    plain, far = (links(dataclasses.replace(timeline, network=one)) for one in (Network(), Network(rtt_us=80_000)))
    assert (far.rtt - plain.rtt == 80_000).all()
    uneven = links(dataclasses.replace(timeline, network=Network(jitter_us=10_000))).rtt - plain.rtt
    assert 0 <= uneven.min() < 500 < 9_500 < uneven.max() < 10_000
    small = links(dataclasses.replace(timeline, network=Network(mtu=1281)))
    assert set(small.mss.tolist()) == {1240}
    assert (small.offered, plain.offered) == (1241, 1460)
    assert (set(small.room.tolist()), set(plain.room.tolist())) == ({1253}, {1472})


def test_a_datagram_has_less_room_over_ipv6_and_in_a_tunnel(timeline_of, talk):
    timeline = timeline_of([talk([(0, 1, 1, 0)]), talk([(0, 1, 1, 0)], host=1)])
    dual = dual_stacked(dataclasses.replace(timeline, network=Network(ipv6=1.0, mtu=1280)))
    assert links(dual).room.tolist() == [1232, 1252]
    carried = dataclasses.replace(timeline.conversations, tunnel=np.array([-1, 0], dtype=np.int32))
    assert links(dataclasses.replace(timeline, conversations=carried)).room.tolist() == [1472, 1392]


@pytest.mark.parametrize("rtt", [0, 60_000, 300_000, 2_000_000])
def test_a_phone_has_no_more_under_way_than_the_first_window_grants(timeline_of, talk, rtt):
    far = dataclasses.replace(timeline_of([talk([(0, 200_000, 100, 0)])]), network=Network(rtt_us=rtt))
    made = links(far)
    acknowledged = made.rtt + made.gap_up  # every second segment is
    assert (acknowledged // made.gap_up * made.mss + made.mss <= WINDOW).all()


def test_hosts_differ_in_ttl_and_segment_size():
    hosts = [Host("", f"198.18.1.{n}", 1) for n in range(1, 200)]
    from lab.stages.link import _host_row

    rows = np.array([_host_row(host) for host in hosts])
    assert set(rows[:, 0]) == {LEAST_RTT_US}
    assert len(set(rows[:, 1])) > 4
    assert ((rows[:, 2] > 40) & (rows[:, 2] < 251)).all()
    assert len({64 - ttl for ttl in rows[:, 2] if ttl < 64}) > 10


def test_the_gateway_carries_the_internet_and_neighbours_have_a_mac_of_their_own(tiny):
    made = links(tiny)
    gateway = [int(octet, 16) for octet in tiny.devices[0].gateway_mac.split(":")]
    for row, host in enumerate(tiny.conversations.host):
        behind = made.remote[row, :6].tolist() == gateway
        assert behind == tiny.hosts[host].address.startswith("198.")


def test_two_devices_of_the_inventory_know_each_others_mac(tiny):
    made = links(with_host(tiny, name="", address=tiny.devices[1].address))
    rows = np.flatnonzero(tiny.conversations.host == 0)
    assert made.remote[rows[0], :6].tolist() == [int(octet, 16) for octet in tiny.devices[1].mac.split(":")]


def test_ports_follow_the_direction(tiny):
    made, said = links(tiny), tiny.conversations
    (row,) = np.flatnonzero(said.inbound)
    assert (made.local_port[row], made.remote_port[row]) == (1080, said.client_port[row])
    assert (made.local_port[0], made.remote_port[0]) == (said.client_port[0], 53)
