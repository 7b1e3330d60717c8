"""IMAP by dovecot: it hears what the client says, keeps the mailbox, decides; the script's words are said if it agrees.

Dovecot's own words have other sizes (its log-in reply 456 bytes for 15) and its EXISTS comes half a second after the
mail, which no script asks for: so an answer of the same tag and verdict is said as the script has it, another as it is.
Should dovecot itself fail, the script alone is played and the failure counted.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lab.stages.live.servers.image.maildir import Maildir
from lab.stages.live.servers.image.part import Part
from lab.stages.live.servers.image.plan import Endpoint
from lab.stages.live.servers.image.voices import Plain

ANSWER_S = 5.0
_LINE_LIMIT = 1 << 20
_LOGIN = re.compile(rb'LOGIN "[^"\r\n]*" "[^"\r\n]*"')
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


@dataclass(frozen=True)
class Post:
    """Where dovecot listens, and the folder that has a maildir per user."""

    place: Endpoint
    mail: Path


class ImapVoice:
    """The server's side of one connection. Each conversation has a user, and so a mailbox, of its own."""

    def __init__(self, part: Part, post: Post, strays: Counter[str]) -> None:
        turns = part.script.turns
        said = [bytes(part.plan.bytes_of(turn)) for turn in turns if not turn.from_client]
        self._plain = Plain(turn.size for turn in turns if turn.from_client)
        self._part, self._post, self._strays = part, post, strays
        self._user = f"n{part.script.n}"
        self._maildir = Maildir(post.mail / self._user, said)
        self._early = bytearray()  # until the log-in line is whole
        self._named = False
        self._greeted = False
        self._connected = asyncio.Event()
        self._ready = False
        self._dialling: asyncio.Task[None] | None = asyncio.get_running_loop().create_task(self._dial())
        self._reader = asyncio.StreamReader(_LINE_LIMIT)
        self._writer: asyncio.StreamWriter | None = None

    def hear(self, data: bytes) -> int:
        """Counts, and passes on to dovecot; the user's name becomes that of the conversation."""
        self._early += data
        self._pass_on()
        return self._plain.hear(data)

    async def say(self, data: bytes | memoryview) -> bytes | memoryview:
        """The script's words if dovecot says the like, else dovecot's; a pushed turn is a mail that comes in."""
        last = bytes(data).splitlines()[-1]
        greets = not self._greeted
        self._greeted = True
        if self._dialling is None:
            return data
        if last.startswith(b"* ") and not greets:
            self._maildir.deliver()
            return data
        try:
            async with asyncio.timeout(ANSWER_S):
                heard = await self._answer(greeting=greets)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._strays[f"imap: dovecot: {type(error).__name__}"] += 1
            self.close()
            return data
        own = heard.splitlines()[-1]
        if _verdict(own) == _verdict(last):
            return data
        self._part.entry.fault(f"imap: dovecot said {own[:80]!r}, the script has {last[:80]!r}")
        return heard

    def close(self) -> None:
        """Hangs up on dovecot and throws the mailbox away."""
        if self._dialling is None:
            return
        dialling, self._dialling = self._dialling, None
        dialling.add_done_callback(self._end)
        dialling.cancel()

    def _end(self, dialled: asyncio.Task[None]) -> None:
        if not dialled.cancelled() and (error := dialled.exception()):
            self._strays[f"imap: mailbox: {type(error).__name__}"] += 1
        if self._writer:
            self._writer.close()
        asyncio.get_running_loop().run_in_executor(None, shutil.rmtree, self._maildir.folder, True)

    async def _dial(self) -> None:
        preparing = asyncio.get_running_loop().run_in_executor(None, self._maildir.prepare)
        try:
            self._reader, self._writer = await asyncio.open_connection(*self._post.place, limit=_LINE_LIMIT)
        finally:
            self._connected.set()
            await preparing
        self._ready = True
        self._pass_on()

    def _pass_on(self) -> None:
        """What has been heard, once dovecot is there and the log-in line, the first of all, is whole."""
        if not self._ready or self._writer is None or self._writer.is_closing():
            return
        if not self._named and b"\r\n" not in self._early:
            return
        said = bytes(self._early)
        self._early.clear()
        if not self._named:
            said = _LOGIN.sub(b'LOGIN "%b" "any"' % self._user.encode(), said)
            self._named = True
        self._writer.write(said)

    async def _answer(self, *, greeting: bool) -> bytes:
        """What dovecot says up to a tagged line or a continuation request, literals included."""
        await self._connected.wait()
        if self._writer is None:
            raise ConnectionError("dovecot is not there")
        said = b""
        while True:
            line = await self._reader.readuntil(b"\r\n")
            said += line
            if literal := _LITERAL.search(line):
                said += await self._reader.readexactly(int(literal[1]))
            elif greeting or not line.startswith((b"* ", b")", b" ")):
                return said


def _verdict(line: bytes) -> list[bytes]:
    """Tag and status of a last line, or the mark of a continuation request."""
    words = line.split()
    return words[:1] if words[:1] == [b"+"] else words[:2]
