"""The command line of the lab's wire."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lab.cli import app
from lab.errors import ScenarioError
from lab.replaying import wiring
from lab.replaying.interfaces import Interface
from lab.replaying.wiring import Wire

NEAR = Interface("dr-wire0", "", "veth", "droidrange wire dr-wire", 1500, True, "", "", False, False, 7)
WIRE = Wire("dr-wire", (NEAR,), (replace(NEAR, name="dr-wire1", namespace="dr-wire"),), (), namespace=True)


def ask(*words):
    return CliRunner().invoke(app, ["lab", "wire", *words])


def test_up_says_where_to_send_and_where_to_listen(monkeypatch):
    asked = {}
    monkeypatch.setattr(wiring, "up", lambda name, **more: asked.update(more, name=name) or WIRE)
    answer = ask("up", "--legs", "2", "--mtu", "9000")
    assert answer.exit_code == 0
    assert "send on dr-wire0" in answer.stdout
    assert "ip netns exec dr-wire tcpdump -ni dr-wire1" in answer.stdout
    assert asked == {"name": "dr-wire", "legs": 2, "mtu": 9000}
    assert json.loads(ask("up", "--json").stdout)["listen"] == ["dr-wire/dr-wire1"]


def test_status_shows_wires_and_what_is_broken(monkeypatch):
    stranger = replace(NEAR, name="eth9", namespace="dr-wire")
    monkeypatch.setattr(wiring, "wires", lambda: [WIRE, replace(WIRE, far=(), others=(stranger,))])
    text = ask("status").stdout
    assert "7 frames sent so far" in text
    assert "is broken; droidrange lab wire down dr-wire" in text
    assert "dr-wire/eth9 is not the lab's" in text
    assert len(json.loads(ask("status", "--json").stdout)["wires"]) == 2
    monkeypatch.setattr(wiring, "wires", list)
    assert "droidrange lab wire up" in ask("status").stdout


def test_down_says_what_went(monkeypatch):
    monkeypatch.setattr(wiring, "down", lambda names: names or ["dr-wire"])
    assert ask("down").stdout == "removed 1 wire: dr-wire\n"
    assert json.loads(ask("down", "a", "b", "--json").stdout) == {"removed": ["a", "b"]}


@pytest.mark.parametrize("words", [["up", "--legs", "3"], ["up", "--mtu", "10"]])
def test_what_no_wire_can_be_is_exit_2(words):
    assert ask(*words).exit_code == 2


def test_a_refusal_is_exit_2(monkeypatch):
    def refuse(_names):
        raise ScenarioError(["x: no such wire"])

    monkeypatch.setattr(wiring, "down", refuse)
    assert ask("down", "x").exit_code == 2
