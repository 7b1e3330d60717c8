"""The host's side of a container's control port: one JSON line asked, one answered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from lab.errors import StageError

PORT = 9000
ANSWER_LIMIT = 256 << 20  # bytes of one answer line; a report lists every conversation of a run
_RETRY_S = 0.05


@dataclass
class Control:
    """A persistent connection to one container; calls of several tasks take turns."""

    role: str
    answer_s: float
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # an answer belongs to the call before it

    @classmethod
    async def open(
        cls, address: str, *, timeout_s: float, role: str = "container", port: int = PORT, answer_s: float = 30.0
    ) -> Control:
        """Connects, trying until ``timeout_s`` have passed as the container may be starting; then StageError.

        ``role`` is what errors call the container; ``answer_s`` bounds the wait for each answer.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            left = deadline - asyncio.get_running_loop().time()
            try:
                connecting = asyncio.open_connection(address, port, limit=ANSWER_LIMIT)
                return cls(role, answer_s, *await asyncio.wait_for(connecting, max(left, _RETRY_S)))
            except (OSError, TimeoutError) as error:
                if left <= _RETRY_S:
                    raise StageError(
                        f"{role}: no control at {address}:{port} within {timeout_s:g} s ({_why(error)})"
                    ) from error
            await asyncio.sleep(_RETRY_S)

    async def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """The answer's fields without "ok"; StageError with role, verb and error if it is refused or never comes.

        After a lost or late answer the connection is closed: a later answer could be taken for another call's.
        """
        async with self._turn:
            try:
                self._writer.write(json.dumps({**fields, "do": do}).encode() + b"\n")
                line = await asyncio.wait_for(self._ask(), self.answer_s)
                reply = json.loads(line)
            except (OSError, ValueError, TimeoutError) as error:
                self.close()
                raise StageError(f"{self.role}: {do}: {_why(error)}") from error
            except asyncio.CancelledError:
                self.close()
                raise
        if not isinstance(reply, dict) or reply.pop("ok", None) is not True:
            said = reply.get("error") if isinstance(reply, dict) else reply
            raise StageError(f"{self.role}: {do}: {said}")
        return reply

    async def _ask(self) -> bytes:
        await self._writer.drain()
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("connection lost")
        return line

    def close(self) -> None:
        """Hangs up; a second time is nothing."""
        self._writer.close()


def ask(address: str, do: str, *, role: str = "container", timeout_s: float = 10.0, **fields: Any) -> dict[str, Any]:
    """One call on a connection of its own, for callers without a loop; StageError as ``Control`` raises it."""

    async def once() -> dict[str, Any]:
        control = await Control.open(address, timeout_s=timeout_s, role=role, answer_s=timeout_s)
        try:
            return await control.call(do, **fields)
        finally:
            control.close()

    return asyncio.run(once())


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
