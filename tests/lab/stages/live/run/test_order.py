"""A run's course: in which order its parts are begun and ended, by which clock, and what is left if it cannot begin."""

from __future__ import annotations

import asyncio

import pytest

from lab.errors import StageError
from lab.stages.live import run as module
from lab.stages.live.casting import sight
from lab.stages.live.player import wall_us

HANGS = "hangs"
END = ["gateway stop", "strangers report", "servers report", "servers finish", "strangers finish"]


def test_everything_is_begun_and_ended_in_order(world, few, run, played) -> None:
    done = played(run())
    assert world.verbs() == [
        "gateway plan",
        "servers plan",
        "strangers plan",
        "sensor start",
        "gateway capture",
        "servers start",
        "strangers start",
        *END,
        "lab certify",
        "sensor finish",
    ]
    assert done.faults == []
    assert not done.interrupted
    assert [one.n for one in done.played()] == sorted(script.n for script in few[1])
    assert [one.error for one in done.played()] == [None] * 3


def test_all_have_one_clock_that_begins_when_all_have_heard_of_it(world, run, played) -> None:
    before = wall_us()
    done = played(run())
    (epoch,) = {world.told(role, "start")["epoch_us"] for role in ("servers", "strangers")}
    assert epoch == done.tempo.epoch_us == done.player.epoch_us
    assert before + 20_000 <= epoch
    assert done.opened_us < epoch < done.closed_us


def test_the_plan_names_the_run_and_what_is_intercepted(world, few, run, played) -> None:
    seen = sight(few[0], few[1], passthrough=[few[1][0].server[0]])
    played(run(sight=seen))
    told = world.told("gateway", "plan")
    assert told["folder"] == world.told("servers", "plan")["folder"] == world.told("gateway", "capture")["name"]
    assert list(few[1][0].server) in told["exempt"]
    assert told["pinned"] == [list(one) for one in seen.pinned]


@pytest.mark.parametrize(
    "failing",
    [("servers", "open"), ("strangers", "plan"), ("sensor", "start"), ("gateway", "capture"), ("servers", "start")],
)
def test_a_run_that_cannot_begin_leaves_nothing_running(world, run, failing, played) -> None:
    world.answers[failing] = StageError("not today")
    begun = run()
    with pytest.raises(StageError, match="not today"):
        played(begun)
    assert "gateway stop" in world.verbs()
    assert world.verbs().count("sensor finish") == world.verbs().count("sensor start")
    assert all(control.closed for control in world.open)
    assert list(world.rec.iterdir()) == []


def test_the_capture_of_a_run_that_was_killed_is_ended_and_told(world, run, monkeypatch, played) -> None:
    lines = []
    monkeypatch.setattr(module, "say", lines.append)
    world.before = {"proxy": True, "capture": True, "name": "run-0", "faults": []}
    done = played(run())
    assert world.verbs()[:2] == ["gateway stop", "gateway plan"]
    assert "run-0.pcap" in lines[0]
    assert done.faults == []


def test_a_run_interrupted_while_it_begins_stops_its_capture(world, run, played) -> None:
    world.answers["servers", "start"] = HANGS
    with pytest.raises(asyncio.CancelledError):
        played(run(), cut_after_s=0.03)
    assert world.verbs()[-2:] == ["gateway stop", "sensor finish"]
    assert list(world.rec.iterdir()) == []


def test_how_far_it_is_is_told(world, few, run, monkeypatch, played) -> None:
    told = []
    played(run(progress=lambda done, total: told.append((done, total))))
    assert told
    assert all(0 <= done <= total for done, total in told)
