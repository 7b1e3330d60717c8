"""One conversation's byte stream through a phone, under TLS or not: what was said, what was heard, and by when.

TLS runs here over two memory buffers (``ssl.MemoryBIO``), so that the phone only carries bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK = 1 << 16
PIECE = 1 << 18  # bytes handed over at a time, each within WAIT_S
WAIT_S = 15.0  # for what the script says the other side will say; longer than any round trip plus thinking time

#: How much of a script's answers a piece of stream amounts to; bytes, unless the protocol counts replies.
Measure = Callable[[bytes], int]


class LineError(Exception):
    """The other side hung up, said nothing in time, or its certificate was not trusted."""


@dataclass
class Line:
    """A stream opened by ``lab.devices.stream``; ``heard`` holds what has come and was not yet counted away."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    measure: Measure = len
    sent: int = 0  # plain bytes
    received: int = 0
    _heard: bytearray = field(default_factory=bytearray)
    _amount: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: str | None = None
    _tls: ssl.SSLObject | None = None
    _in: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _out: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _listener: asyncio.Task[None] | None = None

    async def shake_hands(self, context: ssl.SSLContext, name: str) -> None:
        """A TLS client handshake; LineError says what the other side or the certificate did wrong."""
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        try:
            async with asyncio.timeout(WAIT_S):
                while not await self._shaken(self._tls):
                    data = await self.reader.read(CHUNK)
                    if not data:
                        raise LineError("hung up during the TLS handshake")
                    self._in.write(data)
        except ssl.SSLError as error:
            with contextlib.suppress(LineError):
                await self._flush()  # the alert
            raise LineError(f"TLS handshake: {error.reason or error}") from error
        except TimeoutError as error:
            raise LineError(f"no TLS handshake within {WAIT_S:g} s") from error

    async def _shaken(self, tls: ssl.SSLObject) -> bool:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await self._flush()
            return False
        await self._flush()
        return True

    def listen(self) -> None:
        """Starts to take in what the other side says."""
        self._listener = asyncio.create_task(self._listen())
        self._take(b"")  # what came with the handshake

    async def say(self, data: bytes) -> None:
        """Sends; LineError if the phone's end is gone, or takes nothing for WAIT_S: the line is dead then."""
        plain = len(data)
        if self._tls:
            self._tls.write(data)
            data = self._out.read()
        for place in range(0, len(data), PIECE):
            await self._send(data[place : place + PIECE])
        self.sent += plain

    async def _send(self, piece: bytes) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                self.writer.write(piece)
                await self.writer.drain()
        except TimeoutError as error:  # before OSError, of which it is one
            self.writer.transport.abort()
            raise LineError(f"cannot send: nothing was taken for {WAIT_S:g} s") from error
        except OSError as error:
            raise LineError(f"cannot send: {error}") from error

    async def hear(self, amount: int, until: float) -> None:
        """Waits until ``amount`` (of ``measure``) has come in all; LineError if it does not by loop time ``until``."""
        while self._amount < amount:
            if self._ended is not None:
                raise LineError(f"{self._ended} after {self._amount} of {amount}")
            self._news.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._news.wait()
            except TimeoutError as error:
                raise LineError(f"heard {self._amount} of {amount} in time") from error

    async def ended(self, until: float) -> None:
        """Waits until the other side has hung up, but not beyond loop time ``until``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while self._ended is None:
                    self._news.clear()
                    await self._news.wait()

    def outcome(self) -> str:
        """What is known of the program on the phone that holds the socket."""
        return str(self.writer.get_extra_info("outcome") or "nothing is known of the program on the phone")

    async def close(self) -> None:
        """Says goodbye as TLS does (close_notify), hangs up and stops listening; within WAIT_S, and never raises."""
        try:
            async with asyncio.timeout(WAIT_S):
                await self._hung_up()
        except TimeoutError:
            self.writer.transport.abort()
            if self._listener:
                self._listener.cancel()

    async def _hung_up(self) -> None:
        if self._tls:
            with contextlib.suppress(ssl.SSLError, OSError):
                self._tls.unwrap()
            with contextlib.suppress(LineError):
                await self._flush()
        with contextlib.suppress(OSError):
            if self.writer.can_write_eof():
                self.writer.write_eof()
        if self._listener:
            done, _ = await asyncio.wait([self._listener], timeout=1.0)
            if not done:
                self._listener.cancel()
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def _flush(self) -> None:
        if data := self._out.read():
            await self._send(data)

    async def _listen(self) -> None:
        try:
            while data := await self.reader.read(CHUNK):
                self._take(data)
            self._ended = self._ended or "hung up"
        except OSError as error:
            self._ended = f"lost: {error}"
        except ssl.SSLError as error:
            self._ended = f"TLS: {error.reason or error}"
        self._news.set()

    def _take(self, data: bytes) -> None:
        plain = self._opened(data) if self._tls else data
        self.received += len(plain)
        if self.measure is len:
            self._amount = self.received
        elif plain:
            self._heard += plain
            self._amount = self.measure(bytes(self._heard))
        self._news.set()

    def _opened(self, data: bytes) -> bytes:
        assert self._tls is not None
        self._in.write(data)
        plain = []
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self._tls.read(CHUNK):
                plain.append(piece)
            self._ended = self._ended or "said goodbye"
        return b"".join(plain)
