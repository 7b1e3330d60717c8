"""A run against stand-ins for a lab's parts: what is asked of whom and when, and what is kept whatever fails."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from lab.errors import StageError
from lab.stages.live import run as module
from lab.stages.live.casting import Relay, sight
from lab.stages.live.pace import courses
from lab.stages.live.player import wall_us
from lab.stages.live.run import Run, run_name

SPEED = 1e9  # gaps vanish, bursts stay

QUIET = {"proxy": True, "capture": True, "faults": []}
STOPPED = {"packets": 9, "dropped": 0, "faults": []}
REPORT = {"conversations": {}, "dialled": {}}
SERVERS = {"conversations": {}, "strays": {}, "daemons": {}}
HANGS = "hangs"


class World:
    """All that a run talks to. ``answers``: by (role, verb), a dict, an exception or ``HANGS``."""

    def __init__(self, payload: bytes, rec) -> None:
        self.payload, self.rec = payload, rec
        self.said, self.open, self.streams, self.tasks_left = [], [], {}, 0
        self.answers = {("gateway", "status"): QUIET, ("gateway", "stop"): STOPPED, ("strangers", "report"): REPORT}
        self.answers["servers", "report"] = SERVERS
        self.before = {"proxy": True, "capture": False, "name": None, "faults": []}  # what the lab is found like
        self.sensor_faults, self.last_words, self.early = {}, {}, {}
        self.mute: set[int] = set()  # conversations whose server says nothing
        self.lab = SimpleNamespace(at=lambda role: f"at-{role}", folder=lambda _: rec, engine=1, session=2, serving=[])
        self.lab.containers, self.lab.handsets = {"gateway": 3}, [SimpleNamespace(container="phone")]

    def verbs(self, *but: str) -> list[str]:
        return [f"{role} {do}" for role, do, _ in self.said if do not in {"status", "client", *but}]

    def told(self, role: str, do: str) -> dict:
        (fields,) = [fields for who, verb, fields in self.said if (who, verb) == (role, do)]
        return fields

    async def connect(self, script):
        """The phone's socket, which its sensor sees at once, and the server's side of the script."""
        ours, theirs = socket.socketpair()
        where = {"local": ["10.88.0.9", 40_000 + script.n], "peer": list(script.server)}
        self.see(script.device, uid=script.uid, proto=script.transport, **where)
        streams = await asyncio.open_connection(sock=ours)
        self.lab.serving.append(asyncio.create_task(self._serve(script, theirs)))
        return streams

    def see(self, device: int, **seen) -> None:
        self.streams[device].hear({"event": "connect", "time_us": wall_us(), **seen})

    async def _serve(self, script, end) -> None:
        reader, writer = await asyncio.open_connection(sock=end)
        try:
            for by_client, size, at in zip(script.from_client, script.size, script.offset, strict=True):
                if by_client:
                    await reader.readexactly(int(size))
                elif script.n not in self.mute:
                    writer.write(self.payload[int(at) : int(at + size)])
            await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


def control_of(world: World):
    """The class that takes the place of ``Control``; as there, a call that is cut off loses the connection."""

    class Control:
        def __init__(self, role: str) -> None:
            self.role, self.closed = role, False

        @classmethod
        async def open(cls, address, *, timeout_s, role, answer_s=30.0):
            assert address == f"at-{role}"
            assert timeout_s > 0 < answer_s
            if isinstance(refusal := world.answers.get((role, "open")), Exception):
                raise refusal
            world.open.append(made := cls(role))
            return made

        async def call(self, do, **fields):
            if self.closed:
                raise StageError(f"{self.role}: {do}: connection lost")
            world.said.append((self.role, do, fields))
            if do == "stop":
                world.tasks_left = (
                    len(asyncio.all_tasks() - set(world.lab.serving)) - 2
                )  # the run's, and the test's own
            if do == "capture":
                (world.rec / f"{fields['name']}.pcap").write_bytes(b"frames")
            answer = world.answers.get((self.role, do), {})
            if do == "status" and not world.lab.serving:  # nothing fails before something is being played
                begun = any(verb == "capture" for _, verb, _ in world.said)
                answer = QUIET if begun else world.before
            try:
                if answer is HANGS:
                    await asyncio.Event().wait()
            finally:
                self.closed = self.closed or answer is HANGS
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        def close(self) -> None:
            self.closed = True

    return Control


def stream_of(world: World):
    """The class that takes the place of ``SensorStream``; a sensor is the device's index."""

    class SensorStream:
        def __init__(self, sensor: int, hear) -> None:
            self.sensor, self.hear, self.faults = sensor, hear, []
            world.streams[sensor] = self

        def start(self):
            world.said.append(("sensor", "start", {"sensor": self.sensor}))
            if isinstance(refusal := world.answers.get(("sensor", "start")), Exception):
                raise refusal
            for event in world.early.get(self.sensor, ()):
                self.hear(event)
            self.faults += world.sensor_faults.get(self.sensor, ())

        def finish(self):
            world.said.append(("sensor", "finish", {"sensor": self.sensor}))
            for event in world.last_words.get(self.sensor, ()):
                self.hear(event)
            return self.faults

    return SensorStream


@pytest.fixture
def few(script_of_scenario):
    """Three short conversations: (timeline, scripts, payload)."""
    timeline, scripts, payload = script_of_scenario("live-http")
    plain = [s for s in scripts if s.protocol in {"http", "dns"} and not s.tls]
    web = [s for s in plain if s.protocol == "http"][:2]
    return timeline, [*web, next(s for s in plain if s.protocol == "dns")], payload


@pytest.fixture
def world(few, tmp_path, monkeypatch):
    made = World(few[2], tmp_path)
    monkeypatch.setattr(module, "Control", control_of(made))
    monkeypatch.setattr(module, "SensorStream", stream_of(made))
    monkeypatch.setattr(module, "certify", lambda *words: made.said.append(("lab", "certify", words)) or {"held": True})
    for name, value in {"LEAD_US": 20_000, "TRAIL_S": 0.01, "WATCH_S": 0.01, "REACH_S": 0.1, "ANSWER_S": 0.1}.items():
        monkeypatch.setattr(module, name, value)
    return made


@pytest.fixture
def run(world, few):
    """A run of the few; scripts and any field may be replaced."""

    def made(scripts=None, **fields) -> Run:
        timeline, chosen, payload = few
        chosen = chosen if scripts is None else scripts
        values = {
            "name": "run-1",
            "timeline": timeline,
            "scripts": chosen,
            "courses": courses(chosen, timeline.start, SPEED),
            "sight": sight(timeline, chosen),
            "relays": (),
            "reach": reach_of(world),
            "sensors": {0: 0},
            "payload": memoryview(payload),
            "trusted": lambda _n: "",
            "speed": SPEED,
            "progress": lambda _done, _total: None,
        }
        return Run(lab=world.lab, **{**values, **fields})

    return made


def played(run: Run, *, cut_after_s: float | None = None) -> Run:
    """The run after it was played, in bounded time; interrupted after so long."""

    async def bounded() -> None:
        async with asyncio.timeout(5.0):
            playing = asyncio.create_task(run.play())
            try:
                if cut_after_s is not None:
                    await asyncio.sleep(cut_after_s)
                    playing.cancel()
                await playing
            finally:
                await asyncio.gather(*run.lab.serving, return_exceptions=True)

    asyncio.run(bounded())
    return run


def reach_of(world, **fields):
    """Phones without states or listeners, unless said otherwise."""
    return SimpleNamespace(**{"phones": {}, "connect": world.connect, "listen": None, **fields})


@pytest.fixture
def mute_run(world, few, run):
    """As ``run``, of one conversation whose server says nothing: it would last for WAIT_S, 15 s."""
    world.mute.add(few[1][0].n)
    return lambda **fields: run(few[1][:1], **fields)


END = ["gateway stop", "strangers report", "servers report", "servers finish", "strangers finish"]


def test_everything_is_begun_and_ended_in_order(world, few, run) -> None:
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


def test_all_have_one_clock_that_begins_when_all_have_heard_of_it(world, run) -> None:
    before = wall_us()
    done = played(run())
    (epoch,) = {world.told(role, "start")["epoch_us"] for role in ("servers", "strangers")}
    assert epoch == done.tempo.epoch_us == done.player.epoch_us
    assert before + 20_000 <= epoch
    assert done.opened_us < epoch < done.closed_us


def test_the_plan_names_the_run_and_what_is_intercepted(world, few, run) -> None:
    seen = sight(few[0], few[1], passthrough=[few[1][0].server[0]])
    played(run(sight=seen))
    told = world.told("gateway", "plan")
    assert told["folder"] == world.told("servers", "plan")["folder"] == world.told("gateway", "capture")["name"]
    assert list(few[1][0].server) in told["exempt"]
    assert told["pinned"] == [list(one) for one in seen.pinned]


def test_a_socket_of_an_earlier_run_is_not_taken_for_one_of_this(world, few, run) -> None:
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


def test_a_socket_that_nobody_planned_is_noticed(world, few, run) -> None:
    stranger = {"uid": few[1][0].uid, "proto": "tcp", "local": ["10.88.0.9", 7], "peer": ["198.18.9.9", 1]}

    async def connect(script):
        world.see(script.device, **stranger)
        return await world.connect(script)

    done = played(run(few[1][:1], reach=reach_of(world, connect=connect)))
    ((kind, seen),) = done.player.ports.unplanned
    assert kind[3:] == ("198.18.9.9", 1)
    assert seen.client == ("10.88.0.9", 7)


def test_attempts_to_get_out_are_no_traffic_of_the_run(world, few, run, monkeypatch) -> None:
    attempt = {"uid": few[1][0].uid, "proto": "tcp", "local": ["10.88.0.9", 7], "peer": ["198.51.100.7", 9999]}
    monkeypatch.setattr(module, "certify", lambda *_words: world.see(0, **attempt) or {"held": True})
    done = played(run())
    assert done.events[0][-1]["peer"] == ["198.51.100.7", 9999]
    assert done.player.ports.unplanned == []


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        ({**QUIET, "faults": ["mitmproxy ended by itself with 1"]}, "mitmproxy ended by itself with 1"),
        ({**QUIET, "proxy": False}, "the gateway stopped"),
        ({**QUIET, "capture": False}, "the gateway stopped"),
        (StageError("gateway: status: connection lost"), "gateway: status: connection lost"),
    ],
)
def test_a_gateway_that_fails_ends_the_run_and_all_is_collected(world, few, mute_run, status, fault) -> None:
    world.answers["gateway", "status"] = status
    done = played(mute_run())
    assert done.faults == [fault]
    assert world.verbs()[-6:] == [*END, "sensor finish"]
    assert {one.n for one in done.played()} >= {few[1][0].n}
    assert done.certificate["held"] is False


def test_a_dead_sensor_ends_the_run_and_is_named_once(world, few, mute_run) -> None:
    world.sensor_faults[0] = ["sensor-01: died: out of memory"]
    done = played(mute_run())
    assert done.faults == ["sensor-01: died: out of memory"]
    assert world.verbs()[-6:] == [*END, "sensor finish"]


def test_a_run_that_does_not_end_is_ended_and_says_what_it_was_at(world, few, mute_run, monkeypatch) -> None:
    monkeypatch.setattr(module, "left_s", lambda *_plan: 0.2)
    done = played(mute_run())
    (fault,) = done.faults
    script = few[1][0]
    assert "1 at talking; first" in fault
    assert f"{script.n} {script.protocol} to {':'.join(map(str, script.server))}" in fault
    assert done.player.doing == {}
    assert [one.error for one in done.played()] == ["cut off by the run's end"]
    assert world.verbs()[-6:] == [*END, "sensor finish"]


def test_a_clock_that_is_set_ends_the_run(world, few, mute_run, monkeypatch) -> None:
    monkeypatch.setattr(module, "Steady", lambda: SimpleNamespace(jumped_us=lambda: -3_600_000_000))
    assert played(mute_run()).faults == ["this machine's clock was moved by -3600 s, or it slept"]


def test_a_clock_that_only_trembles_does_not(run, monkeypatch) -> None:
    monkeypatch.setattr(module, "Steady", lambda: SimpleNamespace(jumped_us=lambda: module.JUMP_US))
    assert played(run()).faults == []


def test_servers_lost_in_the_middle_end_every_part_of_the_run(world, few, run) -> None:
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
    world, run, role, do, answer, monkeypatch
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


def test_a_part_that_cannot_be_reached_any_more_is_named(world, run) -> None:
    def lost(*_progress: int) -> None:
        world.answers["strangers", "open"] = StageError("strangers: no control at 10.77.1.4:9000 within 3 s")

    done = played(run(progress=lost))
    assert [fault.partition(":")[0] for fault in done.faults] == ["reports", "end"]
    assert all("no control at" in fault for fault in done.faults)


def test_an_answer_that_lacks_a_part_is_a_fault(world, run) -> None:
    world.answers["strangers", "report"] = {"conversations": {}}
    assert played(run()).faults == ["reports: KeyError: 'dialled'"]


def test_an_interrupt_is_told_and_everything_is_collected(world, few, mute_run) -> None:
    done = played(mute_run(), cut_after_s=0.1)
    assert done.interrupted
    assert done.faults == ["interrupted"]
    assert world.verbs()[-6:] == [*END, "sensor finish"]
    assert world.tasks_left == 0
    assert {one.n: one.error for one in done.played()}[few[1][0].n] == "cut off by the run's end"


def test_a_call_that_the_run_s_end_cuts_off_costs_nothing(world, run) -> None:
    world.answers["gateway", "status"] = HANGS
    done = played(run())
    assert done.faults == []
    assert world.verbs()[7] == "gateway stop"


@pytest.mark.parametrize(
    "failing",
    [("servers", "open"), ("strangers", "plan"), ("sensor", "start"), ("gateway", "capture"), ("servers", "start")],
)
def test_a_run_that_cannot_begin_leaves_nothing_running(world, run, failing) -> None:
    world.answers[failing] = StageError("not today")
    begun = run()
    with pytest.raises(StageError, match="not today"):
        played(begun)
    assert "gateway stop" in world.verbs()
    assert world.verbs().count("sensor finish") == world.verbs().count("sensor start")
    assert all(control.closed for control in world.open)
    assert list(world.rec.iterdir()) == []


def test_the_capture_of_a_run_that_was_killed_is_ended_and_told(world, run, monkeypatch) -> None:
    lines = []
    monkeypatch.setattr(module, "say", lines.append)
    world.before = {"proxy": True, "capture": True, "name": "run-0", "faults": []}
    done = played(run())
    assert world.verbs()[:2] == ["gateway stop", "gateway plan"]
    assert "run-0.pcap" in lines[0]
    assert done.faults == []


def test_a_run_interrupted_while_it_begins_stops_its_capture(world, run) -> None:
    world.answers["servers", "start"] = HANGS
    with pytest.raises(asyncio.CancelledError):
        played(run(), cut_after_s=0.03)
    assert world.verbs()[-2:] == ["gateway stop", "sensor finish"]
    assert list(world.rec.iterdir()) == []


def test_the_certificate_is_of_the_whole_lab_and_comes_after_the_capture(world, run) -> None:
    done = played(run())
    assert done.certificate == {"held": True}
    assert world.told("lab", "certify") == (1, 2, {"gateway": 3}, [("phone", 0)])


def test_a_certificate_that_could_not_be_had_is_a_fault(run, monkeypatch) -> None:
    def fails(*_words):
        raise StageError("no canary")

    monkeypatch.setattr(module, "certify", fails)
    done = played(run())
    assert done.faults == ["containment: no canary"]
    assert done.certificate["held"] is False


@pytest.mark.parametrize(
    ("told", "faults"),
    [
        ({"dropped": 3}, ["the capture dropped 3 packets"]),
        ({"faults": ["the capture is torn"]}, ["the capture is torn"]),
        ({}, []),
    ],
)
def test_what_the_capture_lost_is_a_fault_and_no_certificate_is_tried(world, run, told, faults) -> None:
    world.answers["gateway", "stop"] = {**STOPPED, **told}
    done = played(run())
    assert done.faults == faults
    assert ("lab certify" in world.verbs()) is not faults


def test_what_strangers_did_is_among_what_was_played(world, run, script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    stranger = next(s for s in scripts if s.inbound)
    row = {"sent": 5, "received": 6, "error": "refused"}
    world.answers["strangers", "report"] = {"conversations": {str(stranger.n): row}, "dialled": {}}
    done = played(run([stranger], timeline=timeline))
    (one,) = done.played()
    assert (one.n, one.sent, one.received, one.error, one.client) == (stranger.n, 5, 6, "refused", None)


def test_what_the_servers_say_went_wrong_is_the_conversation_s_error_if_it_lacks_something(
    world, few, run, script_of_scenario
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


def test_what_was_relayed_fails_if_server_and_stranger_lack_something(world, run, script_of_scenario) -> None:
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


def test_a_certificate_that_hangs_does_not_hold_up_the_end(run, monkeypatch) -> None:
    hanging = threading.Event()
    monkeypatch.setattr(module, "certify", lambda *_words: hanging.wait(5))
    monkeypatch.setattr(module, "CERTIFY_S", 0.05)
    begun = time.monotonic()
    done = played(run())
    assert time.monotonic() - begun < 2
    assert done.faults == ["containment: not within 0.05 s"]
    hanging.set()


def test_faults_of_phones_proxies_and_listeners_are_the_run_s(world, few, run) -> None:
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


def test_what_a_listener_missed_is_its_stranger_s_error(world, run, script_of_scenario) -> None:
    timeline, scripts, _ = script_of_scenario("live-socks5")
    like = next(s for s in scripts if s.inbound)
    stranger = dataclasses.replace(like, protocol="opaque")

    async def unheard(_relay, _wait_s):
        raise StageError("no nc")

    relay = Relay(like.device, like.uid, None, like.server[1], timeline.start, timeline.start + 1)
    done = played(run([stranger], timeline=timeline, relays=[relay], reach=reach_of(world, listen=unheard)))
    assert done.played()[0].error == done.faults[0] == f"listener of uid {like.uid} on port {like.server[1]}: no nc"


def test_how_far_it_is_is_told(world, few, run, monkeypatch) -> None:
    told = []
    played(run(progress=lambda done, total: told.append((done, total))))
    assert told
    assert all(0 <= done <= total for done, total in told)


def test_no_two_runs_have_one_name() -> None:
    assert len({run_name() for _ in range(9)}) == 9
