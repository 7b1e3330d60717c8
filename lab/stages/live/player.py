"""Plays the client's side of every conversation of a run, each on its phone, at its time.

The phone only opens the socket under the app's uid; protocol and TLS are spoken here. What strangers say into phones
they say themselves; what a proxy on a phone then dials is only awaited, to tell the servers whose it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Protocol

from lab.protocols.real_tls import client_context
from lab.stages.live.line import WAIT_S, Line, LineError, Measure
from lab.stages.live.pace import Course
from lab.stages.live.ports import Kind, Ports, Seen
from lab.stages.live.script import Played, Script

SEEN_WITHIN_S = 10.0  # a kernel reports a new connection in milliseconds; a paused phone may take seconds
DNS_RETRIES_S = (2.0, 5.0)  # after an answer was due; RFC 1035 section 4.2.1 advises 2-5 s at least
LOOK_UP_S = 3.0  # how long a look-up may hold up who waits for it
LINGER_S = 2.0  # for a peer's last words after our own
LEADS = 64  # how many of the last openings say how early one must be begun
TELLS = 8  # conversations told to the servers in one breath at most

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
#: Runs a program on a phone that connects to a script's server as its app: (reader, writer) of its bytes.
Opener = Callable[[Script], "asyncio.Future[Streams] | Any"]


class Servers(Protocol):
    """The control port of the servers (lab.stages.live.control)."""

    async def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """One verb."""
        ...


@dataclass
class Player:
    """One run. ``payload`` holds both sides' bytes, ``trusted`` the PEM of the authorities each conversation trusts.

    ``epoch_us`` is the wall clock at which the run's real time is 0.
    """

    scripts: Sequence[Script]
    courses: Mapping[int, Course]
    payload: memoryview
    trusted: Callable[[int], str]
    open_stream: Opener
    servers: Servers
    epoch_us: int = 0
    ports: Ports = field(default_factory=Ports)
    played: dict[int, Played] = field(default_factory=dict)
    doing: dict[int, str] = field(default_factory=dict)  # what those that have begun, and not ended, are at
    advance: Callable[[int], None] = lambda _done: None
    _looking: dict[tuple[int, str], asyncio.Event] = field(default_factory=dict)  # names being looked up
    _leads: list[int] = field(default_factory=lambda: [8_000])
    _contexts: dict[tuple[int, str, str], Any] = field(default_factory=dict)

    async def play(self) -> None:
        """All conversations, each from its time on; ``played`` has what became of them, also when this is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            due = sorted(self.scripts, key=self._asked)
            for script in due:
                if script.via is not None:
                    tasks.create_task(self._awaited(script, self.ports.dialling(script)))
            for script in due:
                if script.inbound or script.via is not None:
                    continue
                await self._until(self.courses[script.n].open_real - self._lead())
                tasks.create_task(self._spoken(script))

    def _asked(self, script: Script) -> int:
        """When a proxy is asked to dial, if one is: strangers ask in the order in which they come."""
        stranger = self.courses.get(script.via) if script.via is not None else None
        return (stranger or self.courses[script.n]).open_real

    def saw(self, kind: Kind, seen: Seen) -> None:
        """The kernel of a phone has reported a new connection."""
        self.ports.saw(kind, seen)

    def _lead(self) -> int:
        """How long before its time an opening must be begun."""
        return int(median(self._leads[-LEADS:]))

    async def _until(self, real_us: int) -> None:
        """Sleeps until this real time of the run."""
        left = (self.epoch_us + real_us) / 1e6 - time.time()
        if left > 0:
            await asyncio.sleep(left)

    def _loop_time(self, real_us: int) -> float:
        """A real time of the run on the loop's clock."""
        ahead = (self.epoch_us + real_us) / 1e6 - time.time()
        return asyncio.get_running_loop().time() + ahead

    async def _awaited(self, script: Script, report: asyncio.Future[Seen]) -> None:
        """A conversation that a proxy on the phone will dial."""
        course = self.courses[script.n]
        self.doing[script.n] = "a proxy's dialling"
        try:
            async with asyncio.timeout_at(self._loop_time(course.close_real) + SEEN_WITHIN_S):
                seen = await report
        except TimeoutError:
            self._note(script, None, wall_us(), error="the proxy on the phone never dialled it")
            return
        finally:
            self.doing.pop(script.n, None)
        await self._tell(script, seen)
        self._note(script, seen, seen.time_us)

    async def _spoken(self, script: Script) -> None:
        """A conversation whose client we are."""
        begun, seen, line, error = wall_us(), None, None, None
        try:
            self.doing[script.n] = "its name"
            await self._named(script)
            self.doing[script.n] = "its turn"
            async with self.ports.opening(script) as report:
                self.doing[script.n] = "opening"
                line = await self._opened(script)
                seen = await self._reported(script, line, report)
            self.doing[script.n] = "talking"
            self._leads.append(min(max(seen.time_us - begun, 0), 200_000))
            await self._conversed(script, line, skip=1 if script.transport == "udp" else 0)
        except (LineError, OSError, TimeoutError) as fault:
            error = str(fault) or type(fault).__name__
        except asyncio.CancelledError:
            error = "cut off by the run's end"
            raise
        finally:
            if line:
                await asyncio.shield(line.close())
            self.doing.pop(script.n, None)
            self._note(script, seen, begun, line=line, error=error)
            self._resolved(script)

    async def _named(self, script: Script) -> None:
        """Nobody connects to a name that he is still looking up; a look-up that is begun keeps others waiting."""
        key = (script.device, script.name)
        if script.protocol == "dns":
            self._looking.setdefault(key, asyncio.Event())
        elif script.name and key in self._looking:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._looking[key].wait(), LOOK_UP_S)

    def _resolved(self, script: Script) -> None:
        """A look-up has been answered, or has failed."""
        if script.protocol == "dns":
            self._looking.pop((script.device, script.name), asyncio.Event()).set()

    async def _opened(self, script: Script) -> Line:
        reader, writer = await self.open_stream(script)
        return Line(reader, writer, measures(script.protocol))

    async def _reported(self, script: Script, line: Line, report: asyncio.Future[Seen]) -> Seen:
        """What the kernel says of it: at once for TCP, with the first datagram for UDP."""
        if script.transport == "udp":
            line.listen()
            await self._say(script, line, 0)
        try:
            async with asyncio.timeout(SEEN_WITHIN_S):
                seen = await report
        except TimeoutError:
            raise LineError(f"no socket seen: {line.outcome()}") from None
        await self._tell(script, seen)
        return seen

    async def _tell(self, script: Script, seen: Seen) -> None:
        if script.protocol != "dns":
            await self.servers.call("client", n=script.n, client=list(seen.client))

    async def _conversed(self, script: Script, line: Line, *, skip: int) -> None:
        """The messages, each at its time but not before what was said before it has been heard; then the goodbye."""
        if script.tls:
            await line.shake_hands(self._context(script), script.name or script.server[0])
        if script.transport == "tcp":
            line.listen()
        course = self.courses[script.n]
        due = self._owed(script)
        for k in range(skip, len(script.size)):
            if script.from_client[k]:
                await self._until(int(course.message_real[k]))
                late = max(self._loop_time(int(course.message_real[k])), asyncio.get_running_loop().time())
                await self._hear(script, line, due, k, late)
                await self._say(script, line, k)
        last = int(course.message_real[-1]) if len(course.message_real) else course.open_real
        until = max(self._loop_time(last), asyncio.get_running_loop().time())
        await self._hear(script, line, due, len(script.size), until)
        self._resolved(script)
        await self._until(course.close_real)

    async def _hear(self, script: Script, line: Line, due: Sequence[int], k: int, by: float) -> None:
        """What must be heard before message k. A look-up that stays unanswered is sent again, as resolvers do."""
        asked = next((j for j in range(k - 1, -1, -1) if script.from_client[j]), None)
        for wait_s in DNS_RETRIES_S if script.protocol == "dns" and script.transport == "udp" else ():
            try:
                await line.hear(due[k], by + wait_s)
            except LineError:
                if asked is not None:
                    await self._say(script, line, asked)
            else:
                return
        await line.hear(due[k], by + WAIT_S)

    def _owed(self, script: Script) -> list[int]:
        """How much must have been heard before each message, and at the end."""
        measure, heard, owed = measures(script.protocol), 0, []
        said = b""
        for k in range(len(script.size)):
            owed.append(heard)
            if not script.from_client[k]:
                if measure is len:
                    heard += int(script.size[k])
                else:
                    said += self._bytes(script, k)
                    heard = measure(said)
        return [*owed, heard]

    async def _say(self, script: Script, line: Line, k: int) -> None:
        await line.say(self._bytes(script, k))

    def _bytes(self, script: Script, k: int) -> bytes:
        place = int(script.offset[k])
        return bytes(self.payload[place : place + int(script.size[k])])

    def _context(self, script: Script) -> Any:
        key = (script.stack, script.alpn, self.trusted(script.n))
        if key not in self._contexts:
            self._contexts[key] = client_context(*key)
        return self._contexts[key]

    def _note(
        self, script: Script, seen: Seen | None, begun: int, *, line: Line | None = None, error: str | None = None
    ) -> None:
        self.played[script.n] = Played(
            n=script.n,
            client=seen.client if seen else None,
            server=script.server,
            opened_us=seen.time_us if seen else begun,
            closed_us=wall_us(),
            sent=line.sent if line else 0,
            received=line.received if line else 0,
            error=error,
        )
        self.advance(len(self.played))


def wall_us() -> int:
    """The wall clock, microseconds since the epoch: the one clock that this host and its containers share."""
    return time.time_ns() // 1_000


_SMTP_REPLY = re.compile(rb"^\d{3}(?: [^\r\n]*)?\r\n", re.MULTILINE)
_IMAP_REPLY = re.compile(rb"^(?:\* OK \[CAP|A\d{4} (?:OK|NO|BAD)|\+ |\* \d+ EXISTS)[^\r\n]*\r\n", re.MULTILINE)


def measures(protocol: str) -> Measure:
    r"""How much a piece of server speech amounts to: bytes, or whole replies where a real server words them itself.

    >>> measures("smtp")(b"250-lab\r\n250 OK\r\n354 go\r\n"), measures("http")(b"HTTP")
    (2, 4)
    """
    patterns = {"smtp": _SMTP_REPLY, "imap": _IMAP_REPLY}
    if protocol not in patterns:
        return len
    pattern = patterns[protocol]
    return lambda said: len(pattern.findall(said))
