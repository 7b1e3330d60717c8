"""A script's HTTP answers: what is said to each request, fitted so that a real server's head and it have their size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab.stages.live.servers.image.plan import Script, Turn

_END = b"\r\n\r\n"
_FILL = b"/1.26.3"
Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Answer:
    """Status, header fields (Content-Length among them) and body."""

    status: int
    headers: tuple[Header, ...]
    body: bytes | memoryview


NOT_FOUND = Answer(404, ((b"Content-Length", b"0"),), b"")


def answer_turns(script: Script) -> Iterator[Turn | None]:
    """For each request the server's turn that answers it, None if the script has none."""
    answer: Turn | None = None
    asked = False
    for turn in script.turns:
        if turn.from_client:
            if asked:
                yield answer
            asked, answer = True, None
        elif asked and answer is None:
            answer = turn
    if asked:
        yield answer


def http1(said: memoryview) -> Answer:
    """The script's answer for a server that writes no reason phrase (RFC 9112 section 4): Server is longer instead.

    ValueError if the script's bytes are no HTTP/1.1 answer.
    """
    status, reason, headers, body = _parsed(said)
    return Answer(status, _stretched(headers, len(reason)), body)


def http2(said: memoryview, head_size: int) -> Answer:
    """The script's answer under HTTP/2: its body fills what frames (RFC 9113 section 4.1) leave of its size.

    ``head_size``: bytes of the header block as the server will compress it. Data frames have 16 KiB at most, and an
    empty one ends the stream.
    """
    status, _, headers, body = _parsed(said)
    kept = tuple((name.lower(), value) for name, value in headers if name.lower() not in {b"connection", b"keep-alive"})
    room = len(said) - 9 - head_size - 9
    size = max(0, room - 9 * -(-room // (9 + (1 << 14)))) if len(body) else 0
    filled = bytes(body) + bytes(said[: max(0, size - len(body))])
    fields = tuple((name, b"%d" % size if name == b"content-length" else value) for name, value in kept)
    return Answer(status, fields, filled[:size])


def _parsed(said: memoryview) -> tuple[int, bytes, tuple[Header, ...], memoryview]:
    head = bytes(said[: 1 << 16])
    end = head.find(_END)
    lines = head[: max(end, 0)].split(b"\r\n")
    start = lines[0].split(b" ", 2)
    if end < 0 or len(start) != 3 or not start[1].isdigit():
        raise ValueError(f"http: {head[:40]!r} is no answer")
    pairs = (line.partition(b":") for line in lines[1:])
    return int(start[1]), start[2], tuple((name, value.strip()) for name, _, value in pairs), said[end + len(_END) :]


def _stretched(headers: tuple[Header, ...], spare: int) -> tuple[Header, ...]:
    fill = (_FILL + b"0" * spare)[:spare]
    return tuple((name, value + fill if name.lower() == b"server" else value) for name, value in headers)
