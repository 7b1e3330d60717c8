"""Stand-ins for a lab's parts: what a run asks of whom, and what each answers, fails with or never says."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

import pytest

from lab.errors import StageError
from lab.stages.live import run as module
from lab.stages.live.casting import sight
from lab.stages.live.pace import courses
from lab.stages.live.player import wall_us
from lab.stages.live.run import Run

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


def _played(run: Run, *, cut_after_s: float | None = None) -> Run:
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


def _reach_of(world, **fields):
    """Phones without states or listeners, unless said otherwise."""
    return SimpleNamespace(**{"phones": {}, "connect": world.connect, "listen": None, **fields})


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
            "reach": _reach_of(world),
            "sensors": {0: 0},
            "payload": memoryview(payload),
            "trusted": lambda _n: "",
            "speed": SPEED,
            "progress": lambda _done, _total: None,
        }
        return Run(lab=world.lab, **{**values, **fields})

    return made


@pytest.fixture
def mute_run(world, few, run):
    """As ``run``, of one conversation whose server says nothing: it would last for WAIT_S, 15 s."""
    world.mute.add(few[1][0].n)
    return lambda **fields: run(few[1][:1], **fields)


@pytest.fixture
def played():
    """Plays a run in bounded time."""
    return _played


@pytest.fixture
def reach_of():
    """Phones of a world, or what takes their place."""
    return _reach_of
