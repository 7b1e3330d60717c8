"""One run: a timeline's plan handed out, every part started, everything that was seen collected whatever happens.

An interrupt, a dead part or a lost phone ends the run early; what was captured until then is still collected, and the
faults say why it is not whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from detector.contract import Advance
from lab.console import say
from lab.errors import StageError
from lab.stages.live.casting import Relay, Sight
from lab.stages.live.control import Control
from lab.stages.live.device_states import DeviceDay, wanted_states
from lab.stages.live.listening import Listening
from lab.stages.live.livelab import LiveLab
from lab.stages.live.overtime import left_s, unfinished
from lab.stages.live.pace import Course, Tempo, state_courses
from lab.stages.live.player import Player, wall_us
from lab.stages.live.ports import Seen
from lab.stages.live.proxies import Proxies
from lab.stages.live.reach import Reach
from lab.stages.live.reports import ServersTold, servers_told
from lab.stages.live.script import Played, Script
from lab.stages.live.steady import Steady
from lab.stages.live.strangers import relayed_played, strangers_played
from lab.stages.live.threads import in_thread
from lab.stages.live.together import leaves, said, together
from lab.stages.live.topology.containment import certify
from lab.stages.live.topology.sensor_stream import SensorStream
from lab.timeline import Timeline

LEAD_US = 1_500_000  # between the order to start and the run's start: every part has heard it by then
TRAIL_S = 1.5  # for the last packets, closes and events
WATCH_S = 1.0
OPEN_S = 10.0
REACH_S, ANSWER_S = 3.0, 15.0  # afterwards, when a part may be dead: for a control port to be there, and to answer
CERTIFY_S, FINISH_S = 90.0, 30.0  # for the certificate (3 to 4 s) and for all sensors together (3 s)
JUMP_US = 20_000  # a wall clock moved by more has torn the run apart


@dataclass
class Run:
    """What is needed to play, then what was seen. ``name`` is that of the plan's folder and of the capture."""

    lab: LiveLab
    name: str
    timeline: Timeline
    scripts: Sequence[Script]
    courses: Mapping[int, Course]
    sight: Sight
    relays: Sequence[Relay]
    reach: Reach
    sensors: Mapping[int, Any]
    payload: memoryview
    trusted: Callable[[int], str]
    speed: float
    progress: Advance
    tempo: Tempo = field(init=False)
    player: Player = field(init=False)
    opened_us: int = 0  # wall clock; what was seen before is of an earlier run, or of the lab's own making
    streams: dict[int, SensorStream] = field(default_factory=dict)
    events: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    days: dict[int, DeviceDay] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    listener_errors: dict[int, str] = field(default_factory=dict)
    inbound: dict[int, Played] = field(default_factory=dict)  # and what is relayed for it
    servers: ServersTold = field(default_factory=ServersTold)
    counted: dict[str, Any] = field(default_factory=dict)  # what the gateway says of its capture when it ends
    interrupted: bool = False
    certificate: dict[str, Any] = field(default_factory=lambda: {"held": False, "why": "nothing was tried"})
    closed_us: int = 0  # wall clock; what was seen later are the attempts to get out
    _controls: dict[str, Control] = field(default_factory=dict)

    async def play(self) -> None:
        """Plays and collects; afterwards the fields hold what was seen. StageError if it could not even begin."""
        try:
            await self._begin()
        except BaseException:
            await self._undo()
            raise
        try:
            await self._played()
        except asyncio.CancelledError:
            self.interrupted = True
            self.faults.append("interrupted")
        except StageError as fault:
            self.faults.append(str(fault))
        except ExceptionGroup as group:
            self.faults += [said(fault) for fault in leaves(group)]
        finally:
            await self._collect()
            self._hang_up()

    def _hang_up(self) -> None:
        for control in self._controls.values():
            control.close()

    async def _undo(self) -> None:
        """A run that did not begin leaves no capture and no sensor behind, which the next one would find."""
        self._hang_up()
        if "gateway" in self._controls:
            await self._kept(self._stop_capture(), "capture", REACH_S + ANSWER_S)
        await self._kept(self._finish_sensors(), "sensors", FINISH_S)
        for path in self.lab.folder("rec").glob(f"{self.name}.*"):
            path.unlink()

    async def _begin(self) -> None:
        """Plans to all, sensors heard, capture on, the clock set."""
        for role in ("gateway", "servers", "strangers"):
            self._controls[role] = await Control.open(self.lab.at(role), role=role, timeout_s=OPEN_S)
        await self._end_earlier()
        gateway = self.sight.interception
        await self._controls["gateway"].call(
            "plan",
            folder=self.name,
            redirect=[list(place) for place in gateway.redirect],
            exempt=[list(place) for place in gateway.exempt],
            pinned=[list(place) for place in self.sight.pinned],
        )
        for role in ("servers", "strangers"):
            await self._controls[role].call("plan", folder=self.name)
        loop = asyncio.get_running_loop()
        for index, sensor in self.sensors.items():
            self.events[index] = []
            self.streams[index] = SensorStream(sensor, self._hearer(loop, index))
        await asyncio.gather(*(in_thread(stream.start) for stream in self.streams.values()))
        await self._controls["gateway"].call("capture", name=self.name)
        epoch_us = wall_us() + LEAD_US
        self.tempo = Tempo(epoch_us, self.timeline.start, self.speed)
        self.player = self._new_player(epoch_us)
        self.opened_us = wall_us()
        for role in ("servers", "strangers"):
            await self._controls[role].call("start", epoch_us=epoch_us)

    async def _end_earlier(self) -> None:
        """The capture of a recorder that was killed still runs: it ends here, and is rescued when the lab goes."""
        status = await self._controls["gateway"].call("status")
        if status["capture"]:
            await self._controls["gateway"].call("stop")
            say(
                f"an earlier run of this lab never ended; {status['name']}.pcap was captured until now, and stands in "
                f"{self.lab.folder('rec')} until the lab goes"
            )

    def _new_player(self, epoch_us: int) -> Player:
        return Player(
            self.scripts,
            self.courses,
            self.payload,
            self.trusted,
            self.reach.connect,
            self._controls["servers"],
            epoch_us=epoch_us,
        )

    def _hearer(self, loop: asyncio.AbstractEventLoop, index: int) -> Callable[[dict[str, Any]], None]:
        """Hands a sensor's events from its thread to the loop's."""

        def hear(event: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(self._heard, index, event)

        return hear

    def _heard(self, index: int, event: dict[str, Any]) -> None:
        """A sensor's event, on the loop's thread."""
        self.events[index].append(event)
        if event["event"] == "connect" and self.opened_us and self._within(event["time_us"]):
            local, peer = event["local"], event["peer"]
            kind = (index, event["uid"], event["proto"], peer[0], peer[1])
            self.player.saw(kind, Seen((local[0], local[1]), event["time_us"]))

    def _within(self, time_us: int) -> bool:
        """Whether it is of this run: not of one before, nor an attempt to get out."""
        return self.opened_us <= time_us and not 0 < self.closed_us < time_us

    async def _played(self) -> None:
        """Until every conversation has ended; a dead part ends it at once."""
        plans = state_courses(self.timeline, self.speed)
        for index, phone in self.reach.phones.items():
            device = self.timeline.devices[index].name
            if device in plans:
                wanted = wanted_states(self.timeline, index, plans[device])
                self.days[index] = DeviceDay(phone, wanted, self.tempo.epoch_us)
        proxies = Proxies(self.reach.phones, self.relays, self.tempo)
        watching = asyncio.create_task(self._watch())
        listening = Listening(self.scripts, self.courses, self.payload, self.relays, self.reach.listen, self.tempo)
        days = [day.live() for day in self.days.values()]
        playing = asyncio.create_task(together(self.player.play(), proxies.run(), listening.run(), *days))
        both = [watching, playing]
        left = left_s(self.tempo, [*self.courses.values(), *plans.values()], self.relays)
        try:
            await asyncio.wait(both, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            if not playing.done():
                raise StageError(unfinished(self.scripts, self.player.doing))
            await playing
            await asyncio.sleep(TRAIL_S)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self.listener_errors = listening.errors
            of_days = [fault for day in self.days.values() for fault in day.faults]
            self.faults += [*proxies.faults, *listening.faults, *of_days]

    async def _watch(self) -> None:
        """Tells how far the run is; ends when a part has died. StageError names it."""
        steady = Steady()
        last = max((course.close_real for course in self.courses.values()), default=0)
        while True:
            await asyncio.sleep(WATCH_S)
            done = min(max(wall_us() - self.tempo.epoch_us, 0), last)
            self.progress(done // 1_000_000, max(last // 1_000_000, 1))
            if abs(jump := steady.jumped_us()) > JUMP_US:
                raise StageError(f"this machine's clock was moved by {jump / 1e6:+g} s, or it slept")
            status = await self._controls["gateway"].call("status")
            if status["faults"] or not status["proxy"] or not status["capture"]:
                raise StageError("; ".join(status["faults"]) or "the gateway stopped")
            dead = [fault for stream in self.streams.values() for fault in stream.faults]
            if dead:
                raise StageError("; ".join(dead))

    async def _collect(self) -> None:
        """Capture, sockets and reports, each in bounded time and even where another fails."""
        await self._kept(self._stop_capture(), "capture", REACH_S + ANSWER_S)
        self.closed_us = wall_us()
        for report in (self._strangers_report, self._servers_report):  # the servers are judged by what was heard
            await self._kept(report(), "reports", REACH_S + ANSWER_S)
        for role in ("servers", "strangers"):
            await self._kept(self._ask(role, "finish"), "end", REACH_S + ANSWER_S)
        if not self.faults:
            await self._kept(self._certify(), "containment", CERTIFY_S)
        await self._kept(self._finish_sensors(), "sensors", FINISH_S)

    async def _kept(self, step: Awaitable[object], what: str, within_s: float) -> None:
        """A step of the collection; that it failed is a fault of the recording, and the next one's turn."""
        try:
            async with asyncio.timeout(within_s):
                await step
        except TimeoutError:
            self.faults.append(f"{what}: not within {within_s:g} s")
        except (RuntimeError, OSError, LookupError, TypeError, ValueError) as fault:
            self.faults.append(f"{what}: {said(fault)}")

    async def _ask(self, role: str, do: str) -> dict[str, Any]:
        """One call on a connection of its own: those of the run may have been cut off in the middle of a call."""
        control = await Control.open(self.lab.at(role), role=role, timeout_s=REACH_S, answer_s=ANSWER_S)
        try:
            return await control.call(do)
        finally:
            control.close()

    async def _finish_sensors(self) -> None:
        finished = await asyncio.gather(*(in_thread(stream.finish) for stream in self.streams.values()))
        await asyncio.sleep(0)  # their last events
        self.faults += sorted({fault for faults in finished for fault in faults} - set(self.faults))

    async def _stop_capture(self) -> None:
        told = self.counted = await self._ask("gateway", "stop")
        if told.get("dropped"):
            self.faults.append(f"the capture dropped {told['dropped']} packets")
        self.faults += [fault for fault in told["faults"] if fault not in self.faults]

    async def _certify(self) -> None:
        """Tries to get out of the lab from everywhere in it; a run that has failed already needs no certificate."""
        lab = self.lab
        phones = [(lab.handsets[index].container, sensor) for index, sensor in self.sensors.items()]
        self.certificate = await in_thread(certify, lab.engine, lab.session, lab.containers, phones)

    async def _strangers_report(self) -> None:
        """What the strangers did."""
        told = await self._ask("strangers", "report")
        epoch_us = self.tempo.epoch_us
        self.inbound = strangers_played(self.scripts, self.courses, epoch_us, told, self.listener_errors)
        self.inbound |= relayed_played(self.scripts, self.player.played, told)

    async def _servers_report(self) -> None:
        """What the servers say went wrong; their faults are the run's."""
        known = {**self.player.played, **self.inbound}
        self.servers = servers_told(self.scripts, known, await self._ask("servers", "report"))
        self.faults += self.servers.faults

    def played(self) -> list[Played]:
        """What became of every conversation that was begun, in the timeline's order."""
        known = {**self.player.played, **self.inbound} if hasattr(self, "player") else {}
        return [replace(known[n], error=known[n].error or self.servers.errors.get(n)) for n in sorted(known)]


def run_name() -> str:
    """A name no other run of this lab has."""
    return f"run-{time.time_ns()}"
