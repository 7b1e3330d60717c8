"""A run of which a part fails, hangs or is interrupted: it ends, is told once, and everything is collected."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lab.errors import StageError
from lab.stages.live import run as module
from lab.stages.live.casting import Relay

SPEED = 1e9  # gaps vanish, bursts stay
QUIET = {"proxy": True, "capture": True, "faults": []}
HANGS = "hangs"
END = ["gateway stop", "strangers report", "servers report", "servers finish", "strangers finish"]


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        ({**QUIET, "faults": ["mitmproxy ended by itself with 1"]}, "mitmproxy ended by itself with 1"),
        ({**QUIET, "proxy": False}, "the gateway stopped"),
        ({**QUIET, "capture": False}, "the gateway stopped"),
        (StageError("gateway: status: connection lost"), "gateway: status: connection lost"),
    ],
)
def test_a_gateway_that_fails_ends_the_run_and_all_is_collected(world, few, mute_run, status, fault, played) -> None:
    world.answers["gateway", "status"] = status
    done = played(mute_run())
    assert done.faults == [fault]
    assert world.verbs()[-6:] == [*END, "sensor finish"]
    assert {one.n for one in done.played()} >= {few[1][0].n}
    assert done.certificate["held"] is False


def test_a_dead_sensor_ends_the_run_and_is_named_once(world, few, mute_run, played) -> None:
    world.sensor_faults[0] = ["sensor-01: died: out of memory"]
    done = played(mute_run())
    assert done.faults == ["sensor-01: died: out of memory"]
    assert world.verbs()[-6:] == [*END, "sensor finish"]


def test_a_run_that_does_not_end_is_ended_and_says_what_it_was_at(world, few, mute_run, monkeypatch, played) -> None:
    monkeypatch.setattr(module, "left_s", lambda *_plan: 0.2)
    done = played(mute_run())
    (fault,) = done.faults
    script = few[1][0]
    assert "1 at talking; first" in fault
    assert f"{script.n} {script.protocol} to {':'.join(map(str, script.server))}" in fault
    assert done.player.doing == {}
    assert [one.error for one in done.played()] == ["cut off by the run's end"]
    assert world.verbs()[-6:] == [*END, "sensor finish"]


def test_a_clock_that_is_set_ends_the_run(world, few, mute_run, monkeypatch, played) -> None:
    monkeypatch.setattr(module, "Steady", lambda: SimpleNamespace(jumped_us=lambda: -3_600_000_000))
    assert played(mute_run()).faults == ["this machine's clock was moved by -3600 s, or it slept"]


def test_a_clock_that_only_trembles_does_not(run, monkeypatch, played) -> None:
    monkeypatch.setattr(module, "Steady", lambda: SimpleNamespace(jumped_us=lambda: module.JUMP_US))
    assert played(run()).faults == []


def test_servers_lost_in_the_middle_end_every_part_of_the_run(world, few, run, played, reach_of) -> None:
    world.answers["servers", "client"] = StageError("servers: client: connection lost")
    still = {"set_state": lambda **_: None, "read_state": lambda: None}
    shell = SimpleNamespace(shell=lambda _words: "", **still)
    relay = Relay(0, 10_101, "socks5", 1080, few[0].start, few[0].start + 1, 3_600_000_000)
    reach = reach_of(world, phones={0: shell})
    done = played(run(few[1][:1], relays=[relay], reach=reach))
    assert "servers: client: connection lost" in done.faults
    assert world.tasks_left == 0  # when the capture is stopped, nobody plays on


@pytest.mark.parametrize(
    ("role", "do"),
    [
        ("gateway", "stop"),
        ("strangers", "report"),
        ("servers", "report"),
        ("servers", "finish"),
        ("strangers", "finish"),
    ],
)
@pytest.mark.parametrize("answer", [StageError("connection lost"), HANGS])
def test_a_part_lost_at_the_end_is_named_and_the_others_are_collected(
    world, run, role, do, answer, monkeypatch, played
) -> None:
    monkeypatch.setattr(module, "REACH_S", 0.01)
    monkeypatch.setattr(module, "ANSWER_S", 0.05)
    world.answers[role, do] = answer
    done = played(run())
    assert [verb for verb in world.verbs() if verb in END] == END
    assert world.verbs()[-1] == "sensor finish"
    what = {"stop": "capture", "report": "reports", "finish": "end"}[do]
    why = "connection lost" if answer is not HANGS else "not within 0.06 s"
    assert done.faults == [f"{what}: {why}"]
    assert done.closed_us > done.opened_us
    assert "lab certify" not in world.verbs()


def test_a_part_that_cannot_be_reached_any_more_is_named(world, run, played) -> None:
    def lost(*_progress: int) -> None:
        world.answers["strangers", "open"] = StageError("strangers: no control at 10.77.1.4:9000 within 3 s")

    done = played(run(progress=lost))
    assert [fault.partition(":")[0] for fault in done.faults] == ["reports", "end"]
    assert all("no control at" in fault for fault in done.faults)


def test_an_answer_that_lacks_a_part_is_a_fault(world, run, played) -> None:
    world.answers["strangers", "report"] = {"conversations": {}}
    assert played(run()).faults == ["reports: KeyError: 'dialled'"]


def test_an_interrupt_is_told_and_everything_is_collected(world, few, mute_run, played) -> None:
    done = played(mute_run(), cut_after_s=0.1)
    assert done.interrupted
    assert done.faults == ["interrupted"]
    assert world.verbs()[-6:] == [*END, "sensor finish"]
    assert world.tasks_left == 0
    assert {one.n: one.error for one in done.played()}[few[1][0].n] == "cut off by the run's end"


def test_a_call_that_the_run_s_end_cuts_off_costs_nothing(world, run, played) -> None:
    world.answers["gateway", "status"] = HANGS
    done = played(run())
    assert done.faults == []
    assert world.verbs()[7] == "gateway stop"


def test_faults_of_phones_proxies_and_listeners_are_the_run_s(world, few, run, played, reach_of) -> None:
    def broken(*_words, **_state):
        raise RuntimeError("device offline")

    async def unheard(_relay, _wait_s):
        raise StageError("no nc")

    phone = SimpleNamespace(shell=broken, set_state=broken, read_state=broken)
    start = few[0].start
    relays = [Relay(0, 10_101, kind, 1080, start, start + 1, 0) for kind in ("socks5", None)]
    reach = reach_of(world, phones={0: phone}, listen=unheard)
    listening = [Relay(0, 10_101, None, 1080, start, start + int(0.5 * SPEED * 1e6), 0)]
    done = played(run(relays=[relays[0], *listening], reach=reach))
    assert sorted(done.faults) == [
        "device state: device offline",
        "listener of uid 10101 on port 1080: no nc",
        "proxy of uid 10101 on port 1080: device offline",
    ]
