"""SMTP by aiosmtpd: it parses and decides each reply's code; where the script has that code, its words are said."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from lab.stages.live.servers.image.clock import until
from lab.stages.live.servers.image.part import Part
from lab.stages.live.servers.image.replies import replies

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's; what matters here is noted per conversation
_FOR_EVER_S = 7 * 86_400.0
_LARGEST = 1 << 26


class Mailbox:
    """Takes every mail and keeps none: the hook that aiosmtpd asks."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd's name and signature
        """Accepted."""
        return "250 2.0.0 Ok"


class Submission(SMTP):
    """One connection; replies go out after the script's delay, with its words."""

    def __init__(self, part: Part) -> None:
        super().__init__(
            Mailbox(),
            data_size_limit=_LARGEST,
            hostname=part.script.name or part.script.server[0],
            timeout=_FOR_EVER_S,
            auth_require_tls=False,
            authenticator=lambda *_: AuthResult(success=True),
            loop=asyncio.get_running_loop(),
        )
        self._part = part
        self._turns = [turn for turn in part.script.turns if not turn.from_client]
        self._replies = replies(part.plan.bytes_of(turn) for turn in self._turns)
        self._lines: list[bytes] = []

    async def push(self, status: str | bytes) -> None:
        """Called by aiosmtpd for each line of each reply."""
        line = status if isinstance(status, bytes) else status.encode("ascii")
        self._lines.append(line.removesuffix(b"\r\n") + b"\r\n")
        if line[3:4] == b"-":
            return
        own, self._lines = b"".join(self._lines), []
        planned = next(self._replies, None)
        if planned is None or planned.code != own[:3]:
            self._part.entry.fault(f"smtp: said {own[:60]!r}, the script has {planned and planned.data[:60]!r}")
        if planned is not None:
            await until(self._part.due(self._turns[planned.turn], self._part.arrivals.last))
        said = planned.data if planned and planned.code == own[:3] else own
        await super().push(said.removesuffix(b"\r\n"))
