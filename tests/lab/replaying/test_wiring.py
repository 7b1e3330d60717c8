from dataclasses import replace

import pytest

from lab.errors import PrerequisiteError, ScenarioError
from lab.replaying import wiring
from lab.replaying.interfaces import LABEL, Interface

LINK = Interface("", "", "veth", "", 1500, True, "", "", False, False, 0)


class Machine:
    """What iproute2 would do, kept in a table; fails at the ``fails``-th change."""

    def __init__(self, fails=-1):
        self.spaces = {"": {"lo": replace(LINK, name="lo", loopback=True, kind="")}}
        self.changes, self.fails = [], fails

    def told(self, *words):
        if len(self.changes) == self.fails:
            self.fails = -1
            raise PrerequisiteError("ip: no")
        self.changes.append(words)
        space = ""
        if words[0] == "-n":
            space, words = words[1], words[2:]
        getattr(self, "_".join(words[:2]))(space, words[2:])
        return ""

    def netns_add(self, _, words):
        self.spaces[words[0]] = {"lo": replace(LINK, name="lo", loopback=True, kind="", namespace=words[0])}

    def netns_del(self, _, words):
        gone = self.spaces.pop(words[0])
        pairs = {name[:-1] + str(int(name[-1]) - 1) for name in gone if name != "lo" and name[-1].isdigit()}
        for name in pairs:
            self.spaces[""].pop(name, None)

    def link_add(self, _, words):
        space = words[words.index("netns") + 1]
        near, far, mtu = words[0], words[words.index("name") + 1], int(words[2])
        self.spaces[""][near] = replace(LINK, name=near, mtu=mtu)
        self.spaces[space][far] = replace(LINK, name=far, namespace=space, mtu=mtu)

    def link_set(self, space, words):
        if words[1] == "alias":
            self.spaces[space][words[0]] = replace(self.spaces[space][words[0]], alias=words[2])

    def link_del(self, space, words):
        del self.spaces[space][words[0]]
        for other in self.spaces.values():
            other.pop(words[0][:-1] + str(int(words[0][-1]) + 1), None)


@pytest.fixture
def machine(monkeypatch):
    def install(**more):
        made = Machine(**more)
        monkeypatch.setattr(wiring, "told", made.told)
        monkeypatch.setattr(wiring, "interfaces", lambda space="": dict(made.spaces[space]))
        monkeypatch.setattr(wiring, "namespaces", lambda: sorted(name for name in made.spaces if name))
        return made

    return install


def test_a_wire_goes_up_and_down_and_leaves_nothing(machine):
    made = machine()
    found = wiring.up()
    assert found.whole
    assert ([one.name for one in found.near], [one.spec for one in found.far]) == (["dr-wire0"], ["dr-wire/dr-wire1"])
    assert {one.alias for one in (*found.near, *found.far)} == {f"{LABEL} dr-wire"}
    assert wiring.far_end(found.near[0]) == "dr-wire/dr-wire1"
    assert wiring.far_end(found.far[0]) is None
    assert wiring.down() == ["dr-wire"]
    assert {name: list(links) for name, links in made.spaces.items()} == {"": ["lo"]}


def test_a_wire_that_stands_is_found_and_another_of_its_name_refused(machine):
    made = machine()
    wiring.up(legs=2, mtu=9000)
    before = len(made.changes)
    assert len(wiring.up(legs=2, mtu=9000).near) == 2
    assert len(made.changes) == before
    with pytest.raises(ScenarioError, match="droidrange lab wire down dr-wire"):
        wiring.up()


@pytest.mark.parametrize("fails", range(10))
def test_a_wire_that_cannot_be_made_leaves_nothing(machine, fails):
    made = machine(fails=fails)
    if fails < 9:
        with pytest.raises(PrerequisiteError):
            wiring.up()
        assert {name: list(links) for name, links in made.spaces.items()} == {"": ["lo"]}
    else:
        assert wiring.up().whole


def test_what_is_not_ours_is_neither_taken_nor_taken_down(machine):
    made = machine()
    made.spaces[""]["dr-wire0"] = replace(LINK, name="dr-wire0", alias="somebody's")
    with pytest.raises(ScenarioError, match="not the lab's"):
        wiring.up()
    made.spaces["dr-wire"] = {"lo": replace(LINK, name="lo", loopback=True, kind="", namespace="dr-wire")}
    assert wiring.wires() == []
    assert wiring.down() == []
    assert "dr-wire0" in made.spaces[""]
    assert "dr-wire" in made.spaces
    with pytest.raises(ScenarioError, match="no such wire"):
        wiring.down(["dr-wire"])


def test_a_stranger_in_the_namespace_stops_its_removal(machine):
    made = machine()
    wiring.up()
    made.spaces["dr-wire"]["eth9"] = replace(LINK, name="eth9", namespace="dr-wire", kind="")
    with pytest.raises(ScenarioError, match="dr-wire/eth9 in its namespace"):
        wiring.down()
    assert wiring.wires()[0].to_json()["others"] == ["dr-wire/eth9"]


def test_what_is_left_of_a_wire_is_shown_and_can_be_removed(machine):
    made = machine()
    wiring.up()
    made.spaces[""].pop("dr-wire0")
    assert not wiring.wires()[0].whole
    assert wiring.down() == ["dr-wire"]
    assert list(made.spaces) == [""]


@pytest.mark.parametrize("name", ["", "-x", "Wire", "much-too-long-a-name", "a/b", "a b", "0a"])
def test_a_name_no_interface_can_have_is_refused(machine, name):
    machine()
    with pytest.raises(ScenarioError, match="--name"):
        wiring.up(name)
