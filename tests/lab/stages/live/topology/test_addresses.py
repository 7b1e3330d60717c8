"""Each container's network: whom it may send frames to, what is its own, which way the rest goes."""

from __future__ import annotations

import pytest

from lab.stages.live.topology import addresses
from lab.stages.live.topology.image.spec import Spec

HOST, GATEWAY, SERVERS, STRANGERS = "10.77.9.1", "10.77.9.2", "10.77.9.3", "10.77.9.4"
PHONES = ["10.77.9.10", "10.77.9.11"]
BACK = {"host": HOST, "gateway_underlay": GATEWAY}


def lab() -> dict[str, Spec]:
    return {
        "gateway": addresses.gateway(
            underlay=GATEWAY,
            host=HOST,
            handsets=PHONES,
            servers=SERVERS,
            strangers=STRANGERS,
            neighbours=["10.88.0.77"],
            incoming=["198.19.0.9", "198.19.0.8"],
        ),
        "servers": addresses.servers(underlay=SERVERS, neighbours=["10.88.0.77"], **BACK),
        "strangers": addresses.strangers(underlay=STRANGERS, incoming=["198.19.0.9"], **BACK),
        "handset": addresses.handset(underlay=PHONES[0], address="10.88.1.2", mac="02:00:00:00:00:01", **BACK),
    }


def test_gateway_sends_each_address_to_whoever_has_it():
    routes = {route.prefix: route.via for route in lab()["gateway"].routes}
    assert routes == {
        "198.18.0.0/15": "100.64.77.2",
        "10.88.0.77/32": "100.64.77.2",
        "198.19.0.8/32": "100.64.77.3",
        "198.19.0.9/32": "100.64.77.3",
    }


def test_every_frame_of_a_phone_goes_to_the_gateway_and_nowhere_else():
    spec = lab()["handset"]
    assert [(one.name, one.address, one.peers) for one in spec.overlays] == [("lab0", "10.88.1.2/32", (GATEWAY,))]
    assert [(one.prefix, one.via) for one in spec.routes] == [("0.0.0.0/0", "10.88.0.1")]
    assert spec.local == ()


def test_both_ends_of_an_overlay_are_each_other_s_peers_and_no_two_have_one_mac():
    specs = lab()
    for overlay in specs["gateway"].overlays:
        for role in ("servers", "strangers", "handset"):
            for other in specs[role].overlays:
                if other.vni == overlay.vni:
                    assert (specs[role].underlay in overlay.peers, other.peers) == (True, (GATEWAY,))
    macs = [overlay.mac for spec in specs.values() for overlay in spec.overlays]
    assert len(set(macs)) == len(macs)


def test_servers_are_the_whole_internet_and_strangers_only_themselves():
    specs = lab()
    assert specs["servers"].local == ("198.18.0.0/15", "10.88.0.77/32")
    assert specs["strangers"].local == ("198.19.0.9/32",)
    assert {route.via for role in ("servers", "strangers") for route in specs[role].routes} == {"100.64.77.1"}


@pytest.mark.parametrize("role", ["gateway", "servers", "strangers", "handset"])
def test_no_role_has_ipv6_or_follows_redirects(role):
    settings = addresses.sysctls(role)
    assert settings["net.ipv6.conf.all.disable_ipv6"] == "1"
    assert (settings.get("net.ipv4.ip_forward") == "1") == (role == "gateway")
    assert (settings.get("net.netfilter.nf_conntrack_acct") == "1") == (role == "handset")


@pytest.mark.parametrize("role", ["gateway", "servers", "strangers", "handset"])
def test_a_specification_survives_its_json(role):
    spec = lab()[role]
    assert Spec.from_json(spec.to_json()) == spec
