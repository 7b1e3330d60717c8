"""An inert server that plays one script over one connection: the server's turns, after the client's have come.

It never looks into the bytes: a voice tells which of the client's turns are complete. An answer goes out round trip
plus thinking time after the last byte of the client turn before it; a pushed turn at its time, both in real time.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lab.stages.live.servers.image.clock import until
from lab.stages.live.servers.image.part import Part
from lab.stages.live.servers.image.voices import Voice

PIECE = 1 << 18  # bytes handed to the transport at a time
LINGER_US = 30_000_000  # after its end by the script a connection that nobody closes is closed


class Talk(asyncio.Protocol):
    """The protocol of one accepted connection."""

    def __init__(self, part: Part, voice: Voice) -> None:
        self._part, self._voice = part, voice
        self._heard: list[float] = []  # when each of the client's turns was complete
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._place = 0
        self.done = False
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins to play."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._task = asyncio.create_task(self._run())

    def data_received(self, data: bytes) -> None:
        """Notes the time at which turns have become complete."""
        try:
            turns = self._voice.hear(data)
        except ValueError as error:
            self._part.entry.fault(str(error))
            self._close()
            return
        self._heard += [self._part.arrivals.last] * (turns - len(self._heard))
        self._news.set()

    def eof_received(self) -> bool:
        """A client that has said its last word still gets its answers (True: the transport stays open)."""
        return not self.done

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the play; a connection that was opened and never used is no fault."""
        if not self.done and (self._place or self._heard):
            self._part.entry.fault(
                f"closed at turn {self._place + 1} of {len(self._part.script.turns)}: {exc or 'by the client'}"
            )
        self._voice.close()
        if self._task:
            self._task.cancel()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    async def _run(self) -> None:
        try:
            await self._play()
            self.done = True
            await self._part.clock.at(self._part.script.close_us + LINGER_US)
        except (OSError, ValueError) as error:
            self._part.entry.fault(f"{type(error).__name__}: {error}")
        self._close()

    async def _play(self) -> None:
        asked = 0
        for place, turn in enumerate(self._part.script.turns):
            self._place = place
            if turn.from_client:
                asked += 1
                while len(self._heard) < asked:
                    self._news.clear()
                    await self._news.wait()
                continue
            if turn.pushed:
                await self._part.clock.at(turn.real_us)
            else:
                heard = self._heard[asked - 1] if asked else self._part.arrivals.opened
                await until(self._part.due(turn, heard))
            await self._say(await self._voice.say(self._part.plan.bytes_of(turn)))

    async def _say(self, data: bytes | memoryview) -> None:
        for place in range(0, len(data), PIECE):
            await self._writable.wait()
            assert self._transport
            self._transport.write(data[place : place + PIECE])

    def _close(self) -> None:
        if self._transport and not self._transport.is_closing():
            with suppress(OSError):
                self._transport.close()
