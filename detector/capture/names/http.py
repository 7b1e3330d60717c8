"""HTTP/1 heads in a stream's first bytes: request, response status, CONNECT and the WebSocket upgrade.

Rule: bytes in, values out; hostile or cut bytes give less, never an exception. Only the first request is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: RFC 9112 section 3; methods are tokens, but all registered ones that matter here are upper case.
_REQUEST = re.compile(rb"([A-Z][A-Z_-]{2,19}) ([^ \r\n]+) HTTP/1\.[01]\r?\n")
_CUT_REQUEST = re.compile(rb"(GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH) ((?:/|https?://)[^ \r\n]*)\Z")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r\n]")
#: The value is stripped in Python: a pattern that also parts off the blanks takes n^2 steps for n of them.
_HEADER = re.compile(rb"^(host|user-agent|upgrade):([^\r\n]*+)\r?$", re.IGNORECASE | re.MULTILINE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
#: Some clients put a path behind the authority; servers accept it.
_CONNECT = re.compile(rb"CONNECT ([^ \r\n]{1,255})(?: [^ \r\n]*)? HTTP/1\.[01]\r?\n")


@dataclass(frozen=True, slots=True)
class Request:
    """The first request of a stream; None where a header is absent or beyond the cut."""

    method: str
    path: str
    host: str | None
    user_agent: str | None
    websocket: bool  # asks for an upgrade to WebSocket (RFC 6455 section 4.1)


@lru_cache(maxsize=1024)
def request(stream: bytes) -> Request | None:
    """The HTTP/1 request at the start of a stream, or None."""
    line = _REQUEST.match(stream) or _CUT_REQUEST.match(stream)
    if line is None:
        return None
    found = _headers(stream, line.end())
    upgrade = found.get(b"upgrade", "").lower() == "websocket"
    return Request(
        line[1].decode("ascii"), _text(line[2]), found.get(b"host") or None, found.get(b"user-agent") or None, upgrade
    )


def status(stream: bytes, hello: int = 0) -> int | None:
    """The status of the HTTP/1 response at the start of a stream, or behind at most ``hello`` bytes; else None."""
    line = _STATUS.match(stream) if hello == 0 else _STATUS.search(stream, 0, hello + 16)
    return int(line[1]) if line else None


def connect(asking: bytes, answering: bytes, hello: int = 0) -> tuple[str, bool | None] | None:
    """Target and grant of the CONNECT request that starts ``asking`` (RFC 9110 section 9.3.6), or None.

    Granted is None where ``answering`` holds no status line within its first ``hello`` bytes.
    """
    line = _CONNECT.match(asking)
    if line is None:
        return None
    answer = status(answering, hello)
    return _text(line[1]), None if answer is None else 200 <= answer < 300


def switched(stream: bytes) -> bool:
    """Whether a stream starts with a 101 answer that names WebSocket."""
    return status(stream) == 101 and _headers(stream, 0).get(b"upgrade", "").lower() == "websocket"


def _headers(stream: bytes, start: int) -> dict[bytes, str]:
    """The first value of each header that is read, up to the end of the head; a cut last line does not count."""
    end = _HEAD_END.search(stream, max(start - 2, 0))
    stop = end.start() if end else stream.rfind(b"\n") + 1
    found: dict[bytes, str] = {}
    for line in _HEADER.finditer(stream, start, max(stop, start)):
        found.setdefault(line[1].lower(), _text(line[2].strip(b" \t")))
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
