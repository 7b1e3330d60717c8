"""Strangers of the internet who connect into phones: the client's side of inbound conversations, and what they proxy.

A stranger dials from its own address. Proxy set-ups are played reactively; then either the conversation's own turns
follow or, where another conversation is relayed by it, that one's client side: under TLS if it has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence

from lab.stages.live.servers.image.actors import Stage
from lab.stages.live.servers.image.datagrams import IP_FREEBIND
from lab.stages.live.servers.image.ledger import Entry
from lab.stages.live.servers.image.plan import Endpoint, Script, Turn
from lab.stages.live.servers.image.proxies import set_up

ANSWER_S = 20.0  # for a connection, and for each answer, beyond its own delay
_CHUNK = 1 << 16
_ALPN = {"http": ["http/1.1"], "websocket": ["http/1.1"]}


class Strangers:
    """Dials every inbound conversation of the plan at its time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._relayed = {head.via: n for n, head in stage.plan.heads.items() if head.via is not None}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[tuple[str, Endpoint | None], asyncio.Lock] = {}
        self._tls: dict[tuple[str, int], ssl.SSLContext] = {}
        self.dialled: dict[int, Endpoint] = {}

    def start(self) -> None:
        """One task plays the calendar; conversations are read from the plan when they are due. Once is enough."""
        if not self._tasks and not self.dialled:
            self._begin(self._calendar())

    async def close(self) -> None:
        """Hangs up everywhere."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _calendar(self) -> None:
        plan = self._stage.plan
        due = sorted((head.real_us, n) for n, head in plan.heads.items() if head.inbound)
        for real_us, n in due:
            await self._stage.clock.at(real_us)
            self._begin(self._converse(plan.script(n)))

    async def _converse(self, script: Script) -> None:
        entry = self._stage.ledger.entry(script.n)
        if script.transport != "tcp":
            entry.fault(f"{script.transport}: strangers dial TCP only")
            return
        try:
            reader, writer = await self._dial(script)
        except (OSError, TimeoutError) as error:
            entry.fault(f"dial: {type(error).__name__}: {error}")
            return
        try:
            await self._speak(script, Line(self._stage, entry, reader, writer))
            await self._stage.clock.at(script.close_us)
        except (OSError, EOFError, ValueError, TimeoutError, LookupError) as error:
            entry.fault(f"{type(error).__name__}: {error}")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _dial(self, script: Script) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        dialling = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            dialling.setblocking(False)
            dialling.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            dialling.bind((script.client, 0))
            address, port = dialling.getsockname()[:2]
            self.dialled[script.n] = (str(address), int(port))
            async with asyncio.timeout(ANSWER_S):
                await asyncio.get_running_loop().sock_connect(dialling, script.server)
            return await asyncio.open_connection(sock=dialling)
        except BaseException:
            dialling.close()
            raise

    async def _speak(self, script: Script, line: Line) -> None:
        n = self._relayed.get(script.n)
        # one after the other: two that ask a proxy for one place at once would be alike to whoever watches it dial
        place = (script.server[0], self._stage.plan.heads[n].server if n is not None else None)
        async with self._asking.setdefault(place, asyncio.Lock()), asyncio.timeout(ANSWER_S):
            taken, heard = await set_up(script.protocol, script.turns, line.say, line.reader)
        line.entry.received += heard
        if n is None:
            await line.play(script, script.turns[taken:])
            return
        relayed = self._stage.plan.script(n)
        line.other = self._stage.ledger.entry(n)
        try:
            await self._stage.clock.at(relayed.real_us)
            if relayed.tls:
                async with asyncio.timeout(ANSWER_S):
                    await line.writer.start_tls(
                        self._context(relayed), server_hostname=relayed.name or relayed.server[0]
                    )
            await line.play(relayed, relayed.turns)
            await self._stage.clock.at(relayed.close_us)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            line.other.fault(f"{type(error).__name__}: {error}")
            raise

    def _context(self, script: Script) -> ssl.SSLContext:
        """A customer's TLS: each shape has suites of its own, as lab.protocols.real_tls gives the phones' clients."""
        key = (script.protocol, script.stack)
        if key not in self._tls:
            context = ssl.create_default_context(cafile=str(self._stage.plan.pki / "trusted.pem"))
            suites = [suite["name"] for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]
            context.set_ciphers(":".join(suite for k, suite in enumerate(suites) if k != script.stack % len(suites)))
            context.set_ecdh_curve("X25519")  # post-quantum shares of OpenSSL 3.5 would fill another segment
            if names := _ALPN.get(script.protocol):
                context.set_alpn_protocols(names)
            self._tls[key] = context
        return self._tls[key]


class Line:
    """One open connection of a stranger: says turns, counts what comes."""

    def __init__(self, stage: Stage, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._stage, self.entry, self.reader, self.writer = stage, entry, reader, writer
        self.other: Entry | None = None  # of the conversation that is relayed

    async def say(self, turn: Turn) -> None:
        """Not before its time."""
        await self._stage.clock.at(turn.real_us)
        self.writer.write(self._stage.plan.bytes_of(turn))
        for entry in self._entries():
            entry.sent += turn.size
        await self.writer.drain()

    async def play(self, script: Script, turns: Sequence[Turn]) -> None:
        """The client's turns at their times, each after the server's before it have come."""
        owed = 0  # bytes that the server still has to say before the client's next turn
        for turn in turns:
            if not turn.from_client:
                owed += turn.size
                continue
            await self._hear(script, owed)
            owed = 0
            await self.say(turn)
        await self._hear(script, owed)

    async def _hear(self, script: Script, owed: int) -> None:
        """Reads until ``owed`` bytes have come; more than that, if they are there already, count as well."""
        while owed > 0:
            async with asyncio.timeout(ANSWER_S + max(0, script.close_us - self._stage.clock.real_us()) / 1e6):
                data = await self.reader.read(_CHUNK)
            if not data:
                raise ConnectionError(f"the other side hung up, {owed} bytes early")
            owed -= len(data)
            for entry in self._entries():
                entry.received += len(data)

    def _entries(self) -> list[Entry]:
        return [self.entry, self.other] if self.other else [self.entry]
