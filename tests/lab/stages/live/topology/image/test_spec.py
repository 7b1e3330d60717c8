"""Nothing but addresses, names and MACs gets into a specification: commands and rules are made of it."""

from __future__ import annotations

import json

import pytest

from lab.stages.live.topology.addresses import handset
from lab.stages.live.topology.image.spec import Spec

GOOD = json.loads(
    handset(
        underlay="10.77.9.10",
        host="10.77.9.1",
        gateway_underlay="10.77.9.2",
        address="10.88.1.2",
        mac="02:00:00:00:00:01",
    ).to_json()
)


def changed(*path_and_value):
    *path, last, value = path_and_value
    made = json.loads(json.dumps(GOOD))
    place = made
    for step in path:
        place = place[step]
    place[last] = value
    return json.dumps(made)


def test_the_good_one_is_good():
    assert Spec.from_json(json.dumps(GOOD)).role == "handset"


@pytest.mark.parametrize(
    "text",
    [
        changed("role", "root"),
        changed("underlay", "10.77.9.10; nft flush ruleset"),
        changed("underlay", "10.77.9.256"),
        changed("host", "::1"),
        changed("host_port", 0),
        changed("host_port", 65536),
        changed("local", ["10.0.0.1/8"]),
        changed("local", ["default"]),
        changed("overlays", 0, "name", 'lab0" accept'),
        changed("overlays", 0, "name", "-force"),
        changed("overlays", 0, "vni", 1 << 24),
        changed("overlays", 0, "mac", "03:00:00:00:00:01"),
        changed("overlays", 0, "mac", "02:00:00:00:00"),
        changed("overlays", 0, "address", "10.88.1.2/33"),
        changed("overlays", 0, "peers", ["all"]),
        changed("routes", 0, "via", "dev eth0"),
        changed("routes", 0, "device", "eth 0"),
    ],
)
def test_what_is_no_address_name_mac_or_role_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        Spec.from_json(text)


@pytest.mark.parametrize("text", ["{}", "[]", "x", changed("more", 1)])
def test_what_is_no_specification_is_refused(text):
    with pytest.raises((ValueError, TypeError, KeyError)):
        Spec.from_json(text)
