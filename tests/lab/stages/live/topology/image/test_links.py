"""Commands that make a namespace so: from nothing, from what is right, and from what was something else."""

from __future__ import annotations

import pytest

from lab.stages.live.topology import addresses
from lab.stages.live.topology.image.links import Present, fdb_commands, ip_commands, plain, readdress_commands

HOST, GATEWAY, PHONE = "10.77.9.1", "10.77.9.2", "10.77.9.10"
BACK = {"host": HOST, "gateway_underlay": GATEWAY}
ETH = {"ifname": "eth3", "address": "02:42:0a:4d:09:0a", "addr_info": [{"local": PHONE, "prefixlen": 24}]}
LO = {"ifname": "lo", "address": "00:00:00:00:00:00", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]}
DEFAULT = {"dst": "default", "gateway": HOST, "dev": "eth3", "flags": []}


def handset(address="10.88.1.2", mac="02:00:00:00:00:01"):
    return addresses.handset(underlay=PHONE, address=address, mac=mac, **BACK)


def lab0(vni=88, local=PHONE, address="10.88.1.2", mac="02:00:00:00:00:01"):
    info = {"info_kind": "vxlan", "info_data": {"id": vni, "local": local}}
    return {"ifname": "lab0", "address": mac, "linkinfo": info, "addr_info": [{"local": address, "prefixlen": 32}]}


def test_a_handset_from_nothing():
    assert ip_commands(handset(), Present([LO, ETH], [DEFAULT])) == [
        f"route del default via {HOST} dev eth3",
        f"link add lab0 address 02:00:00:00:00:01 mtu 1500 type vxlan id 88 dstport 4789 local {PHONE}",
        "addr add 10.88.1.2/32 dev lab0",
        "link set lab0 up",
        "route replace 0.0.0.0/0 via 10.88.0.1 dev lab0 onlink src 10.88.1.2",
    ]
    assert fdb_commands(handset(), Present([LO, ETH])) == [f"fdb append 00:00:00:00:00:00 dev lab0 dst {GATEWAY}"]


def test_a_namespace_that_is_right_keeps_its_interface():
    route = {"dst": "default", "gateway": "10.88.0.1", "dev": "lab0", "flags": ["onlink"]}
    flood = {"ifname": "lab0", "mac": "00:00:00:00:00:00", "dst": GATEWAY}
    right = Present([LO, ETH, lab0()], [route], [flood])
    lines = ip_commands(handset(), right)
    assert not any(line.startswith(("link add", "link del", "addr")) for line in lines)
    assert fdb_commands(handset(), right) == []


@pytest.mark.parametrize("there", [lab0(vni=18), lab0(local="10.77.8.10")])
def test_an_interface_of_another_lab_is_made_anew(there):
    lines = ip_commands(handset(), Present([LO, ETH, there]))
    assert lines[:2] == [
        "link del lab0",
        f"link add lab0 address 02:00:00:00:00:01 mtu 1500 type vxlan id 88 dstport 4789 local {PHONE}",
    ]


def test_what_is_not_specified_goes():
    spec = addresses.servers(underlay=PHONE, neighbours=["10.88.0.7"], **BACK)
    inet0 = {**lab0(vni=18, address="100.64.77.9", mac="02:18:00:00:00:02"), "ifname": "inet0"}
    routes = [
        {"type": "local", "dst": "10.88.0.8", "dev": "lo", "table": "local"},
        {"type": "local", "dst": "127.0.0.1", "dev": "lo", "table": "local", "protocol": "kernel"},
        {"dst": "203.0.113.0/24", "gateway": "100.64.77.1", "dev": "inet0"},
        {"dst": "100.64.77.0/24", "dev": "inet0", "protocol": "kernel"},
    ]
    lines = ip_commands(spec, Present([LO, ETH, inet0], routes))
    assert "route add local 10.88.0.7/32 dev lo table local" in lines
    assert "route add local 198.18.0.0/15 dev lo table local" in lines
    assert [line for line in lines if " del " in line] == [
        "addr del 100.64.77.9/32 dev inet0",
        "route del local 10.88.0.8/32 dev lo table local",
        "route del 203.0.113.0/24 dev inet0",
    ]
    assert lines.index("addr add 100.64.77.2/24 dev inet0") < lines.index("addr del 100.64.77.9/32 dev inet0")
    gone = {"ifname": "inet0", "mac": "00:00:00:00:00:00", "dst": "10.77.9.99"}
    assert fdb_commands(spec, Present([], [], [gone]))[-1] == "fdb del 00:00:00:00:00:00 dev inet0 dst 10.77.9.99"


def test_the_underlay_is_found_by_its_address_whatever_it_is_called():
    assert Present([LO, ETH]).underlay_device(PHONE) == "eth3"
    with pytest.raises(LookupError, match=r"no interface has the address 10\.77\.9\.11"):
        Present([LO, ETH]).underlay_device("10.77.9.11")


def test_a_handset_gets_its_new_address_before_it_loses_the_old():
    lines = readdress_commands(handset(), handset("10.88.7.7", "02:00:00:00:00:77"))
    assert lines == [
        "link set lab0 address 02:00:00:00:00:77",
        "addr add 10.88.7.7/32 dev lab0",
        "route replace 0.0.0.0/0 via 10.88.0.1 dev lab0 onlink src 10.88.7.7",
        "addr del 10.88.1.2/32 dev lab0",
        "neigh flush dev lab0",
    ]
    assert not any("addr" in line.split()[0] for line in readdress_commands(handset(), handset()))


def test_only_a_handset_moves_and_only_where_it_is():
    there = addresses.handset(underlay="10.77.9.11", address="10.88.1.2", mac="02:00:00:00:00:01", **BACK)
    with pytest.raises(ValueError, match="only a handset"):
        readdress_commands(handset(), there)


@pytest.mark.parametrize(
    ("said", "meant"), [("default", "0.0.0.0/0"), ("10.1.2.3", "10.1.2.3/32"), ("10.0.0.0/8", "10.0.0.0/8")]
)
def test_prefixes_as_iproute2_says_them(said, meant):
    assert plain(said) == meant
