from dataclasses import replace

import pytest

from lab.errors import PrerequisiteError, ScenarioError, StageError
from lab.replaying import outlets
from lab.replaying.interfaces import LABEL, Interface

WIRE = Interface("dr-wire0", "", "veth", f"{LABEL} dr-wire", 1500, True, "02:00:00:00:00:01", "", False, False, 0, 7, 2)
FAR = replace(WIRE, name="dr-wire1", namespace="dr-wire", index=2, peer=7)


@pytest.fixture
def machine(monkeypatch):
    there = {"dr-wire0": WIRE, "eth0": replace(WIRE, name="eth0", alias="", kind="", default_route=True)}
    far = {"dr-wire1": FAR}
    monkeypatch.setattr(outlets, "interface", there.get)
    monkeypatch.setattr(outlets, "interfaces", lambda _space: far)
    monkeypatch.setattr(outlets, "far_of", lambda near: near.alias.removeprefix(LABEL).strip() or None)
    return far


def test_only_the_wire_is_permitted(machine):
    assert outlets.permitted(["dr-wire0"], (), 1514) == [WIRE]
    with pytest.raises(ScenarioError) as fault:
        outlets.permitted(["eth0", "nowhere"], (), 1514)
    assert len(fault.value.faults) == 2
    assert outlets.permitted(["eth0"], ["eth0"], 1514)[0].name == "eth0"


def test_a_way_out_of_the_other_ends_namespace_is_seen(machine):
    machine["eth9"] = replace(WIRE, name="eth9", namespace="dr-wire", alias="", kind="")
    with pytest.raises(ScenarioError, match="dr-wire/eth9, a way out"):
        outlets.permitted(["dr-wire0"], (), 1514)


def test_without_the_right_to_raw_sockets_it_says_so(machine, monkeypatch):
    def refused(_name, **_more):
        raise PermissionError

    monkeypatch.setattr(outlets, "packet_socket", refused)
    with pytest.raises(PrerequisiteError, match="CAP_NET_RAW"):
        outlets.opened(WIRE)


class Made:
    closed = False

    def close(self):
        self.closed = True


@pytest.mark.parametrize("now", [None, {"index": 8}, {"alias": ""}, {"master": "br0"}, {"default_route": True}])
def test_a_name_that_another_interface_took_before_the_socket_was_bound_is_not_sent_on(monkeypatch, now):
    made = Made()
    monkeypatch.setattr(outlets, "packet_socket", lambda _name, **_more: made)
    monkeypatch.setattr(outlets, "interface", lambda _spec: now and replace(WIRE, **now))
    with pytest.raises(StageError, match="nothing was sent on it"):
        outlets.opened(WIRE)
    assert made.closed


def test_what_is_still_what_was_permitted_is_sent_on(monkeypatch):
    made = Made()
    monkeypatch.setattr(outlets, "packet_socket", lambda _name, **_more: made)
    monkeypatch.setattr(outlets, "interface", lambda _spec: replace(WIRE, sent=99))
    assert outlets.opened(WIRE) is made
    assert not made.closed


def test_the_far_end_is_permitted_by_the_near_one(monkeypatch):
    near = [WIRE]
    monkeypatch.setattr(outlets, "interface", {FAR.spec: FAR}.get)
    monkeypatch.setattr(outlets, "interfaces", lambda space="": {one.name: one for one in near} if not space else {})
    assert outlets.permitted([FAR.spec], (), 1514) == [FAR]
    near[0] = replace(WIRE, master="br0")
    with pytest.raises(ScenarioError, match="belongs to br0"):
        outlets.permitted([FAR.spec], (), 1514)
