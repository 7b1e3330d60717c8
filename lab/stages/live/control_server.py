"""The control port inside a container: JSON lines in, JSON lines out, one handler per verb.

Standard library only: this file is copied into the images. A request is {"do": verb, ...}, its answer {"ok": true, ...}
or {"ok": false, "error": text}; in order on each connection, connections at the same time. Whatever a client sends or
a handler raises is answered and never ends the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

PORT = 9000
REQUEST_LIMIT = 4 << 20  # bytes of one request line; a plan names folders, it does not carry them


async def serve(address: str, port: int, handlers: Mapping[str, Handler], *, only: str | None = None) -> asyncio.Server:
    """The server, listening already: keep it, and ``await server.serve_forever()`` if nothing else is left to do.

    A handler gets the whole request and gives the fields of the answer ("ok" is added). ``only`` is the one peer
    address that is answered, all others are hung up on. OSError if the address cannot be bound.
    """

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = writer.get_extra_info("peername")
            if only is None or (peer and peer[0] == only):
                await _converse(reader, writer, handlers)
        except (OSError, asyncio.CancelledError):
            pass  # the client left, or the loop ends: nobody is there to tell
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    return await asyncio.start_server(converse, address, port, limit=REQUEST_LIMIT)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handlers: Mapping[str, Handler]
) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # longer than the limit: where the next request begins is not known
            writer.write(_line(_refusal(f"a request is longer than {REQUEST_LIMIT} bytes")))
            await writer.drain()
            return
        if not line.endswith(b"\n"):  # the end, maybe of half a request, which must not be acted upon
            return
        writer.write(await answer(line, handlers))
        await writer.drain()


async def answer(line: bytes, handlers: Mapping[str, Handler]) -> bytes:
    """The answer line to one request line; never raises but for cancellation."""
    try:
        request = json.loads(line)
    except ValueError as error:
        return _line(_refusal(f"not JSON: {error}"))
    if not isinstance(request, dict):
        return _line(_refusal("a request is an object"))
    verb = request.get("do")
    handler = handlers.get(verb) if isinstance(verb, str) else None
    if handler is None:
        return _line(_refusal(f"unknown verb {verb!r}; known: {', '.join(sorted(handlers))}"))
    try:
        return _line({**await handler(request), "ok": True})
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is the host's to know, and the server lives on
        return _line(_refusal(f"{type(error).__name__}: {error}"))


def _refusal(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}


def _line(reply: dict[str, Any]) -> bytes:
    return json.dumps(reply, separators=(",", ":")).encode() + b"\n"
