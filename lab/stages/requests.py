"""The HTTP requests of a conversation as mitmproxy on the gateway would list them, read from the plain messages.

Bytes are those of HTTP, before TLS; times are those of the segments that carry them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lab.protocols import Message
from lab.protocols.http2 import PREFACE
from lab.stages.causality import Said
from lab.stages.streams import streams

_REQUEST = re.compile(rb"([A-Z]{3,10}) (\S+) HTTP/1\.[01]\r\n")
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_SWITCHED = b"HTTP/1.1 101"


@dataclass(frozen=True)
class Request:
    """One request and its answer; times in microseconds since the epoch, sizes in bytes with headers.

    Of HTTP/2 sizes are those of the stream's HEADERS and DATA frames, and ``host`` is :authority.
    """

    conversation: int
    time: int
    end: int
    sni: str | None
    host: str | None
    method: str
    path: str
    status: int | None
    bytes_up: int
    bytes_down: int
    user_agent: str | None


@dataclass
class Overheard:
    """Plain messages noted on their way into TLS, and which carried message each became.

    TLS pulls one plain message at a time and says it before it pulls the next, so the last message of the same side
    said while the k-th was the newest is the k-th one.
    """

    _plain: list[Message] = field(default_factory=list)
    _newest: list[int] = field(default_factory=list)
    _listens: bool = True

    def plain(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages, noted if the first one of the client is an HTTP request, up to a change of protocol."""
        passing = iter(messages)
        for message in passing:
            if not self._plain:
                self._listens = message.from_client and _speaks_http(message.data)
            if self._listens:
                self._plain.append(message)
            switched = message.data.startswith(_SWITCHED)
            yield message
            if switched or not self._listens:
                self._listens = False
                yield from passing

    def carried(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The messages as they go out, each noted with the newest plain one; empty ones are never placed."""
        passing = iter(messages)
        for message in passing:
            if message.data:
                self._newest.append(len(self._plain) - 1)
            yield message
            if not self._listens:
                yield from passing

    def requests(self, conversation: int, said: Said, sni: str | None) -> list[Request]:
        """The requests, with the times at which ``said`` carried them."""
        if not self._plain:
            return []
        times = self._times(said)
        if self._plain[0].data.startswith(PREFACE):
            return self._streams(conversation, times, sni)
        found: list[Request] = []
        opened: list[int] = []  # plain messages of the request at hand
        for index, message in enumerate(self._plain):
            if message.from_client and _REQUEST.match(message.data):
                found += self._request(conversation, opened, times, sni)
                opened = []
            opened.append(index)
        return found + self._request(conversation, opened, times, sni)

    def _streams(self, conversation: int, times: dict[int, tuple[int, int]], sni: str | None) -> list[Request]:
        """HTTP/2's requests; one of which nothing was carried is none."""
        return [
            Request(
                conversation=conversation,
                time=times[stream.first][0],
                end=times.get(stream.last, times[stream.first])[1],
                sni=sni,
                host=stream.asked.get(":authority"),
                method=stream.asked.get(":method", ""),
                path=stream.asked.get(":path", ""),
                status=int(stream.answered[":status"]) if ":status" in stream.answered else None,
                bytes_up=stream.up,
                bytes_down=stream.down,
                user_agent=stream.asked.get("user-agent"),
            )
            for stream in streams(self._plain)
            if stream.first in times
        ]

    def _times(self, said: Said) -> dict[int, tuple[int, int]]:
        times: dict[int, tuple[int, int]] = {}
        for place, newest in enumerate(self._newest):
            if newest >= 0 and self._plain[newest].from_client == said.from_client[place]:
                times[newest] = (said.start[place], said.end[place])
        return times

    def _request(
        self, conversation: int, own: list[int], times: dict[int, tuple[int, int]], sni: str | None
    ) -> list[Request]:
        own = [index for index in own if index in times]
        if not own:
            return []
        up = [self._plain[index] for index in own if self._plain[index].from_client]
        down = [self._plain[index] for index in own if not self._plain[index].from_client]
        head = _REQUEST.match(up[0].data) if up else None
        if head is None:
            return []
        status = _STATUS.match(down[0].data) if down else None
        code = int(status[1]) if status else None
        request = Request(
            conversation=conversation,
            time=times[own[0]][0],
            end=times[own[-1]][1],
            sni=sni,
            host=_header(up[0].data, b"host"),
            method=head[1].decode(),
            path=head[2].decode("ascii", "replace"),
            status=code,
            bytes_up=sum(len(message.data) for message in up),
            bytes_down=sum(len(message.data) for message in down),
            user_agent=_header(up[0].data, b"user-agent"),
        )
        return [request]


def _speaks_http(data: bytes) -> bool:
    return data.startswith(PREFACE) or _REQUEST.match(data) is not None


def _header(data: bytes, name: bytes) -> str | None:
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r\n]*)", data.partition(b"\r\n\r\n")[0], re.IGNORECASE)
    return found[1].decode("utf-8", "replace").strip() if found else None
