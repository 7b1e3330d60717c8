"""The plan folder is read by number, its payload by turn, and a damaged one is refused."""

from __future__ import annotations

import json

import pytest

from lab.stages.live.servers.image.plan import Plan, Turn

ROWS = ((1_000, 300, 500, 2_000), (9_000, 0, 40, 5_000))


def test_a_script_is_read_back(plans, plan_of):
    plan = plan_of(
        plans.Talk(3, "opaque", ("198.18.0.1", 443), ROWS, tls=True, name="a.example"),
        plans.Talk(7, "opaque", ("10.88.1.10", 1080), ROWS, inbound=True, client="198.18.9.9"),
        plans.Talk(8, "opaque", ("198.18.0.2", 443), ROWS, via=7),
    )
    script = plan.script(3)
    assert (script.protocol, script.transport, script.tls, script.name) == ("opaque", "tcp", True, "a.example")
    assert [(turn.from_client, turn.size, turn.think_us, turn.pushed) for turn in script.turns] == [
        (True, 300, 0, False),
        (False, 500, 2_000, False),
        (False, 40, 0, True),
    ]
    assert [len(plan.bytes_of(turn)) for turn in script.turns] == [300, 500, 40]
    assert {n: (head.inbound, head.via) for n, head in plan.heads.items()} == {
        3: (False, None),
        7: (True, None),
        8: (False, 7),
    }
    with pytest.raises(KeyError):
        plan.script(4)


def test_bytes_beyond_the_payload_are_refused(plans, plan_of):
    plan = plan_of(plans.Talk(0, "opaque", ("198.18.0.1", 1), ROWS))
    with pytest.raises(ValueError, match="expected 9"):
        plan.bytes_of(Turn(True, 9, 1 << 30, 0, 0, False))


def test_services_of_one_place_are_one_with_all_alpn_names(tmp_path, plans):
    place = {"address": "198.18.0.1", "port": 443, "transport": "tcp", "tls": True}
    rows = [{**place, "protocol": "http", "alpn": ["h2"]}, {**place, "protocol": "websocket", "alpn": ["http/1.1"]}]
    plan = Plan(plans.write_folder(tmp_path / "x", [], rows))
    assert plan.services == {("198.18.0.1", 443, "tcp"): ("http", True, ("h2", "http/1.1"))}
    assert plan.heads == {}


def test_a_damaged_line_is_refused(tmp_path, plans):
    folder = plans.write_folder(tmp_path / "x", [])
    (folder / "scripts.jsonl").write_text(json.dumps({"n": 1}))
    with pytest.raises(KeyError):
        Plan(folder)
