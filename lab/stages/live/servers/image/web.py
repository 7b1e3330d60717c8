"""HTTP/1.1 and HTTP/2 by hypercorn: it parses, frames and keeps connections; one ASGI application answers by script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from hpack import Encoder
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from lab.stages.live.servers.image.answers import NOT_FOUND, Answer, answer_turns, http1, http2
from lab.stages.live.servers.image.clock import until
from lab.stages.live.servers.image.part import Part

_FOR_EVER_S = 7 * 86_400.0
_Message = dict[str, Any]


def connection(part: Part | None) -> asyncio.Protocol:
    """A protocol that hypercorn serves; without a part every request is answered 404."""
    site = Site(part)
    app = ASGIWrapper(cast("Any", site))  # hypercorn's message types are closed; a site knows but the two it needs
    context = WorkerContext(None)  # one per connection: it ends with it

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            gathering = cast("Any", Gathering(writer))  # as much of a writer as hypercorn uses
            await TCPServer(app, loop, _config(), context, {}, reader, gathering)
        except Exception as error:  # noqa: BLE001 - a conversation never ends the process, and its error is noted
            site.fault(f"hypercorn: {type(error).__name__}: {error}")
            writer.close()

    return Connection(serve, context)


class Connection(asyncio.StreamReaderProtocol):
    """The streams of one connection. Its end is told to hypercorn, which else waits out its keep-alive time."""

    def __init__(
        self,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        context: Any,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(asyncio.StreamReader(loop=loop), serve, loop=loop)
        self._context = context
        self._telling: asyncio.Task[None] | None = None

    def eof_received(self) -> bool | None:
        """The client's last word."""
        self._tell()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._tell()
        super().connection_lost(exc)

    def _tell(self) -> None:
        self._telling = self._telling or asyncio.get_running_loop().create_task(self._context.terminated.set())


def _config() -> Config:
    config = Config()
    config.include_date_header = config.include_server_header = False  # the script's heads are said
    config.keep_alive_timeout = _FOR_EVER_S  # the client closes
    config.keep_alive_max_requests = 1 << 30
    config.accesslog = config.errorlog = None
    return config


class Site:
    """The ASGI application of one connection."""

    def __init__(self, part: Part | None) -> None:
        self._part = part
        self._answers = list(answer_turns(part.script)) if part else []
        self._encoder = Encoder()  # says what hypercorn's own will make of a head

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Reads the whole request, waits, answers."""
        if scope["type"] != "http":
            self.fault(f"http: an unscripted {scope['type']}")
            return
        while (message := await receive())["type"] == "http.request":
            if not message.get("more_body", False):
                break
        else:
            return
        answer = await self._answer(scope["http_version"])
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": bytes(answer.body)})

    def fault(self, error: str) -> None:
        """Noted, if there is a conversation to note it of."""
        if self._part:
            self._part.entry.fault(error)

    async def _answer(self, version: str) -> Answer:
        if self._part is None:
            return NOT_FOUND
        place = self._part.entry.answered
        self._part.entry.answered += 1
        turn = self._answers[place] if place < len(self._answers) else None
        if turn is None:
            self.fault(f"http: request {place + 1} of {len(self._answers)}")
            return NOT_FOUND
        said = self._part.plan.bytes_of(turn)
        await until(self._part.due(turn, self._part.arrivals.last))
        if not version.startswith("2"):
            return http1(said)
        probe = http2(said, 0)
        block = self._encoder.encode([(b":status", b"%d" % probe.status), *probe.headers])
        return http2(said, len(block))


class Gathering:
    """A stream writer that sends what was written in one go in one piece, as servers with corked sockets do."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Kept until the application pauses."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts.append(data)

    async def drain(self) -> None:
        """Waits for a slow client."""
        await self._writer.drain()

    def close(self) -> None:
        """Sends the rest, then closes."""
        self._flush()
        self._writer.close()

    def write_eof(self) -> None:
        """Sends the rest and ends this side."""
        self._flush()
        self._writer.write_eof()

    async def wait_closed(self) -> None:
        """As of the stream below."""
        await self._writer.wait_closed()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As of the stream below."""
        return self._writer.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._parts and not self._writer.is_closing():
            self._writer.write(b"".join(self._parts))
        self._parts.clear()
