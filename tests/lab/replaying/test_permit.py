from dataclasses import replace

import pytest

from lab.replaying import permit
from lab.replaying.interfaces import LABEL, Interface

WIRE = Interface("dr-wire0", "", "veth", f"{LABEL} dr-wire", 1500, True, "02:00:00:00:00:01", "", False, False, 0, 7, 2)

FAR = replace(WIRE, name="dr-wire1", namespace="dr-wire", index=2, peer=7)


def refusals(spec, found, owned, far=(FAR,), **more):
    return permit.refusals(spec, found, owned, far=far, **more)


def test_the_labs_own_wire_is_allowed():
    assert refusals("dr-wire0", WIRE, ()) == []
    for kind in ("veth", "dummy", "tun"):
        assert refusals("dr-wire0", replace(WIRE, kind=kind), ()) == []


# what an interface may be instead, and the word by which it is refused
STRANGE = {
    "no label": ({"alias": ""}, "no alias"),
    "another's label": ({"alias": "uplink"}, "alias 'uplink'"),
    "a label like ours": ({"alias": LABEL + "s"}, "expected the lab's"),
    "hardware": ({"kind": ""}, "hardware"),
    "a bridge": ({"kind": "bridge"}, "bridge"),
    "a vlan": ({"kind": "vlan"}, "vlan"),
    "wireguard": ({"kind": "wireguard"}, "wireguard"),
    "macvlan": ({"kind": "macvlan"}, "macvlan"),
    "loopback": ({"loopback": True, "kind": "", "name": "lo"}, "loopback"),
    "the default route": ({"default_route": True}, "default route"),
    "a port of a bridge": ({"master": "br0"}, "port of br0"),
    "hardware with our label": ({"kind": "", "alias": LABEL}, "hardware"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_anything_else_is_refused_unless_named_exactly(what):
    changes, word = STRANGE[what]
    found = replace(WIRE, **changes)
    (told,) = refusals(found.spec, found, ())
    assert word in told
    assert f"--i-own-this-network {found.spec}" in told
    assert refusals(found.spec, found, (found.spec,)) == []
    for near in ("dr-wire", "dr-wire00", "DR-WIRE0", "eth0", "*", "", f"x/{found.spec}"):
        assert len(refusals(found.spec, found, (near,))) == 1


def test_owning_a_name_here_is_not_owning_it_in_a_namespace():
    found = replace(WIRE, alias="", namespace="lab")
    assert refusals("lab/dr-wire0", found, ("dr-wire0",)) != []
    assert refusals("lab/dr-wire0", found, ("lab/dr-wire0",)) == []


def test_no_interface_is_refused_even_where_its_name_is_owned():
    assert "no such interface" in refusals("dr-wire9", None, ("dr-wire9",))[0]


def test_a_way_out_of_the_far_namespace_is_one():
    far = [
        FAR,
        replace(WIRE, name="lo", loopback=True, alias="", kind=""),
    ]
    bridge = replace(WIRE, name="br0", kind="bridge", alias="", namespace="dr-wire")
    out = replace(WIRE, name="eth9", alias="", kind="", namespace="dr-wire")
    assert refusals("dr-wire0", WIRE, (), far=[*far, bridge]) == []
    assert "dr-wire/eth9, a way out" in refusals("dr-wire0", WIRE, (), far=[*far, out])[0]


def test_a_veth_that_leads_elsewhere_is_refused_whatever_its_label():
    loopback = replace(WIRE, name="lo", loopback=True, kind="", namespace="dr-wire")
    for far in ((), (loopback,)):
        assert "not in the lab's namespace" in refusals("dr-wire0", WIRE, (), far=far)[0]
    assert refusals("dr-wire0", replace(WIRE, kind="tun"), (), far=()) == []


def test_what_is_down_or_too_narrow_is_told_even_to_an_owner():
    told = refusals("dr-wire0", replace(WIRE, up=False), ("dr-wire0",), longest=4_014)
    assert "ip link set dr-wire0 up" in told[0]
    assert "MTU is 1500" in told[1]
    assert refusals("dr-wire0", WIRE, (), longest=1_518) == []


def test_another_end_of_the_lab_is_not_the_other_end():
    third = replace(FAR, name="dr-wire3", index=4, peer=9)  # dr-wire1 was moved away, the second leg is still there
    for far in ((third,), (replace(FAR, peer=9),), (replace(FAR, alias=""),)):
        assert "not in the lab's namespace" in refusals("dr-wire0", WIRE, (), far=far)[0]
    here = replace(WIRE, peer=0)  # both ends in one namespace
    assert "not in the lab's namespace" in refusals("dr-wire0", here, (), far=(replace(FAR, index=0),))[0]


def test_from_the_far_end_the_near_one_may_not_lead_on():
    assert refusals(FAR.spec, FAR, (), far=(WIRE,)) == []
    for changes, word in (({"master": "br0"}, "belongs to br0"), ({"default_route": True}, "the default route")):
        assert word in refusals(FAR.spec, FAR, (), far=(replace(WIRE, **changes),))[0]
    for far in ((), (replace(WIRE, alias=""),), (replace(WIRE, index=8),)):
        assert "is not the lab's" in refusals(FAR.spec, FAR, (), far=far)[0]
