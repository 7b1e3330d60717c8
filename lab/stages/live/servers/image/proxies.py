"""The client's side of proxy protocols, reactively: how long each answer is, is read off the answer.

SOCKS5: RFC 1928 sections 3 and 6, RFC 1929 section 2. HTTP CONNECT: RFC 9110 section 9.3.6.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from lab.stages.live.servers.image.plan import Turn

_VERSION, _NONE, _USER_PASSWORD, _SUCCEEDED = 5, 0, 2, 0
_ADDRESS = {1: 4, 4: 16}  # bytes by address type; 3 is a name with its own length
_LONGEST_HEAD = 1 << 16
#: says the bytes of a turn
Say = Callable[[Turn], Awaitable[None]]


async def set_up(protocol: str, turns: Sequence[Turn], say: Say, reader: asyncio.StreamReader) -> tuple[int, int]:
    """Plays the set-up: (how many turns it took, bytes received). OSError if the proxy refuses or breaks the protocol.

    Protocols without a set-up take none.
    """
    if protocol == "socks5":
        return await _socks5(turns, say, reader)
    if protocol == "connect":
        return await _connect(turns, say, reader)
    return 0, 0


async def _socks5(turns: Sequence[Turn], say: Say, reader: asyncio.StreamReader) -> tuple[int, int]:
    """Greeting, log-in if the proxy chooses it, request; turns alternate between client and server."""
    await say(turns[0])
    version, method = await reader.readexactly(2)
    heard, place = 2, 2
    if version != _VERSION or method not in {_NONE, _USER_PASSWORD}:
        raise ConnectionError(f"socks5: the proxy answered version {version}, method {method}")
    offers_login = _offers_login(turns)
    if offers_login:
        place = 4
    if method == _USER_PASSWORD:
        if not offers_login:
            raise ConnectionError("socks5: the proxy wants a password, the script has none")
        await say(turns[2])
        status = (await reader.readexactly(2))[1]
        heard += 2
        if status != _SUCCEEDED:
            raise ConnectionError(f"socks5: log-in refused with {status}")
    await say(turns[place])
    return place + 2, heard + await _reply(reader)


def _offers_login(turns: Sequence[Turn]) -> bool:
    """A greeting with two methods (four bytes) offers a log-in, and the script has it."""
    return turns[0].size == 4


async def _reply(reader: asyncio.StreamReader) -> int:
    head = await reader.readexactly(4)
    if head[0] != _VERSION or head[1] != _SUCCEEDED:
        raise ConnectionError(f"socks5: the proxy could not connect, reply {head[1]}")
    size = _ADDRESS.get(head[3])
    extra = 0
    if size is None:
        size, extra = (await reader.readexactly(1))[0], 1
    await reader.readexactly(size + 2)
    return 4 + extra + size + 2


async def _connect(turns: Sequence[Turn], say: Say, reader: asyncio.StreamReader) -> tuple[int, int]:
    await say(turns[0])
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await reader.readexactly(1)
        if len(head) > _LONGEST_HEAD:
            raise ConnectionError("connect: a head without an end")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise ConnectionError(f"connect: the proxy answered {head.splitlines()[0]!r}")
    return 2, len(head)
