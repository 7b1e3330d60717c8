"""Which end of a logged flow is a device, and what it is called."""

from ipaddress import ip_network

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.derived import DERIVED
from detector.imports.locality import Known, owned, private


def flows(*ends, **columns):
    rows = [{"flow": k, "client": client, "server": server} for k, (client, server) in enumerate(ends)]
    table = pa.Table.from_pylist(rows, DERIVED["flows"])
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    return table


def whose(table, told=None, known=None):
    found = owned(table, told or {}, known or Known())
    return [(row["flow"], row["device"], row["inbound"]) for row in found.to_pylist()]


def test_private_addresses_that_dial_are_devices_and_strangers_are_not():
    table = flows(("10.0.0.2", "8.8.8.8"), ("9.9.9.9", "10.0.0.2"), ("9.9.9.9", "192.168.0.9"), ("fd00::1", "2001::1"))
    assert whose(table) == [(0, "10.0.0.2", False), (1, "10.0.0.2", True), (3, "fd00::1", False)]


def test_what_the_sensor_calls_local_is_a_device_wherever_it_stands():
    table = flows(("147.32.0.1", "8.8.8.8"), ("9.9.9.9", "147.32.0.1"), ("9.9.9.9", "8.8.8.8"))
    told = {
        "local_client": pa.chunked_array([[True, False, None]]),
        "local_server": pa.chunked_array([[False, False, None]]),
    }
    assert whose(table, told) == [(0, "147.32.0.1", False), (1, "147.32.0.1", True)]


def test_where_nobody_is_private_whoever_dials_is_a_device():
    assert whose(flows(("9.9.9.9", "8.8.8.8"))) == [(0, "9.9.9.9", False)]


def test_a_local_server_that_was_asked_to_relay_is_a_device_though_it_never_dials():
    table = flows(
        ("10.0.0.2", "10.0.0.9"), ("10.0.0.2", "10.0.0.8"), proxy=["socks5", None], proxy_server=["server", None]
    )
    assert whose(table) == [(0, "10.0.0.2", False), (0, "10.0.0.9", True), (1, "10.0.0.2", False)]


def test_groups_and_broadcast_are_nobodys():
    assert whose(flows(("10.0.0.2", "10.0.0.255"), ("10.0.0.255", "10.0.0.2"))) == [
        (0, "10.0.0.2", False),
        (1, "10.0.0.2", True),
    ]


def test_an_inventory_names_devices_and_apps_of_who_dialled():
    known = Known({"10.0.0.2": "phone"}, {("phone", 10_001): "org.example"})
    table = flows(("10.0.0.2", "8.8.8.8"), ("10.0.0.3", "10.0.0.2"))
    found = owned(table, {"uid": pa.array([10_001, 7], pa.int32())}, known).to_pylist()
    assert [(row["device"], row["uid"], row["package"]) for row in found] == [
        ("phone", 10_001, "org.example"),
        ("10.0.0.3", 7, None),
        ("phone", None, None),
    ]


def test_private_networks():
    own = ("10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "169.254.0.1", "fe80::1", "fd00::1", "127.0.0.1")
    assert private([*own]).all()
    assert not private(["172.32.0.1", "198.18.0.1", "2001:db8::1", "x", "", "100.128.0.1", "fcx"]).any()


@given(st.ip_addresses())
def test_private_is_what_the_networks_say(address):
    networks = map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"))
    six = map(ip_network, ("127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"))
    expected = any(address.version == one.version and address in one for one in (*networks, *six))
    assert private([str(address)]).tolist() == [expected]
