"""What is told of a run's conversations: whose socket each was, what strangers and servers say of it, what it lacks."""

from __future__ import annotations

import asyncio
import dataclasses

from lab.errors import StageError
from lab.stages.live import run as module
from lab.stages.live.casting import Relay
from lab.stages.live.player import wall_us

REPORT = {"conversations": {}, "dialled": {}}
SERVERS = {"conversations": {}, "strays": {}, "daemons": {}}


def test_a_socket_of_an_earlier_run_is_not_taken_for_one_of_this(world, few, run, played, reach_of) -> None:
    script = few[1][0]
    old = {
        "event": "connect",
        "uid": script.uid,
        "proto": "tcp",
        "local": ["10.88.0.9", 7],
        "peer": list(script.server),
    }
    world.early[0] = [{**old, "time_us": wall_us()}]
    world.last_words[0] = [{"event": "close", "time_us": 1}]

    async def connect(script):
        """An old line of the sensor comes late, just when a socket of that kind is awaited."""
        world.see(script.device, **{**old, "time_us": begun.opened_us - 1})
        return await world.connect(script)

    begun = run([script], reach=reach_of(world, connect=connect))
    done = played(begun)
    assert done.played()[0].client == ("10.88.0.9", 40_000 + script.n)
    assert done.player.ports.unplanned == []
    assert [event["local"][1] for event in done.events[0][:-1]] == [7, 7, 40_000 + script.n]
    assert done.events[0][-1]["event"] == "close"  # what a sensor says at its end is still heard


def test_a_socket_that_nobody_planned_is_noticed(world, few, run, played, reach_of) -> None:
    stranger = {"uid": few[1][0].uid, "proto": "tcp", "local": ["10.88.0.9", 7], "peer": ["198.18.9.9", 1]}

    async def connect(script):
        world.see(script.device, **stranger)
        return await world.connect(script)

    done = played(run(few[1][:1], reach=reach_of(world, connect=connect)))
    ((kind, seen),) = done.player.ports.unplanned
    assert kind[3:] == ("198.18.9.9", 1)
    assert seen.client == ("10.88.0.9", 7)


def test_attempts_to_get_out_are_no_traffic_of_the_run(world, few, run, monkeypatch, played) -> None:
    attempt = {"uid": few[1][0].uid, "proto": "tcp", "local": ["10.88.0.9", 7], "peer": ["198.51.100.7", 9999]}
    monkeypatch.setattr(module, "certify", lambda *_words: world.see(0, **attempt) or {"held": True})
    done = played(run())
    assert done.events[0][-1]["peer"] == ["198.51.100.7", 9999]
    assert done.player.ports.unplanned == []


def test_what_strangers_did_is_among_what_was_played(world, run, script_of_scenario, played) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    stranger = next(s for s in scripts if s.inbound)
    row = {"sent": 5, "received": 6, "error": "refused"}
    world.answers["strangers", "report"] = {"conversations": {str(stranger.n): row}, "dialled": {}}
    done = played(run([stranger], timeline=timeline))
    (one,) = done.played()
    assert (one.n, one.sent, one.received, one.error, one.client) == (stranger.n, 5, 6, "refused", None)


def test_what_the_servers_say_went_wrong_is_the_conversation_s_error_if_it_lacks_something(
    world, few, run, script_of_scenario, played
) -> None:
    scripts = script_of_scenario("live-socks5")[1]
    relayed = next(s for s in scripts if s.via is not None)
    row = {"received": 0, "sent": 0, "error": "closed at turn 2 of 4: by the client"}
    kinds = {str(n): row for n in (relayed.n, few[1][0].n)}
    world.answers["servers", "report"] = {"conversations": kinds, "strays": {"tls": 2}, "daemons": {"mqtt": False}}
    done = played(run(few[1][:1]))
    assert done.played()[0].error is None, "its client said and heard everything"
    assert done.servers.notes == {few[1][0].n: f"servers: {row['error']}"}
    assert done.faults == ["servers: mqtt does not answer"]
    assert done.servers.strays == {"tls": 2}


def test_what_was_relayed_fails_if_server_and_stranger_lack_something(world, run, script_of_scenario, played) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    relayed = next(s for s in scripts if s.via is not None)
    where = {"local": ["10.88.0.9", 7], "peer": list(relayed.server)}

    def dial(*_progress: int) -> None:
        if not world.lab.serving:
            world.lab.serving.append(asyncio.get_running_loop().create_future())
            world.lab.serving[0].set_result(None)
            world.see(relayed.device, uid=relayed.uid, proto=relayed.transport, **where)

    row = {"received": 1, "sent": 0, "error": "closed at turn 2 of 4: by the client"}
    world.answers["servers", "report"] = {**SERVERS, "conversations": {str(relayed.n): row}}
    row = {"received": 0, "sent": 5, "error": None}
    world.answers["strangers", "report"] = {**REPORT, "conversations": {str(relayed.n): row}}
    (one,) = played(run([relayed], timeline=timeline, progress=dial)).played()
    assert (one.client, one.sent, one.error) == (
        ("10.88.0.9", 7),
        5,
        "servers: closed at turn 2 of 4: by the client",
    )


def test_what_a_listener_missed_is_its_stranger_s_error(world, run, script_of_scenario, played, reach_of) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    like = next(s for s in scripts if s.inbound)
    stranger = dataclasses.replace(like, protocol="opaque")

    async def unheard(_relay, _wait_s):
        raise StageError("no nc")

    relay = Relay(like.device, like.uid, None, like.server[1], timeline.start, timeline.start + 1)
    done = played(run([stranger], timeline=timeline, relays=[relay], reach=reach_of(world, listen=unheard)))
    assert done.played()[0].error == done.faults[0] == f"listener of uid {like.uid} on port {like.server[1]}: no nc"
