"""Servers on phones that are no proxies: a listener under the app's uid, strangers answered by the script.

toybox nc takes one connection and keeps the port until that has ended; then the next listener is opened.
Strangers come in the order planned; whoever speaks first is the first.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from lab.errors import StageError
from lab.stages.live.casting import Relay
from lab.stages.live.line import WAIT_S, Line, LineError
from lab.stages.live.pace import Course, Tempo, thinks
from lab.stages.live.script import PROXIES, Script

EARLY_US = 300_000  # a listener is opened so long before it is due
AGAIN_S = 0.1  # the nc of the visitor before keeps the port until he has gone
_TAKEN = "Address already in use"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
#: Listens on a phone for one connection, so many seconds: (reader, writer) of its bytes.
Opener = Callable[[Relay, int], Awaitable[Streams]]


@dataclass
class Listening:
    """All plain listeners of a run; ``errors`` by conversation, ``faults`` for listeners that could not be had."""

    scripts: Sequence[Script]
    courses: Mapping[int, Course]
    payload: memoryview
    relays: Sequence[Relay]
    open_listener: Opener
    tempo: Tempo
    errors: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Each for its time."""
        async with asyncio.TaskGroup() as tasks:
            for relay in self.relays:
                if relay.kind is None:
                    tasks.create_task(self._listen(relay))

    async def _listen(self, relay: Relay) -> None:
        """One listener after the other, as long as the app listens or strangers are still to come."""
        await asyncio.sleep(max(0.0, (self.tempo.wall(relay.time) - EARLY_US) / 1e6 - time.time()))
        coming, why = deque(self._strangers(relay)), "no stranger came"
        async with asyncio.TaskGroup() as tasks:
            while coming or time.time() * 1e6 < self.tempo.wall(relay.until):
                until = max([self.tempo.wall(relay.until), *(self._due(script) for script in list(coming)[:1])])
                try:
                    line = await self._visited(relay, until)
                except (OSError, RuntimeError) as fault:
                    why = f"listener of uid {relay.uid} on port {relay.port}: {fault}"
                    self.faults.append(why)
                    break
                if line is None:
                    break
                if coming:
                    tasks.create_task(self._answer(coming.popleft(), line))
                else:
                    await line.close()  # nobody planned this one
        for script in coming:
            self.errors[script.n] = why

    def _strangers(self, relay: Relay) -> list[Script]:
        place = (relay.device, relay.uid, relay.port)
        mine = [s for s in self.scripts if s.inbound and (s.device, s.uid, s.server[1]) == place]
        return sorted((s for s in mine if s.protocol not in PROXIES), key=lambda s: self.courses[s.n].open_real)

    def _due(self, script: Script) -> float:
        """Until when a stranger is waited for, wall clock in microseconds."""
        return self.tempo.epoch_us + self.courses[script.n].open_real + WAIT_S * 1e6

    async def _visited(self, relay: Relay, until_us: float) -> Line | None:
        """The line of the first who speaks; None if nobody does before this wall clock time.

        Who hangs up without a word has used up a listener: the next one is opened. OSError or RuntimeError if none can
        be had.
        """
        while (left := until_us / 1e6 - time.time()) > 0:
            line = Line(*await self.open_listener(relay, int(left) + 1))
            line.listen()
            spoken = False
            try:
                with suppress(LineError):
                    await line.hear(1, asyncio.get_running_loop().time() + left)
                    spoken = True
            finally:
                if not spoken:
                    await asyncio.shield(line.close())
            if spoken:
                return line
            if getattr(line.writer.get_extra_info("outcome"), "exit_code", None):
                if _TAKEN not in line.outcome():
                    raise StageError(line.outcome())
                await asyncio.sleep(AGAIN_S)
        return None

    async def _answer(self, script: Script, line: Line) -> None:
        """The server's side of a script: each answer its thinking time after it was asked."""
        loop, course = asyncio.get_running_loop(), self.courses[script.n]
        thinking, heard, asked = thinks(script, course), 0, loop.time()
        try:
            for k in range(len(script.size)):
                due = (self.tempo.epoch_us + int(course.message_real[k])) / 1e6 - time.time()
                if script.from_client[k]:
                    heard += int(script.size[k])
                    await line.hear(heard, loop.time() + max(0.0, due) + WAIT_S)
                    asked = loop.time()
                    continue
                wait = due if script.pushed[k] else asked + int(thinking[k]) / 1e6 - loop.time()
                await asyncio.sleep(max(0.0, wait))
                place = int(script.offset[k])
                await line.say(bytes(self.payload[place : place + int(script.size[k])]))
            left = (self.tempo.epoch_us + course.close_real) / 1e6 - time.time()
            await line.ended(loop.time() + max(0.0, left) + WAIT_S)
        except (LineError, OSError) as fault:
            self.errors[script.n] = f"on the phone: {fault}"
        finally:
            await asyncio.shield(line.close())
