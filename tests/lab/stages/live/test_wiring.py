"""Places on the underlay: one for each role, none for two."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from lab.stages.live.wiring import (
    MOST_HANDSETS,
    answering_spec,
    gateway_spec,
    handset_name,
    handset_spec,
    place,
    resting,
)

NET = IPv4Network("10.77.3.0/24")


def test_every_place_is_another_and_within() -> None:
    places = [place(NET, role) for role in ("gateway", "servers", "strangers")]
    places += [place(NET, "handset", index) for index in range(MOST_HANDSETS)]
    assert len(set(places)) == len(places)
    assert all(IPv4Address(one) in NET and IPv4Address(one) not in (NET[0], NET[1], NET[255]) for one in places)
    assert len({resting(index) for index in range(MOST_HANDSETS)}) == MOST_HANDSETS
    assert handset_name(0) == "handset-01"


def test_gateway_and_phones_agree_on_where_they_are() -> None:
    gateway = gateway_spec(NET, 2, neighbours=["10.88.9.9"], incoming=["198.18.5.5"])
    phone = handset_spec(NET, 1, *resting(1))
    assert gateway.underlay in phone.overlays[0].peers
    assert phone.underlay in gateway.overlays[0].peers
    via = {route.prefix: route.via for route in gateway.routes}
    assert via["10.88.9.9/32"] != via["198.18.5.5/32"]


@pytest.mark.parametrize("role", ["servers", "strangers"])
def test_those_who_answer_hold_the_addresses_they_answer_for(role) -> None:
    spec = answering_spec(NET, role, neighbours=["10.88.9.9"], incoming=["198.18.5.5"])
    assert spec.role == role
    assert ("10.88.9.9/32" in spec.local) == (role == "servers")
    assert ("198.18.5.5/32" in spec.local) == (role == "strangers")
